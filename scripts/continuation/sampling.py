"""Many continuations at once: batched sampling with a key-value cache.

Notable: rows of a batch are padded on the left; rows that have ended leave the batch once they are a quarter
of it; the cache grows in blocks, so a step copies nothing that was there before (transformers' own cache
copies itself at every token). Each row draws from a stream of its own: its tokens depend on its prompt, its
seed and the batch's shape, not on when another row ends. The chosen tokens come to the host at every step. On
a GPU that costs nothing: a step of a batch this small takes the host longer to launch than the GPU to compute,
so the GPU waits for the host with or without it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import Cache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from scripts.tokens.encoder import BOS, EOS, UNKNOWN

GROW = 128  # tokens that the cache grows by
LEAVE = 0.75  # share of a batch's rows that are still active; below it the others leave
ENDED, LIMIT = "eos", "limit"


@dataclass(frozen=True)
class Request:
    """One continuation to be made.

    Attributes:
        prompt: int64 [P], BOS first.
        limit: tokens it may have; it ends there if not before.
        uniform: float64 [limit], what its choices are drawn with.
    """

    prompt: np.ndarray
    limit: int
    uniform: np.ndarray


class GrowingLayer(DynamicLayer):
    """One layer's keys and values [B, heads, T, D] at the beginning of longer buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append [B, heads, t, D]; returns all that is held."""
        end = self.length + key_states.shape[-2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[..., :0, :], value_states[..., :0, :]
        if end > self.keys.shape[-2]:
            self.keys, self.values = (self._grown(x, end + GROW) for x in (self.keys, self.values))
        self.keys[..., self.length : end, :] = key_states
        self.values[..., self.length : end, :] = value_states
        self.length = end
        return self.keys[..., :end, :], self.values[..., :end, :]

    def _grown(self, held: torch.Tensor, size: int) -> torch.Tensor:
        bigger = held.new_empty(*held.shape[:-2], size, held.shape[-1])
        bigger[..., : self.length, :] = held[..., : self.length, :]
        return bigger

    def get_seq_length(self) -> int:
        """Tokens held."""
        return self.length


def choose_tokens(logits: torch.Tensor, uniform: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """One token per row by nucleus sampling (Holtzman et al. 2020, section 3.1).

    The nucleus is the smallest set of the likeliest tokens that together have `top_p`; the choice among
    them is the inverse of their distribution function at `uniform`.

    Args:
        logits: float32 [B, V].
        uniform: float [B], in [0, 1).
        temperature: logits are divided by it.
        top_p: in (0, 1].

    Returns:
        int64 [B].
    """
    shares, order = torch.softmax(logits.float() / temperature, dim=-1).sort(dim=-1, descending=True, stable=True)
    before = shares.cumsum(dim=-1) - shares
    kept = torch.where(before < top_p, shares, 0.0)  # [B, V]; the first is always kept
    cumulative = kept.cumsum(dim=-1)
    place = torch.searchsorted(cumulative, (uniform.to(cumulative.dtype) * cumulative[:, -1])[:, None], right=True)
    last = (kept > 0).sum(dim=-1, keepdim=True) - 1  # where rounding would go beyond
    return order.gather(-1, torch.minimum(place, last))[:, 0]


@torch.inference_mode()
def continue_batch(
    model: PreTrainedModel, requests: Sequence[Request], temperature: float, top_p: float
) -> list[tuple[list[int], str]]:
    """(tokens without BOS and EOS, why it ended) per request. <unk> and <s> are never sampled."""
    device = model.device
    longest = max(len(r.prompt) for r in requests)
    ids = torch.zeros(len(requests), longest, dtype=torch.int64)
    mask = torch.zeros(len(requests), longest, dtype=torch.int64)
    for row, request in enumerate(requests):
        ids[row, longest - len(request.prompt) :] = torch.from_numpy(request.prompt.astype(np.int64))
        mask[row, longest - len(request.prompt) :] = 1
    ids, mask = ids.to(device), mask.to(device)
    steps = max(r.limit for r in requests)
    draws = torch.zeros(len(requests), steps)
    for row, request in enumerate(requests):
        draws[row, : request.limit] = torch.from_numpy(request.uniform[: request.limit].astype(np.float32))
    draws = draws.to(device)
    positions = (mask.cumsum(dim=-1) - 1).clamp(min=0)
    cache = Cache(layers=[GrowingLayer() for _ in range(model.config.num_hidden_layers)])
    sampled: list[list[int]] = [[] for _ in requests]
    stop = [LIMIT] * len(requests)
    rows = list(range(len(requests)))  # request of each row that is left
    active = np.array([request.limit > 0 for request in requests])
    for step in range(steps):
        output = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits = output.logits[:, -1].float()
        logits[:, UNKNOWN] = logits[:, BOS] = float("-inf")
        chosen = choose_tokens(logits, draws[:, step], temperature, top_p)
        for row, token in zip(rows, chosen.tolist(), strict=True):
            if not active[row]:
                continue
            if token == EOS:
                stop[row], active[row] = ENDED, False
            else:
                sampled[row].append(token)
                active[row] = len(sampled[row]) < requests[row].limit
        left = [place for place, row in enumerate(rows) if active[row]]
        if not left:
            break
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=-1)
        if len(left) <= LEAVE * len(rows):
            keep = torch.tensor(left, device=device)
            cache.batch_select_indices(keep)
            ids, positions, mask, draws = ids[keep], positions[keep], mask[keep], draws[keep]
            rows = [rows[place] for place in left]
    return list(zip(sampled, stop, strict=True))


def continue_all(
    model: PreTrainedModel, requests: Sequence[Request], batch: int, temperature: float, top_p: float
) -> Iterator[tuple[int, list[int], str]]:
    """(index, tokens, why it ended) of all requests, `batch` at a time, those with prompts of like length together."""
    order = sorted(range(len(requests)), key=lambda i: (len(requests[i].prompt), i))
    for first in range(0, len(order), batch):
        chosen = order[first : first + batch]
        done = continue_batch(model, [requests[i] for i in chosen], temperature, top_p)
        for index, (tokens, stop) in zip(chosen, done, strict=True):
            yield index, tokens, stop
