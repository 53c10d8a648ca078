"""The layer analysis with a small affine map per layer, fitted on dev: the tuned lens.

An early layer writes its knowledge in coordinates of its own, which the output head cannot read: the plain projection
(layers.py) then says that nothing is known there. Here every layer but the last gets x -> x + A x + b before the final
norm and the head, fitted so that what the head then predicts is as near as can be to what the whole model predicts
(Kullback-Leibler divergence) on dev, whose texts no pair comes from. The model's own weights stay as they are. A map
this small can translate what a layer knows but learns no language by itself.
Source: the tuned lens, Belrose et al. 2023 (arXiv:2303.08112), sections 3 and 3.1; Adam instead of SGD.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.common.progress import Progress
from scripts.common.ragged import Ragged, load_bin
from scripts.common.seeds import derive, generator
from scripts.evaluation.items import add_task_arguments, read_tasks
from scripts.evaluation.layers import COLUMNS, Config, table
from scripts.evaluation.ngram import sample
from scripts.evaluation.scoring import load_model, score_layers

FIT_TOKENS = 50_000  # of dev, at most
STEPS, BATCH, LEARNING_RATE = 200, 1024, 2e-3
Maps = list[Callable[[torch.Tensor], torch.Tensor]]


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
    """What every layer says at every token of sequences BOS ... EOS but the last, float32 [1 + layers, N, H]."""
    found = []
    for ids in tokens:
        row = torch.from_numpy(ids.astype("int64"))[None, :-1].to(model.device)
        output = model(input_ids=row, output_hidden_states=True, use_cache=False)
        found.append(torch.stack([state[0] for state in output.hidden_states]))
    return torch.cat(found, dim=1)


def divergence(model: PreTrainedModel, states: torch.Tensor, final: torch.Tensor) -> torch.Tensor:
    """Mean Kullback-Leibler divergence in nats of the head's reading of states [N, H] from that of final [N, H]."""
    head, norm = model.get_output_embeddings(), model.base_model.norm
    theirs = torch.log_softmax(head(norm(states)), dim=-1)
    ours = torch.log_softmax(head(final), dim=-1)  # the last hidden state is normed already
    return F.kl_div(theirs, ours, log_target=True, reduction="batchmean")


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


def main() -> None:
    """Command line of rule evaluation_tuned."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--model", required=True, type=Path, help="AutoModelForCausalLM folder")
    parser.add_argument("--dev", required=True, type=Path, help="dev tokens (.bin) that the maps are fitted on")
    add_task_arguments(parser)
    parser.add_argument("--config", required=True, type=lambda text: Config(**json.loads(text)))
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    config, seed, modality = arguments.config, arguments.seed, arguments.modality
    tasks = list(read_tasks(arguments))
    model = load_model(arguments.model, config.threads)
    dev = sample(load_bin(arguments.dev), FIT_TOKENS, generator(seed, "evaluation", "tuned"))
    states = hidden_states(model, dev)
    maps = fit(model, states, STEPS, derive(seed, "evaluation", "tuned", modality), f"{modality}/tuned")
    with torch.no_grad():
        plain = [float(divergence(model, state, states[-1])) for state in states[:-1]]
        tuned = [float(divergence(model, a(s), states[-1])) for a, s in zip(maps, states, strict=False)]
    told = ", ".join(f"{before:.2f} to {after:.2f}" for before, after in zip(plain, tuned, strict=True))
    print(f"{modality}: nats per token from the whole model by layer, before and after: {told}", file=sys.stderr)
    for task in tasks:
        logprobs = score_layers(model, task.tokens, config.batch_tokens, f"{modality}/{task.name}", maps)
        rows = table(task.items, task.tokens, logprobs, config, seed)
        write_csv(task.out, COLUMNS, rows)
        by_layer = " ".join(f"{100 * row['value']:.1f}" for row in rows)
        print(f"{modality}/{task.name}: % by layer {by_layer}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
