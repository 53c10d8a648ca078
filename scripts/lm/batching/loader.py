"""The rows of every step of a training, and of a whole split, for one rank.

On a GPU a background thread builds the rows of the next steps and pins them while the GPU computes. On a CPU rows are
built between steps, because a thread would take a core from the training.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from scripts.common.ragged import Ragged
from scripts.lm.batching.batches import BUCKETS, Packed, balanced_rows, build_row, micro_batches
from scripts.lm.batching.prefetch import Prefetcher
from scripts.lm.batching.splits import epoch_batches, steps_per_epoch
from scripts.lm.config import TrainingConfig
from scripts.lm.distributed.ranks import Ranks

Item = TypeVar("Item")


@dataclass(frozen=True)
class Batch:
    """What one rank computes in one step.

    Attributes:
        indices: the step's utterances, int64 [B], the same on every rank.
        rows: this rank's part of them.
    """

    indices: np.ndarray
    rows: list[Packed]

    @property
    def computed(self) -> int:
        """Tokens of the rows, padding included."""
        return sum(len(row.inputs) for row in self.rows)


class Loader:
    """Rows for one rank.

    Args:
        config: the recipe.
        seed: the experiment's seed.
        ranks: the processes that share the rows.
    """

    def __init__(self, config: TrainingConfig, seed: int, ranks: Ranks):
        self.config, self.seed, self.ranks = config, seed, ranks
        self.prefetch = ranks.device.type == "cuda"

    def batches(self, tokens: Ragged, first: int, last: int) -> AbstractContextManager[Iterator[Batch]]:
        """The batches of optimizer steps `first` (from 0) up to `last`, which is left out."""
        return self._ahead(self._batches(tokens, first, last))

    def rows(self, tokens: Ragged) -> AbstractContextManager[Iterator[Packed]]:
        """This rank's rows of a whole split."""
        return self._ahead(self._rows(tokens, np.arange(len(tokens))))

    def _batches(self, tokens: Ragged, first: int, last: int) -> Iterator[Batch]:
        utterances = self.config.batch_utterances
        epoch, index = divmod(first, steps_per_epoch(len(tokens), utterances))
        while first < last:
            for indices in epoch_batches(tokens, utterances, self.seed, epoch)[index:][: last - first]:
                yield Batch(indices, list(self._rows(tokens, indices)))
                first += 1
            epoch, index = epoch + 1, 0

    def _rows(self, tokens: Ragged, indices: np.ndarray) -> Iterator[Packed]:
        device, row_tokens = self.ranks.device.type, self.config.row_tokens
        if device == "cpu" and self.ranks.size == 1:
            yield from micro_batches(tokens, indices, row_tokens)
            return
        for row in balanced_rows(tokens.lengths[indices], self.ranks.size, row_tokens)[self.ranks.rank]:
            packed = build_row(tokens, indices[row], BUCKETS[device])
            yield packed.pinned() if device == "cuda" else packed

    def _ahead(self, items: Iterator[Item]) -> AbstractContextManager[Iterator[Item]]:
        return Prefetcher(items) if self.prefetch else nullcontext(items)
