"""Batched sampling of continuations with a key-value cache.

Rows of a batch are padded on the left. Finished rows are removed once they are a quarter of the batch. The cache grows
in blocks, so most steps copy no earlier keys and values (the cache of transformers copies all of them at every token).
Each row has its own random numbers: its tokens depend on its prompt, its seed and the shape of the batch, not on when
another row ends. The sampled tokens are copied to the host at every step. On a GPU this adds no time: for a batch this
small the host takes longer to launch a step than the GPU to compute it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import Cache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from scripts.tokens.span_encoder import BOS, EOS, UNKNOWN

CACHE_BLOCK = 128  # tokens by which the cache grows
COMPACT_BELOW = 0.75  # share of active rows at which finished rows are removed from the batch
ENDED, LIMIT = "eos", "limit"


@dataclass(frozen=True)
class Request:
    """One continuation to sample.

    Attributes:
        prompt: int64 [P], BOS first.
        limit: maximum number of tokens.
        uniform: float64 [limit], the random number of each token.
    """

    prompt: np.ndarray
    limit: int
    uniform: np.ndarray


class GrowingLayer(DynamicLayer):
    """Keys and values [B, heads, T, D] of one layer, stored in preallocated buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.length = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append [B, heads, t, D]; returns all keys and values so far."""
        end = self.length + key_states.shape[-2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[..., :0, :], value_states[..., :0, :]
        if end > self.keys.shape[-2]:
            self.keys, self.values = (self._grown(x, end + CACHE_BLOCK) for x in (self.keys, self.values))
        self.keys[..., self.length : end, :] = key_states
        self.values[..., self.length : end, :] = value_states
        self.length = end
        return self.keys[..., :end, :], self.values[..., :end, :]

    def _grown(self, buffer: torch.Tensor, size: int) -> torch.Tensor:
        bigger = buffer.new_empty(*buffer.shape[:-2], size, buffer.shape[-1])
        bigger[..., : self.length, :] = buffer[..., : self.length, :]
        return bigger

    def get_seq_length(self) -> int:
        """Number of tokens in the cache."""
        return self.length


def sample_tokens(logits: torch.Tensor, uniform: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """One token per row by nucleus sampling (Holtzman et al. 2020, section 3.1).

    The nucleus is the smallest set of most probable tokens whose probability is at least `top_p`; a token is drawn from
    it by inverse transform sampling at `uniform`.

    Args:
        logits: float32 [B, V].
        uniform: float [B], in [0, 1).
        temperature: logits are divided by it.
        top_p: in (0, 1].

    Returns:
        int64 [B].
    """
    probabilities, order = torch.softmax(logits.float() / temperature, dim=-1).sort(
        dim=-1, descending=True, stable=True
    )
    preceding = probabilities.cumsum(dim=-1) - probabilities
    kept = torch.where(preceding < top_p, probabilities, 0.0)  # [B, V]; the first is always kept
    cumulative = kept.cumsum(dim=-1)
    drawn = torch.searchsorted(cumulative, (uniform.to(cumulative.dtype) * cumulative[:, -1])[:, None], right=True)
    last = (kept > 0).sum(dim=-1, keepdim=True) - 1  # rounding may exceed the last kept token
    return order.gather(-1, torch.minimum(drawn, last))[:, 0]


@torch.inference_mode()
def continue_batch(
    model: PreTrainedModel, requests: Sequence[Request], temperature: float, top_p: float
) -> list[tuple[list[int], str]]:
    """(tokens without BOS and EOS, reason of the end) per request. <unk> and <s> are never sampled."""
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
    rows = list(range(len(requests)))  # request of each remaining row
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
        chosen = sample_tokens(logits, draws[:, step], temperature, top_p)
        for row, token in zip(rows, chosen.tolist(), strict=True):
            if not active[row]:
                continue
            if token == EOS:
                stop[row], active[row] = ENDED, False
            else:
                sampled[row].append(token)
                active[row] = len(sampled[row]) < requests[row].limit
        remaining = [index for index, row in enumerate(rows) if active[row]]
        if not remaining:
            break
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=-1)
        if len(remaining) <= COMPACT_BELOW * len(rows):
            keep = torch.tensor(remaining, device=device)
            cache.batch_select_indices(keep)
            ids, positions, mask, draws = ids[keep], positions[keep], mask[keep], draws[keep]
            rows = [rows[index] for index in remaining]
    return list(zip(sampled, stop, strict=True))


def continue_all(
    model: PreTrainedModel, requests: Sequence[Request], batch: int, temperature: float, top_p: float
) -> Iterator[tuple[int, list[int], str]]:
    """(index, tokens, reason of the end) of all requests, in batches of prompts of similar length."""
    order = sorted(range(len(requests)), key=lambda i: (len(requests[i].prompt), i))
    for first in range(0, len(order), batch):
        chosen = order[first : first + batch]
        results = continue_batch(model, [requests[i] for i in chosen], temperature, top_p)
        for index, (tokens, stop) in zip(chosen, results, strict=True):
            yield index, tokens, stop
