"""AdamW, or Muon for the layers' matrices and AdamW for the rest; their moments are divided among the ranks.

Every rank has all gradients but keeps the moments of some parameters only and updates those; one exchange then gives
every rank all parameters (ZeRO's first stage, Rajbhandari et al., 2020, arXiv:1910.02054): with AdamW, of 16 bytes per
parameter 8 are divided by the number of ranks. The weights are the same as without, since AdamW treats each parameter
by itself and Muon each matrix. A state holds the whole optimizer in torch's form, whatever the number of ranks, so that
a run can be continued with another number. PyTorch's ZeroRedundancyOptimizer does the same but sends a message per
parameter after each step, and pickles all moments through every rank for each state.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from scripts.lm.config import TrainingConfig
from scripts.lm.distributed.partition import partition
from scripts.lm.distributed.ranks import Ranks
from scripts.lm.loop.muon import Muon

MOMENTS = {"adamw": ("exp_avg", "exp_avg_sq"), "muon": ("momentum_buffer",)}
_all_gather = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor  # the name since torch 2.13


@dataclass
class Part:
    """A torch optimizer and the parameters that it updates."""

    optimizer: torch.optim.Optimizer
    """has this rank's parameters only"""
    first: int
    """place of the first parameter in `Optimizer.parameters`, of all ranks"""
    group_sizes: list[int]
    """parameters of each group, of all ranks"""
    moments: tuple[str, ...]
    """tensors of a parameter's state that have its shape"""

    @property
    def indices(self) -> range:
        return range(self.first, self.first + sum(self.group_sizes))


def parameter_groups(model: nn.Module, config: TrainingConfig) -> dict[str, list[dict[str, Any]]]:
    """Groups of parameters by the optimizer that updates them: muon (where configured) and adamw.

    Muon has the matrices of the layers. Weight decay is on the matrices of the layers and of the output, not on
    embeddings and norms.
    """
    layers: list[nn.Parameter] = []
    output: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, p in model.named_parameters():
        decayed = p.dim() == 2 and "embed_tokens" not in name
        (others if not decayed else output if "lm_head" in name else layers).append(p)
    if config.optimizer == "muon":
        return {
            "muon": [{"params": layers, "weight_decay": config.weight_decay}],
            "adamw": [
                {"params": output, "weight_decay": config.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
        }
    return {
        "adamw": [
            {"params": layers + output, "weight_decay": config.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]
    }


class Optimizer:
    """AdamW, or Muon and AdamW, over all ranks; with one rank AdamW is torch's own."""

    def __init__(self, model: nn.Module, config: TrainingConfig, ranks: Ranks):
        groups = parameter_groups(model, config)
        self.ranks = ranks
        self.updates = 0  # steps done
        self.parameters: list[nn.Parameter] = [p for part in groups.values() for group in part for p in group["params"]]
        self.owners = partition(np.array([p.numel() for p in self.parameters]), ranks.size)
        self.parts: dict[str, Part] = {}
        first = 0
        for name, part in groups.items():
            sizes = [len(group["params"]) for group in part]
            self.parts[name] = Part(self._torch_optimizer(name, part, config), first, sizes, MOMENTS[name])
            first += sum(sizes)

    def _torch_optimizer(
        self, name: str, groups: list[dict[str, Any]], config: TrainingConfig
    ) -> torch.optim.Optimizer:
        owned = {id(p) for p in self._owned_by(self.ranks.rank)}
        own = [{**group, "params": [p for p in group["params"] if id(p) in owned]} for group in groups]
        if name == "muon":
            dtype = torch.bfloat16 if config.precision == "bf16" else torch.float32
            return Muon(own, lr=config.learning_rate, dtype=dtype)
        return torch.optim.AdamW(own, lr=config.learning_rate, betas=config.betas, fused=True)

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
        for part in self.parts.values():
            for group in part.optimizer.param_groups:
                group["lr"] = learning_rate
            part.optimizer.step()
        self.updates += 1
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
        """The whole state in torch's form, by optimizer, complete on rank 0; all ranks call it together."""
        parts = {name: self._whole(part) for name, part in self.parts.items()}
        return {"updates": self.updates, **parts}

    def _whole(self, part: Part) -> dict[str, Any]:
        """The state of a part with the parameters of all ranks, tensors on their device."""
        if not self.ranks.distributed:
            return dict(part.optimizer.state_dict())
        moments = {name: self._gather_moment(part, name) for name in part.moments}
        state: dict[int, dict[str, torch.Tensor]] = {}
        if self.ranks.is_main:
            step = {"step": torch.tensor(float(self.updates))} if isinstance(part.optimizer, torch.optim.AdamW) else {}
            state = {
                index - part.first: {**{name: moments[name][index] for name in part.moments}, **step}
                for index in part.indices
            }
        groups, first = [], 0
        for group, size in zip(part.optimizer.state_dict()["param_groups"], part.group_sizes, strict=True):
            groups.append({**group, "params": list(range(first, first + size))})
            first += size
        return {"state": state, "param_groups": groups}

    def _gather_moment(self, part: Part, name: str) -> dict[int, torch.Tensor]:
        """One moment of a part's parameters on rank 0, by their place; each rank sends its own in one message."""
        gathered: dict[int, torch.Tensor] = {}
        for rank in range(self.ranks.size):
            indices = [index for index in part.indices if self.owners[index] == rank]
            parameters = [self.parameters[index] for index in indices]
            own = [part.optimizer.state[p][name] for p in parameters] if rank == self.ranks.rank else []
            if rank == 0:
                tensors = own
            elif not parameters or self.ranks.rank not in (0, rank):
                continue
            else:
                flat = parameters[0].detach().new_empty(sum(p.numel() for p in parameters))
                tensors = _views(flat, parameters)
                if rank == self.ranks.rank:
                    _copy(own, tensors, to_views=True)
                    dist.send(flat, 0)
                else:
                    dist.recv(flat, rank)
            gathered |= dict(zip(indices, tensors, strict=False))
        return gathered

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take this rank's part of a whole state."""
        self.updates = state["updates"]
        for name, part in self.parts.items():
            owned = [index - part.first for index in part.indices if self.owners[index] == self.ranks.rank]
            local = {index: position for position, index in enumerate(owned)}
            groups = [
                {**group, "params": [local[index] for index in group["params"] if index in local]}
                for group in state[name]["param_groups"]
            ]
            moments = {local[index]: value for index, value in state[name]["state"].items() if index in local}
            part.optimizer.load_state_dict({"state": moments, "param_groups": groups})


def _views(flat: torch.Tensor, parameters: list[nn.Parameter]) -> list[torch.Tensor]:
    """Parts of a flat tensor in the shapes of these parameters, one after another."""
    sizes = [p.numel() for p in parameters]
    parts = flat[: sum(sizes)].split(sizes)
    return [part.view_as(p) for part, p in zip(parts, parameters, strict=True)]


def _copy(tensors: Any, views: list[torch.Tensor], *, to_views: bool) -> None:
    """Copy between tensors and as many views of a flat one; in few kernels on a GPU."""
    if views:
        torch._foreach_copy_(views if to_views else list(tensors), list(tensors) if to_views else views)
