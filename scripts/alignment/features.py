"""Acoustic features: MFCC as Kaldi makes them, less the speaker's mean, with their two derivatives.

`snip_edges` is off, so frame t is centred on (t + 1/2) hops and stands for the time from t to t + 1
hops: frame boundaries are times without an offset (tests/alignment measure that no bias remains).
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache

import numpy as np

from scripts.common import audio
from scripts.common.cuts import Cut, speaker
from scripts.common.frames import SAMPLE_RATE
from scripts.common.mfcc import Mfcc

MEAN_SECONDS = 60.0  # speech per speaker and file that a mean is taken over

DELTA_WINDOW = 2  # frames on each side of a derivative, Kaldi's default


def mfcc(wave: np.ndarray, frame_shift_ms: float) -> np.ndarray:
    """float32 [frames, 13] of a 16 kHz float waveform; frames = samples / hop, rounded."""
    return _mfcc(int(frame_shift_ms * SAMPLE_RATE / 1000))(wave)


@cache
def _mfcc(shift: int) -> Mfcc:
    """Kaldi's own MFCC options at 16 kHz (its defaults, but without dither, which would need a seed)."""
    return Mfcc(shift=shift, snip_edges=False, bins=23, high=SAMPLE_RATE / 2, energy=False)


def add_deltas(static: np.ndarray) -> np.ndarray:
    """[T, D] -> [T, 3 D]: values, slopes and slopes of slopes, edges repeated.

    The slope is the least-squares line through 2 * DELTA_WINDOW + 1 frames (Kaldi's add-deltas, HTK's
    equation 5.16).
    """
    if not len(static):
        return np.zeros((0, 3 * static.shape[1]), np.float32)

    def slope(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, ((DELTA_WINDOW, DELTA_WINDOW), (0, 0)), mode="edge")
        frames = len(values)
        total = np.zeros_like(values)
        for lag in range(1, DELTA_WINDOW + 1):
            after, before = padded[DELTA_WINDOW + lag :][:frames], padded[DELTA_WINDOW - lag :][:frames]
            total += lag * (after - before)
        return total / np.float32(2 * sum(lag**2 for lag in range(1, DELTA_WINDOW + 1)))

    first = slope(static)
    return np.concatenate([static, first, slope(first)], axis=1)


def speaker_means(
    cuts: Iterable[Cut], root: str, frame_shift_ms: float, kept: dict[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Mean MFCC, float32 [13], over the first MEAN_SECONDS of every speaker's cuts.

    Of the speaker and not of the utterance: the mean of a word spoken alone says which phones it has,
    and taking it away made every second such word look unlike its own phones. Audio that cannot be read
    is passed over here; aligning the cut reports it. Memory: one vector per speaker.

    Args:
        cuts: of any number of speakers.
        root: folder that audio paths are relative to.
        frame_shift_ms: hop.
        kept: takes the MFCC [T, 13] that were computed, by cut id.
    """
    sums: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(14))
    seconds: dict[str, float] = defaultdict(float)
    for cut in cuts:
        name = speaker(cut)
        if seconds[name] >= MEAN_SECONDS:
            continue
        try:
            frames = mfcc(audio.read(cut, root), frame_shift_ms)
        except audio.AudioError:
            continue
        if kept is not None:
            kept[cut["id"]] = frames
        seconds[name] += cut["duration"]
        sums[name][:13] += frames.sum(axis=0, dtype=np.float64)
        sums[name][13] += len(frames)
    return {name: (total[:13] / max(total[13], 1.0)).astype(np.float32) for name, total in sums.items()}


class Observations:
    """Features of cuts, less their speaker's mean; no waveform is read twice.

    What the means were taken over is kept until it is asked for: at most MEAN_SECONDS and one cut per speaker,
    312 kB a minute.

    Args:
        cuts: all that will be asked for.
        root: folder that audio paths are relative to.
        frame_shift_ms: hop.
    """

    def __init__(self, cuts: Iterable[Cut], root: str, frame_shift_ms: float):
        self.root, self.frame_shift_ms = root, frame_shift_ms
        self.static: dict[str, np.ndarray] = {}
        self.means = speaker_means(cuts, root, frame_shift_ms, self.static)

    def __call__(self, cut: Cut) -> np.ndarray:
        """float32 [frames, 39] of a cut, once; AudioError if its audio cannot be used."""
        static = self.static.pop(cut["id"], None)
        if static is None:
            static = mfcc(audio.read(cut, self.root), self.frame_shift_ms)
        return np.ascontiguousarray(add_deltas(static - self.means[speaker(cut)]))
