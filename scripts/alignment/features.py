"""Acoustic features: Kaldi's MFCC minus the mean of speaker and recording, with first and second derivatives.

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

MEAN_SECONDS = 60.0  # speech of a speaker, or of a speaker in a recording, over which a mean is computed
RELEVANCE_SECONDS = 10.0  # of the speaker's mean, as if so much of the recording had it

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


class FeatureExtractor:
    """Computes the features of cuts minus the mean of their speaker in their recording.

    A speaker's mean is not subtracted alone, since it is of no microphone where a speaker was recorded with two; nor a
    recording's, which is of some phones only where each utterance is a file: with its own mean subtracted every second
    isolated word aligned badly. The mean is that of the speaker's frames in the recording, drawn to the speaker's by
    RELEVANCE_SECONDS of frames (Reynolds, Quatieri and Dunn, Speaker verification using adapted Gaussian mixture
    models, 2000, equations 11 to 14). Both are over the first MEAN_SECONDS. Audio that cannot be read is left out of
    means and reported when its cut is requested.

    The MFCC over which a mean was computed are cached until their cut is requested: MEAN_SECONDS and one cut per
    speaker, and the same per recording that was begun and not finished, 312 kB per minute.

    Args:
        cuts: all cuts that will be requested.
        root: folder that audio paths are relative to.
        frame_shift_ms: hop.

    Attributes:
        notes: cuts per thing that was done to their audio, see `audio.read`.
    """

    def __init__(self, cuts: Iterable[Cut], root: str, frame_shift_ms: float):
        self.root, self.frame_shift_ms = root, frame_shift_ms
        self.notes: Counter[str] = Counter()
        self.first: dict[tuple[str, ...], list[Cut]] = defaultdict(list)  # cuts of a group until it has a mean
        seconds: Counter[tuple[str, ...]] = Counter()
        for cut in cuts:
            for group in _groups(cut):
                if seconds[group] < MEAN_SECONDS:
                    seconds[group] += cut["duration"]
                    self.first[group].append(cut)
        self.sums: dict[tuple[str, ...], np.ndarray] = {}  # [14]: sum of the MFCC, number of frames
        self.cache: dict[str, np.ndarray] = {}

    def static(self, cut: Cut) -> np.ndarray:
        """MFCC minus their mean, float32 [frames, 13]; AudioError if the cut's audio cannot be used."""
        speaker_sums, own_sums = (self._sums(group) for group in _groups(cut))
        frames = self.cache.pop(cut["id"], None)
        if frames is None:
            frames = self._read(cut)
        relevance = RELEVANCE_SECONDS * 1000 / self.frame_shift_ms
        prior = speaker_sums[:13] / max(speaker_sums[13], 1.0)
        mean = (own_sums[:13] + relevance * prior) / (own_sums[13] + relevance)
        return frames - mean.astype(np.float32)

    def __call__(self, cut: Cut) -> np.ndarray:
        """Features of a cut, float32 [frames, 39]; AudioError if its audio cannot be used."""
        return np.ascontiguousarray(add_deltas(self.static(cut)))

    def _sums(self, group: tuple[str, ...]) -> np.ndarray:
        if group not in self.sums:
            total = np.zeros(14)
            for cut in self.first.pop(group, ()):
                if cut["id"] not in self.cache:
                    try:
                        self.cache[cut["id"]] = self._read(cut)
                    except audio.AudioError:
                        continue
                frames = self.cache[cut["id"]]
                total[:13] += frames.sum(axis=0, dtype=np.float64)
                total[13] += len(frames)
            self.sums[group] = total
        return self.sums[group]

    def _read(self, cut: Cut) -> np.ndarray:
        return mfcc(audio.read(cut, self.root, self.notes), self.frame_shift_ms)


def _groups(cut: Cut) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the cut's speaker, and of its speaker in its recording."""
    return (speaker(cut),), (speaker(cut), cut["recording"]["id"])
