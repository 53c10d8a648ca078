"""AdamW, its moments dealt over the ranks.

Notable: every rank has all gradients but keeps the moments of some parameters only and updates those, then hands them
out (ZeRO's first stage, Rajbhandari et al., 2020, arXiv:1910.02054): of 16 bytes per parameter, 8 are divided by the
number of ranks. The weights are the same as without, since AdamW treats each parameter by itself. A state holds the
whole optimizer as torch writes it, whatever the number of ranks, so that another number can go on. PyTorch's
ZeroRedundancyOptimizer does the same but pickles all moments through every rank for each state.
"""

from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from scripts.lm.config import TrainingConfig
from scripts.lm.ranks import Ranks, deal

MOMENTS = ("exp_avg", "exp_avg_sq")


def parameter_groups(model: nn.Module, config: TrainingConfig) -> list[dict[str, Any]]:
    """Weight decay on the linear layers' matrices only, not on embeddings and norms."""
    decayed = [p for name, p in model.named_parameters() if p.dim() == 2 and "embed_tokens" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() != 2 or "embed_tokens" in name]
    return [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]


class Optimizer:
    """AdamW over all ranks; with one rank it is torch's and nothing else."""

    def __init__(self, model: nn.Module, config: TrainingConfig, ranks: Ranks):
        groups = parameter_groups(model, config)
        self.ranks = ranks
        self.counts = [len(group["params"]) for group in groups]
        self.parameters: list[nn.Parameter] = [p for group in groups for p in group["params"]]
        self.owners = deal(np.array([p.numel() for p in self.parameters]), ranks.size)
        mine = {id(p) for p, owner in zip(self.parameters, self.owners, strict=True) if owner == ranks.rank}
        for group in groups:
            group["params"] = [p for p in group["params"] if id(p) in mine]
        self.mine = torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)

    def zero_grad(self) -> None:
        """Forget the gradients; with several ranks their memory is kept, it is where they are exchanged."""
        for parameter in self.parameters:
            if self.ranks.size == 1:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.zero_()

    def step(self, learning_rate: float) -> None:
        """Update every parameter from its gradient, which all ranks share."""
        for group in self.mine.param_groups:
            group["lr"] = learning_rate
        self.mine.step()
        if self.ranks.size > 1:
            pairs = zip(self.parameters, self.owners, strict=True)
            for work in [dist.broadcast(p.detach(), int(owner), async_op=True) for p, owner in pairs]:
                work.wait()

    def state_dict(self) -> dict[str, Any]:
        """The whole state in AdamW's form, complete on rank 0; all ranks must ask for it at once."""
        if self.ranks.size == 1:
            return dict(self.mine.state_dict())
        state: dict[int, dict[str, torch.Tensor]] = {}
        for index, (parameter, owner) in enumerate(zip(self.parameters, self.owners, strict=True)):
            own = self.mine.state.get(parameter, {})
            if owner == 0 == self.ranks.rank:
                state[index] = dict(own)
            elif owner == self.ranks.rank:
                for moment in MOMENTS:
                    dist.send(own[moment], 0)
            elif self.ranks.rank == 0:
                received = {moment: torch.empty_like(parameter) for moment in MOMENTS}
                for moment in MOMENTS:
                    dist.recv(received[moment], int(owner))
                state[index] = {moment: value.detach().cpu() for moment, value in received.items()}
        if self.ranks.rank == 0:
            step = next(iter(self.mine.state.values()))["step"]  # every parameter has taken every step
            state = {index: {**moments, "step": step} for index, moments in state.items()}
        groups, first = [], 0
        for group, count in zip(self.mine.state_dict()["param_groups"], self.counts, strict=True):
            groups.append({**group, "params": list(range(first, first + count))})
            first += count
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take this rank's part of a whole state."""
        own = [index for index, owner in enumerate(self.owners) if owner == self.ranks.rank]
        places = {index: place for place, index in enumerate(own)}
        groups = [
            {**group, "params": [places[index] for index in group["params"] if index in places]}
            for group in state["param_groups"]
        ]
        moments = {places[index]: value for index, value in state["state"].items() if index in places}
        self.mine.load_state_dict({"state": moments, "param_groups": groups})
