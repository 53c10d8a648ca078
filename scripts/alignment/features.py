"""Acoustic features: Kaldi's MFCC minus the speaker's mean, with first and second derivatives.

`snip_edges` is off, so frame t is centred on (t + 1/2) hops and covers the time from t to t + 1
hops: frame boundaries have no offset (tests/alignment/test_accuracy.py measures that no bias remains).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache

import numpy as np

from scripts.common import audio
from scripts.common.cuts import Cut, speaker
from scripts.common.frames import SAMPLE_RATE
from scripts.common.mfcc import Mfcc

MEAN_SECONDS = 60.0  # speech per speaker and file over which the mean is computed

DELTA_WINDOW = 2  # frames on each side of a derivative, Kaldi's default


def mfcc(wave: np.ndarray, frame_shift_ms: float) -> np.ndarray:
    """float32 [frames, 13] of a 16 kHz float waveform; frames = samples / hop, rounded."""
    return _mfcc(int(frame_shift_ms * SAMPLE_RATE / 1000))(wave)


@cache
def _mfcc(shift: int) -> Mfcc:
    """MFCC with Kaldi's default options at 16 kHz, but without dither, which would need a seed."""
    return Mfcc(shift=shift, snip_edges=False, bins=23, high=SAMPLE_RATE / 2, energy=False)


def add_deltas(static: np.ndarray) -> np.ndarray:
    """[T, D] -> [T, 3 D]: values, first and second derivatives, edges repeated.

    A derivative is the slope of the least-squares line through 2 * DELTA_WINDOW + 1 frames (Kaldi's add-deltas, HTK's
    equation 5.16).
    """
    if not len(static):
        return np.zeros((0, 3 * static.shape[1]), np.float32)

    def slope(values: np.ndarray) -> np.ndarray:
        padded = np.pad(values, ((DELTA_WINDOW, DELTA_WINDOW), (0, 0)), mode="edge")
        frames = len(values)
        total = np.zeros_like(values)
        for lag in range(1, DELTA_WINDOW + 1):
            later, earlier = padded[DELTA_WINDOW + lag :][:frames], padded[DELTA_WINDOW - lag :][:frames]
            total += lag * (later - earlier)
        return total / np.float32(2 * sum(lag**2 for lag in range(1, DELTA_WINDOW + 1)))

    first = slope(static)
    return np.concatenate([static, first, slope(first)], axis=1)


def speaker_means(
    cuts: Iterable[Cut],
    root: str,
    frame_shift_ms: float,
    cache: dict[str, np.ndarray] | None = None,
    notes: Counter[str] | None = None,
) -> dict[str, np.ndarray]:
    """Mean MFCC, float32 [13], over the first MEAN_SECONDS of every speaker's cuts.

    Per speaker and not per utterance: the mean of an isolated word depends on its phones, and with it subtracted every
    second isolated word aligned badly. Audio that cannot be read is skipped here and reported when the cut is aligned.
    Memory: one vector per speaker.

    Args:
        cuts: of any number of speakers.
        root: folder that audio paths are relative to.
        frame_shift_ms: hop.
        cache: receives the computed MFCC [T, 13] by cut id.
        notes: see `audio.read`.
    """
    sums: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(14))
    seconds: dict[str, float] = defaultdict(float)
    for cut in cuts:
        name = speaker(cut)
        if seconds[name] >= MEAN_SECONDS:
            continue
        try:
            frames = mfcc(audio.read(cut, root, notes), frame_shift_ms)
        except audio.AudioError:
            continue
        if cache is not None:
            cache[cut["id"]] = frames
        seconds[name] += cut["duration"]
        sums[name][:13] += frames.sum(axis=0, dtype=np.float64)
        sums[name][13] += len(frames)
    return {name: (total[:13] / max(total[13], 1.0)).astype(np.float32) for name, total in sums.items()}


class FeatureExtractor:
    """Computes the features of cuts minus their speaker's mean; reads every waveform once.

    The MFCC over which the means were computed are cached until their cut is requested: at most MEAN_SECONDS and one
    cut per speaker, 312 kB per minute.

    Args:
        cuts: all cuts that will be requested.
        root: folder that audio paths are relative to.
        frame_shift_ms: hop.

    Attributes:
        notes: cuts per thing that was done to their audio, see `audio.read`.
    """

    def __init__(self, cuts: Iterable[Cut], root: str, frame_shift_ms: float):
        self.root, self.frame_shift_ms = root, frame_shift_ms
        self.static: dict[str, np.ndarray] = {}
        self.notes: Counter[str] = Counter()
        self.means = speaker_means(cuts, root, frame_shift_ms, self.static, self.notes)

    def __call__(self, cut: Cut) -> np.ndarray:
        """Features of a cut, float32 [frames, 39]; AudioError if its audio cannot be used."""
        static = self.static.pop(cut["id"], None)
        if static is None:
            static = mfcc(audio.read(cut, self.root, self.notes), self.frame_shift_ms)
        return np.ascontiguousarray(add_deltas(static - self.means[speaker(cut)]))
