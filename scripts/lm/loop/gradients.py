"""The gradient of one step's loss, over the rows of this rank and over all ranks.

Notable: every number of ranks sums the same losses over the same tokens; ranks exchange gradients (DDP) with the
last row of a step only. Nothing here waits for the device.
"""

import inspect
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from transformers import LlamaForCausalLM

from scripts.lm.batching.batches import Packed
from scripts.lm.distributed.ranks import Ranks
from scripts.lm.model.llama import mixed_precision, packed_loss

# DDP's argument for the exchange of buffers before every forward pass, from torch 2.12 on, and before.
BUFFER_OPTIONS = ("forward_sync_buffers", "broadcast_buffers")


class _Loss(nn.Module):
    """The loss as a module, because DDP wraps modules."""

    def __init__(self, model: LlamaForCausalLM):
        super().__init__()
        self.model = model

    def forward(self, packed: Packed) -> torch.Tensor:
        return packed_loss(self.model, packed)


class Gradients:
    """Forward and backward passes of a model; in a process group its weights become rank 0's.

    Args:
        model: on this rank's device.
        precision: of the products, "bf16" or "fp32".
        ranks: the processes that share the work.
    """

    def __init__(self, model: LlamaForCausalLM, precision: str, ranks: Ranks):
        self.model, self.precision, self.ranks = model, precision, ranks
        self.loss: nn.Module = _Loss(model)
        if ranks.distributed:
            parameters = inspect.signature(DistributedDataParallel).parameters
            buffers = {next(name for name in BUFFER_OPTIONS if name in parameters): False}
            self.loss = DistributedDataParallel(self.loss, gradient_as_bucket_view=True, **buffers)  # type: ignore[arg-type]

    def add(self, rows: list[Packed], count: int) -> torch.Tensor:
        """Add the gradient of a step's mean loss per token to the model's, which is then the same on every rank.

        Args:
            rows: this rank's, at least one.
            count: predicted tokens of the step, over all ranks.

        Returns:
            Sum of this rank's losses in nats, float64 [] on the device.
        """
        total = torch.zeros((), dtype=torch.float64, device=self.ranks.device)
        self.model.train()
        with self._mixed_precision():
            for packed in rows:
                with nullcontext() if packed is rows[-1] else self._without_exchange():
                    loss = self.loss(packed.to(self.ranks.device))
                    # DDP takes the mean over the ranks; the sum is wanted.
                    (loss * self.ranks.size / count).backward()
                total += loss.detach()
        return total

    def loss_sum(self, rows: Iterable[Packed]) -> torch.Tensor:
        """Sum of the losses of these rows in nats, without gradients, float64 [] on the device."""
        total = torch.zeros((), dtype=torch.float64, device=self.ranks.device)
        self.model.eval()
        with torch.no_grad(), self._mixed_precision():
            for packed in rows:
                total += packed_loss(self.model, packed.to(self.ranks.device))
        return total

    def _without_exchange(self) -> AbstractContextManager[None]:
        return self.loss.no_sync() if self.ranks.distributed else nullcontext()  # type: ignore[operator]

    def _mixed_precision(self) -> AbstractContextManager[None]:
        return mixed_precision(self.model, self.ranks.device, self.precision == "bf16")
