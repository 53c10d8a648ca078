"""Training chunks of one fixed shape, cut from utterances of any length.

The utterances of an epoch are laid end to end in a seeded order on HuBERT's 20 ms grid and the line is
cut into equal pieces. So every frame is seen once per epoch, utterances shorter than a chunk need no
padding, and chunk number n is a function of (seed, n) alone: resuming needs no saved state. Audio is
decoded chunk by chunk (under 1 ms each), never held.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.common import audio
from scripts.common.cuts import Cut, num_samples
from scripts.common.frames import SAMPLE_RATE
from scripts.common.seeds import generator

HOP = 320  # samples between frames
Piece = tuple[int, int, int]  # utterance, its first frame, number of frames


def grid_frames(cut: Cut) -> int:
    """Whole 20 ms steps in the cut: its frames, and at most one step that is no whole window."""
    return num_samples(cut) // HOP


class ChunkPlan:
    """Says which pieces of which utterances make up training chunk n.

    Args:
        lengths: int [S], grid frames per utterance.
        chunk_frames: grid frames per chunk.
        seed: the experiment's seed.

    Raises:
        ValueError: all utterances together are shorter than one chunk.
    """

    def __init__(self, lengths: Sequence[int] | np.ndarray, chunk_frames: int, seed: int):
        self.lengths, self.chunk_frames, self.seed = np.asarray(lengths, np.int64), chunk_frames, seed
        slack = int(self.lengths.sum()) - chunk_frames
        if slack < 0:
            raise ValueError(
                f"units.encoder.chunk_seconds is {chunk_frames / 50:.2f} s but the training cuts together hold"
                f" only {(slack + chunk_frames) / 50:.2f} s"
            )
        self.phases = min(chunk_frames, slack + 1)
        self.per_epoch = (slack + chunk_frames - self.phases + 1) // chunk_frames
        self.epoch = -1

    def _lay_out(self, epoch: int) -> None:
        random = generator(self.seed, "units", "chunks", epoch)
        self.epoch = epoch
        self.utterances = random.permutation(len(self.lengths))
        self.ends = np.cumsum(self.lengths[self.utterances])
        # Another phase every epoch: a chunk's borders fall elsewhere.
        self.phase = int(random.integers(self.phases))
        self.chunks = random.permutation(self.per_epoch)

    def pieces(self, number: int) -> list[Piece]:
        """Pieces of chunk `number` (counted through all epochs) in order; together `chunk_frames` frames."""
        epoch, place = divmod(number, self.per_epoch)
        if epoch != self.epoch:
            self._lay_out(epoch)
        position = self.phase + int(self.chunks[place]) * self.chunk_frames
        end = position + self.chunk_frames
        found = []
        while position < end:
            index = int(np.searchsorted(self.ends, position, side="right"))
            utterance = int(self.utterances[index])
            first = position - int(self.ends[index] - self.lengths[utterance])
            count = min(end, int(self.ends[index])) - position
            found.append((utterance, first, count))
            position += count
        return found


def read_piece(cut: Cut, first: int, count: int, root: str | Path) -> np.ndarray:
    """Audio of `count` frames from frame `first` on: float32 [320 * count]."""
    start = cut["start"] + first * HOP / SAMPLE_RATE
    piece = {**cut, "start": start, "duration": count * HOP / SAMPLE_RATE}
    try:
        wave = audio.read(piece, root)
    except audio.AudioError as error:
        if error.reason != "audio-silent":
            raise
        wave = np.zeros(0, np.float32)  # a pause inside an utterance
    # A recording at another rate may give one sample more or less.
    return np.pad(wave, (0, max(0, HOP * count - len(wave))))[: HOP * count]
