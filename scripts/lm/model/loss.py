"""The output head's loss, without all logits of a long row in memory at once."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

LOGIT_BYTES = 2**28  # float32 logits that are held at once: 32,768 tokens with a vocabulary of 2048


def token_loss(head: nn.Linear, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Sum of the cross-entropy over tokens in nats, float32 [].

    Args:
        head: without bias, V outputs.
        hidden: [N, H].
        targets: int64 [N]; -100 (`cross_entropy`'s `ignore_index`) in padding.
    """
    chunk = max(1, LOGIT_BYTES // (4 * head.out_features))
    if len(hidden) <= chunk:
        return _cross_entropy(head(hidden), targets)
    if not torch.is_grad_enabled():
        chunks = zip(hidden.split(chunk), targets.split(chunk), strict=True)
        return torch.stack([_cross_entropy(head(rows), answers) for rows, answers in chunks]).sum()
    device = hidden.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
    return _ChunkedLoss.apply(hidden, head.weight, targets, chunk, dtype)


def _cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return F.cross_entropy(logits.float(), targets, reduction="sum")


class _ChunkedLoss(torch.autograd.Function):
    """The loss of some tokens at a time, with its gradient in the forward pass: logits are computed once.

    The method of Liger Kernel's fused linear cross entropy (Hsu et al., 2024, arXiv:2410.10989, section 3.2).
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, chunk: int, dtype: torch.dtype
    ) -> torch.Tensor:
        cast_weight = weight.detach().to(dtype).requires_grad_()
        losses, d_hidden = [], []
        d_weight = torch.zeros_like(weight)
        for rows, answers in zip(hidden.detach().split(chunk), targets.split(chunk), strict=True):
            inputs = rows.to(dtype).requires_grad_()
            with torch.enable_grad():
                loss = _cross_entropy(F.linear(inputs, cast_weight), answers)
            d_inputs, d_chunk = torch.autograd.grad(loss, (inputs, cast_weight))
            losses.append(loss.detach())
            d_hidden.append(d_inputs.to(hidden.dtype))
            d_weight += d_chunk
        ctx.save_for_backward(torch.cat(d_hidden), d_weight)
        return torch.stack(losses).sum()

    @staticmethod
    def backward(ctx: Any, d_loss: torch.Tensor) -> Any:
        d_hidden, d_weight = ctx.saved_tensors
        return d_hidden * d_loss, d_weight * d_loss, None, None, None
