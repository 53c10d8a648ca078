"""The gradient of one step's loss, over the rows of this rank and over all ranks.

Notable: a step's utterances are dealt over the ranks by their tokens, so every number of ranks sums the same
losses over the same tokens; ranks exchange gradients (DDP) with the last row of a step only.
"""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from transformers import LlamaForCausalLM

from scripts.common.ragged import Ragged
from scripts.lm.batches import Packed, filler, micro_batches
from scripts.lm.config import TrainingConfig
from scripts.lm.model import packed_loss
from scripts.lm.ranks import Ranks, deal


class _Loss(nn.Module):
    """A forward pass as DDP wants it: one module, one call."""

    def __init__(self, model: LlamaForCausalLM):
        super().__init__()
        self.model = model

    def forward(self, packed: Packed) -> torch.Tensor:
        return packed_loss(self.model, packed)


class Gradients:
    """Forward and backward passes of a model; with several ranks its weights become rank 0's.

    Args:
        model: on this rank's device.
        config: the recipe.
        ranks: who shares the work.
    """

    def __init__(self, model: LlamaForCausalLM, config: TrainingConfig, ranks: Ranks):
        self.model, self.config, self.ranks = model, config, ranks
        self.loss: nn.Module = _Loss(model)
        if ranks.size > 1:
            self.loss = DistributedDataParallel(self.loss, forward_sync_buffers=False, gradient_as_bucket_view=True)

    def add(self, tokens: Ragged, indices: np.ndarray) -> tuple[float, int]:
        """Add the gradient of these utterances' mean loss per token to the model's; the same on every rank.

        Args:
            tokens: of the split.
            indices: of the step's utterances, int64 [B], the same on every rank.

        Returns:
            Sum of the losses in nats, and how many tokens were computed, padding among them; over all ranks.
        """
        count = int(tokens.lengths[indices].sum() - len(indices))
        # A rank without an utterance computes a row of nothing: its gradient is 0, and the exchange needs it.
        rows = self._rows(tokens, indices) or [filler()]
        total, computed = 0.0, 0
        self.model.train()
        with self._autocast():
            for packed in rows:
                with self._exchanging(packed is rows[-1]):
                    loss = self.loss(packed.to(self.ranks.device))
                    # DDP takes the mean over ranks, where a sum is wanted.
                    (loss * self.ranks.size / count).backward()
                total += loss.item()
                computed += len(packed.inputs)
        total, all_computed = self.ranks.sum(total, computed)
        return total, int(all_computed)

    def mean_loss(self, tokens: Ragged) -> float:
        """Mean nats per token of a whole split, without gradients; the same on every rank."""
        total = 0.0
        self.model.eval()
        with torch.no_grad(), self._autocast():
            for packed in self._rows(tokens, np.arange(len(tokens))):
                total += packed_loss(self.model, packed.to(self.ranks.device)).item()
        return self.ranks.sum(total)[0] / int(tokens.lengths.sum() - len(tokens))

    def _rows(self, tokens: Ragged, indices: np.ndarray) -> list[Packed]:
        """This rank's share of the utterances, as rows."""
        if self.ranks.size > 1:
            indices = indices[deal(tokens.lengths[indices], self.ranks.size) == self.ranks.rank]
        return micro_batches(tokens, indices, self.config.row_tokens)

    def _exchanging(self, last: bool) -> AbstractContextManager[None]:
        return nullcontext() if last or self.ranks.size == 1 else self.loss.no_sync()  # type: ignore[operator]

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self.ranks.device.type, torch.bfloat16, enabled=self.config.precision == "bf16")
