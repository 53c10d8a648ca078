"""Training crops of one fixed length from utterances of any length.

The utterances of an epoch are concatenated in a seeded order on HuBERT's 20 ms grid and the sequence is
split into crops of equal length. So every frame is seen once per epoch, utterances shorter than a crop need no
padding, and crop number n is a function of (seed, n) alone: resuming needs no saved state. Audio is
decoded crop by crop (under 1 ms each), never held.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.common import audio
from scripts.common.cuts import Cut, num_samples
from scripts.common.frames import SAMPLE_RATE
from scripts.common.seeds import generator

HOP = 320  # samples between frames
CropPart = tuple[int, int, int]  # utterance, its first frame, number of frames


def grid_frames(cut: Cut) -> int:
    """Whole 20 ms steps in the cut: its frames, and at most one last step that is shorter than a frame's window."""
    return num_samples(cut) // HOP


class CropPlan:
    """Which parts of which utterances make up training crop n.

    Args:
        lengths: int [S], grid frames per utterance.
        crop_frames: grid frames per crop.
        seed: the experiment's seed.

    Raises:
        ValueError: all utterances together are shorter than one crop.
    """

    def __init__(self, lengths: Sequence[int] | np.ndarray, crop_frames: int, seed: int):
        self.lengths, self.crop_frames, self.seed = np.asarray(lengths, np.int64), crop_frames, seed
        slack = int(self.lengths.sum()) - crop_frames
        if slack < 0:
            raise ValueError(
                f"units.encoder.crop_seconds is {crop_frames / 50:.2f} s but the training cuts together hold"
                f" only {(slack + crop_frames) / 50:.2f} s"
            )
        self.phases = min(crop_frames, slack + 1)
        self.per_epoch = (slack + crop_frames - self.phases + 1) // crop_frames
        self.epoch = -1

    def _lay_out(self, epoch: int) -> None:
        random = generator(self.seed, "units", "chunks", epoch)
        self.epoch = epoch
        self.utterances = random.permutation(len(self.lengths))
        self.ends = np.cumsum(self.lengths[self.utterances])
        # Another phase every epoch: crops begin elsewhere.
        self.phase = int(random.integers(self.phases))
        self.crops = random.permutation(self.per_epoch)

    def parts(self, number: int) -> list[CropPart]:
        """Parts of crop `number` (counted through all epochs) in order; together `crop_frames` frames."""
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self.epoch:
            self._lay_out(epoch)
        position = self.phase + int(self.crops[place]) * self.crop_frames
        end = position + self.crop_frames
        parts = []
        while position < end:
            index = int(np.searchsorted(self.ends, position, side="right"))
            utterance = int(self.utterances[index])
            first = position - int(self.ends[index] - self.lengths[utterance])
            count = min(end, int(self.ends[index])) - position
            parts.append((utterance, first, count))
            position += count
        return parts


def read_part(cut: Cut, first: int, count: int, root: str | Path) -> np.ndarray:
    """Audio of `count` frames from frame `first` on: float32 [320 * count]."""
    start = cut["start"] + first * HOP / SAMPLE_RATE
    part = {**cut, "start": start, "duration": count * HOP / SAMPLE_RATE}
    try:
        wave = audio.read(part, root)
    except audio.AudioError as error:
        if error.reason != "audio-silent":
            raise
        wave = np.zeros(0, np.float32)  # a pause inside an utterance
    # A recording at another rate may give one sample more or less.
    return np.pad(wave, (0, max(0, HOP * count - len(wave))))[: HOP * count]
