"""Muon: momentum whose matrices are orthogonalised before they are added to the weights.

Jordan et al. (2024, https://kellerjordan.github.io/posts/muon/) describe the method; the size of an update is that of
Liu et al. (2025, arXiv:2502.16982, section 2.2), with which Muon takes AdamW's learning rate and weight decay.
torch.optim.Muon computes the same, a matrix at a time and always in bf16. Here all matrices of a shape are one batch
of products, which takes half of the time in the miniature (benchmarks/muon.py), and in fp32 where the training is.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

MOMENTUM = 0.95
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)  # Jordan et al.: the steepest slope at 0 that still converges
ITERATIONS = 5
RMS_OF_ADAMW = 0.2  # root mean square of AdamW's update over its learning rate (Liu et al., section 2.2)


def orthogonalised(matrices: torch.Tensor) -> torch.Tensor:
    """About the nearest semi-orthogonal matrix of each: singular values between 0.7 and 1.2 instead of 1.

    Args:
        matrices: [B, m, n] with m <= n; the products are in its type.

    Returns:
        The same shape and type.
    """
    a, b, c = NEWTON_SCHULZ
    x = matrices / torch.linalg.matrix_norm(matrices, keepdim=True).clamp_min(1e-7)
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum and decoupled weight decay, for matrices alone.

    The state of a parameter is its momentum, `momentum_buffer`, as in torch.optim.Muon.
    """

    def __init__(
        self, params: Iterable[Any], *, lr: float, weight_decay: float = 0.0, dtype: torch.dtype = torch.bfloat16
    ):
        """Take parameters or groups of them; `dtype` is that of the orthogonalisation's products.

        Raises:
            ValueError: a parameter is not a matrix.
        """
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})
        self.dtype = dtype
        for group in self.param_groups:
            if any(p.dim() != 2 for p in group["params"]):
                raise ValueError("Muon updates matrices only; give all other parameters to AdamW")

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every matrix from its gradient."""
        for group in self.param_groups:
            batches: dict[tuple[int, ...], list[nn.Parameter]] = {}
            for p in group["params"]:
                batches.setdefault(tuple(sorted(p.shape)), []).append(p)
            for shape, parameters in batches.items():
                updates = orthogonalised(torch.stack([self._direction(p) for p in parameters])).float()
                size = group["lr"] * RMS_OF_ADAMW * max(shape) ** 0.5
                for p, update in zip(parameters, updates, strict=True):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(_wide(p, update), alpha=-size)

    def _direction(self, p: nn.Parameter) -> torch.Tensor:
        """The momentum after this gradient, looked ahead (Nesterov), [m, n] with m <= n."""
        if p.grad is None:
            raise ValueError("Muon: a parameter has no gradient")
        state = self.state[p]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(p)
        momentum = state["momentum_buffer"].lerp_(p.grad, 1 - MOMENTUM)
        return _wide(p, p.grad.lerp(momentum, MOMENTUM)).to(self.dtype)


def _wide(p: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """The matrix, turned if p has more rows than columns."""
    return matrix.mT if p.shape[0] > p.shape[1] else matrix
