"""The tuned lens: an affine map per layer, fitted on train, before the final norm and the output head.

The hidden states of early layers have another basis than the output head expects, so the plain projection (layers.py)
underestimates them. Here every layer but the last has a map x -> x + A x + b, fitted on `evaluation.lens_tokens` tokens
of train, as many in every modality, to minimise the Kullback-Leibler divergence of the resulting predictions from those
of the model; the divergence is measured on dev. The weights of the model are fixed. An affine map can change the basis
of the states but cannot model language by itself. Source: the tuned lens, Belrose et al. 2023 (arXiv:2303.08112),
sections 3 and 3.1; Adam instead of SGD.
"""

import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from transformers import PreTrainedModel

from scripts.common.progress import Progress
from scripts.common.ragged import Ragged
from scripts.common.seeds import derive, generator

ROWS, ROW_TOKENS = 64, 4096  # maxima of one forward pass
MEASURED_TOKENS = 5_000  # maximum of dev that the divergence is measured on
STEPS, BATCH, LEARNING_RATE = 200, 1024, 2e-3


class Affine(nn.Module):
    """x -> x + A x + b, initialised as the identity."""

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
    """Output of every layer at every token but the last of sequences BOS ... EOS, float32 [1 + layers, N, H].

    Sequences of similar length share a forward pass, padded at their end, which no token before it attends to; the
    states are in the order of length.
    """
    count = int(tokens.lengths.sum()) - len(tokens)
    width, layers = model.config.hidden_size, model.config.num_hidden_layers
    states = torch.empty(1 + layers, count, width, device=model.device)
    inputs = sorted((torch.from_numpy(ids[:-1].astype("int64")) for ids in tokens), key=len)
    done = 0
    while inputs:
        rows = max(1, ROW_TOKENS // len(inputs[min(len(inputs), ROWS) - 1]))
        batch, inputs = inputs[: min(rows, ROWS)], inputs[min(rows, ROWS) :]
        padded = nn.utils.rnn.pad_sequence(batch, batch_first=True).to(model.device)  # [B, T]
        real = torch.arange(padded.shape[1]) < torch.tensor([len(ids) for ids in batch])[:, None]
        count = int(real.sum())
        output = model.base_model(input_ids=padded, output_hidden_states=True, use_cache=False)
        for layer, state in enumerate(output.hidden_states):
            states[layer, done : done + count] = state[real.to(model.device)]
        done += count
    return states


def divergence(model: PreTrainedModel, states: torch.Tensor, final: torch.Tensor) -> torch.Tensor:
    """Mean Kullback-Leibler divergence in nats of predictions from states [N, H] from those of final [N, H]."""
    head, norm = model.get_output_embeddings(), model.base_model.norm
    layer_logprobs = torch.log_softmax(head(norm(states)), dim=-1)
    model_logprobs = torch.log_softmax(head(final), dim=-1)  # the last hidden states have passed the final norm
    return F.kl_div(layer_logprobs, model_logprobs, log_target=True, reduction="batchmean")


@torch.no_grad()
def mean_divergence(model: PreTrainedModel, states: torch.Tensor, final: torch.Tensor, affine: nn.Module) -> float:
    """`divergence` of all states [N, H] through a map, in blocks, since N times the vocabulary takes gigabytes."""
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


def tokens_of(tokens: Ragged, limit: int, seed: int) -> Ragged:
    """Sequences drawn by the seed with `limit` tokens after BOS, the last one cut; all of them if they hold fewer."""
    order = generator(seed, "evaluation", "tuned").permutation(len(tokens))
    predicted = np.cumsum(tokens.lengths[order] - 1)
    chosen = order[: np.searchsorted(predicted, limit) + 1]
    sequences = [tokens[i] for i in chosen]
    if (surplus := int(predicted[len(chosen) - 1]) - limit) > 0:
        sequences[-1] = sequences[-1][:-surplus]
    return Ragged.join(tokens.ids[chosen].tolist(), sequences)


def fit_lens(model: PreTrainedModel, train: Ragged, dev: Ragged, limit: int, seed: int, modality: str) -> list[Affine]:
    """Fit the maps of a modality's model on `limit` tokens of train; prints the divergence on dev before and after."""
    states = hidden_states(model, tokens_of(train, limit, seed))
    if states.shape[1] < limit:
        print(
            f"{modality}: train holds {states.shape[1]:,} tokens, fewer than evaluation.lens_tokens ({limit:,});"
            " the tuned lens is fitted on all of them",
            file=sys.stderr,
        )
    maps = fit(model, states, STEPS, derive(seed, "evaluation", "tuned", modality), f"{modality}/tuned")
    del states
    measured = hidden_states(model, tokens_of(dev, MEASURED_TOKENS, seed))
    plain = [mean_divergence(model, state, measured[-1], nn.Identity()) for state in measured[:-1]]
    tuned = [mean_divergence(model, state, measured[-1], affine) for affine, state in zip(maps, measured, strict=False)]
    changes = ", ".join(f"{before:.2f} to {after:.2f}" for before, after in zip(plain, tuned, strict=True))
    print(
        f"{modality}: divergence from the model in nats per token of dev by layer, before and after: {changes}",
        file=sys.stderr,
    )
    return maps
