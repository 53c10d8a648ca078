"""AdamW, its moments divided among the ranks.

Notable: every rank has all gradients but keeps the moments of some parameters only and updates those; one exchange
then gives every rank all parameters (ZeRO's first stage, Rajbhandari et al., 2020, arXiv:1910.02054): of 16 bytes per
parameter, 8 are divided by the number of ranks. The weights are the same as without, since AdamW treats each
parameter by itself. A state holds the whole optimizer in torch's form, whatever the number of ranks, so that a run
can be continued with another number. PyTorch's ZeroRedundancyOptimizer does the same but sends a message per parameter
after each step, and pickles all moments through every rank for each state.
"""

from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from scripts.lm.config import TrainingConfig
from scripts.lm.distributed.partition import partition
from scripts.lm.distributed.ranks import Ranks

MOMENTS = ("exp_avg", "exp_avg_sq")
_all_gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor  # the name since torch 2.13


def parameter_groups(model: nn.Module, config: TrainingConfig) -> list[dict[str, Any]]:
    """Weight decay on the linear layers' matrices only, not on embeddings and norms."""
    decayed = [p for name, p in model.named_parameters() if p.dim() == 2 and "embed_tokens" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() != 2 or "embed_tokens" in name]
    return [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


class Optimizer:
    """AdamW over all ranks; with one rank it is torch's own."""

    def __init__(self, model: nn.Module, config: TrainingConfig, ranks: Ranks):
        groups = parameter_groups(model, config)
        self.ranks = ranks
        self.group_sizes = [len(group["params"]) for group in groups]
        self.parameters: list[nn.Parameter] = [p for group in groups for p in group["params"]]
        self.owners = partition(np.array([p.numel() for p in self.parameters]), ranks.size)
        owned = {id(p) for p in self._owned_by(ranks.rank)}
        for group in groups:
            group["params"] = [p for p in group["params"] if id(p) in owned]
        self.adamw = torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)

    def _owned_by(self, rank: int) -> list[nn.Parameter]:
        return [p for p, owner in zip(self.parameters, self.owners, strict=True) if owner == rank]

    def zero_grad(self) -> None:
        """Drop the gradients; in a process group fill them with 0, because they are views of DDP's buckets."""
        if not self.ranks.distributed:
            for parameter in self.parameters:
                parameter.grad = None
        elif gradients := [p.grad for p in self.parameters if p.grad is not None]:
            torch._foreach_zero_(gradients)

    def step(self, learning_rate: float) -> None:
        """Update every parameter from its gradient, which is the same on all ranks."""
        for group in self.adamw.param_groups:
            group["lr"] = learning_rate
        self.adamw.step()
        if self.ranks.distributed:
            self._all_gather_parameters()

    @torch.no_grad()
    def _all_gather_parameters(self) -> None:
        """Give every rank all parameters in one exchange of 4 bytes per parameter, from and to a flat copy.

        The copy (all parameters, and this rank's part again) lives when no activations do.
        """
        owned = [self._owned_by(rank) for rank in range(self.ranks.size)]
        longest = max(sum(p.numel() for p in parameters) for parameters in owned)
        gathered = self.parameters[0].new_empty(self.ranks.size, longest)
        own = gathered.new_zeros(longest)
        _copy(owned[self.ranks.rank], _views(own, owned[self.ranks.rank]), to_views=True)
        _all_gather(gathered.view(-1), own)
        for rank, parameters in enumerate(owned):
            if rank != self.ranks.rank:
                _copy(parameters, _views(gathered[rank], parameters), to_views=False)

    def state_dict(self) -> dict[str, Any]:
        """The whole state in AdamW's form, complete on rank 0, tensors on its device; all ranks call it together."""
        if not self.ranks.distributed:
            return dict(self.adamw.state_dict())
        moments = {name: self._gather_moment(name) for name in MOMENTS}
        state: dict[int, dict[str, torch.Tensor]] = {}
        if self.ranks.is_main:
            step = next(iter(self.adamw.state.values()))["step"]  # every parameter has taken every step
            state = {
                index: {**{name: moments[name][index] for name in MOMENTS}, "step": step}
                for index in range(len(self.parameters))
            }
        groups, first = [], 0
        for group, size in zip(self.adamw.state_dict()["param_groups"], self.group_sizes, strict=True):
            groups.append({**group, "params": list(range(first, first + size))})
            first += size
        return {"state": state, "param_groups": groups}

    def _gather_moment(self, name: str) -> dict[int, torch.Tensor]:
        """One moment of all parameters on rank 0, by their number; each rank sends its part in one message."""
        gathered: dict[int, torch.Tensor] = {}
        for rank in range(self.ranks.size):
            indices = np.flatnonzero(self.owners == rank).tolist()
            parameters = [self.parameters[index] for index in indices]
            own = [self.adamw.state[p][name] for p in parameters] if rank == self.ranks.rank else []
            if rank == 0:
                parts = own
            elif not parameters or self.ranks.rank not in (0, rank):
                continue
            else:
                flat = parameters[0].detach().new_empty(sum(p.numel() for p in parameters))
                parts = _views(flat, parameters)
                if rank == self.ranks.rank:
                    _copy(own, parts, to_views=True)
                    dist.send(flat, 0)
                else:
                    dist.recv(flat, rank)
            gathered |= dict(zip(indices, parts, strict=False))
        return gathered

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take this rank's part of a whole state."""
        indices = np.flatnonzero(self.owners == self.ranks.rank).tolist()
        local = {index: position for position, index in enumerate(indices)}
        groups = [
            {**group, "params": [local[index] for index in group["params"] if index in local]}
            for group in state["param_groups"]
        ]
        moments = {local[index]: value for index, value in state["state"].items() if index in local}
        self.adamw.load_state_dict({"state": moments, "param_groups": groups})


def _views(flat: torch.Tensor, parameters: list[nn.Parameter]) -> list[torch.Tensor]:
    """Parts of a flat tensor in the shapes of these parameters, one after another."""
    sizes = [p.numel() for p in parameters]
    parts = flat[: sum(sizes)].split(sizes)
    return [part.view_as(p) for part, p in zip(parts, parameters, strict=True)]


def _copy(tensors: Any, views: list[torch.Tensor], *, to_views: bool) -> None:
    """Copy between tensors and as many views of a flat one; in few kernels on a GPU."""
    if views:
        torch._foreach_copy_(views if to_views else list(tensors), list(tensors) if to_views else views)
