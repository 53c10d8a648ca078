"""The layer analysis with a small affine map per layer, fitted on dev: the tuned lens.

An early layer writes its knowledge in coordinates of its own, which the output head cannot read: the plain projection
(layers.py) then says that nothing is known there. Here every layer but the last gets x -> x + A x + b before the final
norm and the head, fitted so that what the head then predicts is as near as can be to what the whole model predicts
(Kullback-Leibler divergence) on dev, whose texts no pair comes from. The model's own weights stay as they are. A map
this small can translate what a layer knows but learns no language by itself.
Source: the tuned lens, Belrose et al. 2023 (arXiv:2303.08112), sections 3 and 3.1; Adam instead of SGD.
"""

import sys

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from scripts.common.progress import Progress
from scripts.common.ragged import Ragged
from scripts.common.seeds import derive, generator
from scripts.evaluation.ngram import sample

FIT_TOKENS = 50_000  # of dev, at most
STEPS, BATCH, LEARNING_RATE = 200, 1024, 2e-3


class Affine(nn.Module):
    """x -> x + A x + b, at first the identity."""

    def __init__(self, width: int):
        super().__init__()
        self.change = nn.Linear(width, width)
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """[..., H] to [..., H]."""
        return hidden + self.change(hidden)


@torch.no_grad()
def hidden_states(model: PreTrainedModel, tokens: Ragged) -> torch.Tensor:
    """The output of every layer at every token of sequences BOS ... EOS but the last, float32 [1 + layers, N, H]."""
    count = int(tokens.lengths.sum()) - len(tokens)
    width, layers = model.config.hidden_size, model.config.num_hidden_layers
    states = torch.empty(1 + layers, count, width, device=model.device)
    done = 0
    for ids in tokens:
        row = torch.from_numpy(ids.astype("int64"))[None, :-1].to(model.device)
        output = model(input_ids=row, output_hidden_states=True, use_cache=False)
        for layer, state in enumerate(output.hidden_states):
            states[layer, done : done + row.shape[1]] = state[0]
        done += row.shape[1]
    return states


def divergence(model: PreTrainedModel, states: torch.Tensor, final: torch.Tensor) -> torch.Tensor:
    """Mean Kullback-Leibler divergence in nats of the head's reading of states [N, H] from that of final [N, H]."""
    head, norm = model.get_output_embeddings(), model.base_model.norm
    theirs = torch.log_softmax(head(norm(states)), dim=-1)
    ours = torch.log_softmax(head(final), dim=-1)  # the last hidden state is normed already
    return F.kl_div(theirs, ours, log_target=True, reduction="batchmean")


@torch.no_grad()
def distance(model: PreTrainedModel, states: torch.Tensor, final: torch.Tensor, affine: nn.Module) -> float:
    """`divergence` of all states [N, H] through a map, in blocks: N times the vocabulary would be gigabytes."""
    blocks = zip(states.split(BATCH), final.split(BATCH), strict=True)
    return sum(len(ends) * float(divergence(model, affine(block), ends)) for block, ends in blocks) / len(states)


def fit(model: PreTrainedModel, states: torch.Tensor, steps: int, seed: int, name: str) -> list[Affine]:
    """One map per layer but the last, from states [1 + layers, N, H]."""
    model.requires_grad_(False)
    torch.manual_seed(seed)
    maps = [Affine(states.shape[-1]).to(states.device) for _ in states[:-1]]
    optimizer = torch.optim.Adam([p for affine in maps for p in affine.parameters()], lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps)
    progress = Progress(name, steps, "steps")
    for step in range(1, steps + 1):
        chosen = torch.randint(states.shape[1], (BATCH,)).to(states.device)
        final = states[-1, chosen]
        losses = [divergence(model, affine(state[chosen]), final) for affine, state in zip(maps, states, strict=False)]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()
        optimizer.step()
        schedule.step()
        progress.update(step)
    return [affine.eval() for affine in maps]


def fit_on(model: PreTrainedModel, dev: Ragged, seed: int, modality: str) -> list[Affine]:
    """The maps of a modality's model from at most FIT_TOKENS of dev; tells how near the layers came to the model."""
    states = hidden_states(model, sample(dev, FIT_TOKENS, generator(seed, "evaluation", "tuned")))
    maps = fit(model, states, STEPS, derive(seed, "evaluation", "tuned", modality), f"{modality}/tuned")
    plain = [distance(model, state, states[-1], nn.Identity()) for state in states[:-1]]
    tuned = [distance(model, state, states[-1], affine) for affine, state in zip(maps, states, strict=False)]
    changes = ", ".join(f"{before:.2f} to {after:.2f}" for before, after in zip(plain, tuned, strict=True))
    print(f"{modality}: nats per token from the whole model by layer, before and after: {changes}", file=sys.stderr)
    return maps
