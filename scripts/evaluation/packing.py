"""Sequences laid end to end in one row, without padding, and the attention that keeps each to itself.

Sequences with a long beginning in common are a family: the row holds that beginning once, and each member's own rest
reads it as if it stood before it. A causal model cannot tell the difference, so no score changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional as F
from transformers import AttentionInterface

# Tokens that a family must save each member. A member costs an attention of its own in every layer, about as much time
# as 8 tokens; sequences of one length, which need not be told apart, share theirs.
SHARED = 32
ATTENTION = "packed-families"  # the name under which transformers finds `attend`


class Family(NamedTuple):
    """Sequences whose first `shared` + 1 tokens are the same; one alone has shared = 0.

    The last common token is passed by every member, since what it predicts is each member's own.
    """

    members: list[np.ndarray]
    shared: int

    @property
    def passed(self) -> int:
        """Tokens that go through the model; the last of a sequence is only predicted."""
        return self.shared + sum(len(ids) - 1 - self.shared for ids in self.members)


@dataclass(frozen=True)
class Part:
    """Neighbouring sequences of one length in a row. Each attends to itself and to its family's beginning, if any.

    Attributes:
        start, count, size: `count` times `size` tokens from `start` on.
        beginning: where the family's beginning lies in the row; empty for none.
    """

    start: int
    count: int
    size: int
    beginning: slice

    @property
    def before(self) -> int:
        """Tokens of the family's beginning."""
        return self.beginning.stop - self.beginning.start


@dataclass(frozen=True)
class Row:
    """What one forward pass reads.

    Attributes:
        sequences: whose tokens they are.
        inputs, targets, positions: int64 [N].
        parts: what the attention runs over.
        spans: for each sequence, the places of its predictions: those of the beginning, and its own.
    """

    sequences: list[np.ndarray]
    inputs: torch.Tensor
    targets: torch.Tensor
    positions: torch.Tensor
    parts: list[Part]
    spans: list[tuple[slice, slice]]


def families(ordered: list[np.ndarray], most: int) -> Iterator[Family]:
    """Sequences in lexical order, grouped; no family of several passes more than `most` tokens."""
    members: list[np.ndarray] = []
    shared = 0
    for ids in ordered:
        if members:
            common = _common(members[-1], ids) - 1
            joined = Family([*members, ids], min(shared or common, common))
            # A beginning much shorter than the family's own would undo what its members share already.
            if common >= max(SHARED, 0.8 * shared) and joined.passed <= most:
                members, shared = joined
                continue
            yield Family(members, shared)
        members, shared = [ids], 0
    if members:
        yield Family(members, shared)


def _common(a: np.ndarray, b: np.ndarray) -> int:
    """Tokens both begin with; at most one less than either has, as the last is only ever predicted."""
    limit = min(len(a), len(b)) - 1
    differs = np.flatnonzero(a[:limit] != b[:limit])
    return int(differs[0]) if len(differs) else limit


def rows(ordered: list[np.ndarray], most: int) -> Iterator[Row]:
    """Rows of at most `most` tokens (one longer sequence goes alone) over sequences in lexical order.

    Neighbours in a row are of similar length, so that many of the attention's parts hold several.
    """
    by_length = sorted(families(ordered, most), key=lambda family: (len(family.members) > 1, family.passed))
    row: list[Family] = []
    filled = 0
    for family in by_length:
        if row and filled + family.passed > most:
            yield lay(row)
            row, filled = [], 0
        row.append(family)
        filled += family.passed
    if row:
        yield lay(row)


def lay(row: list[Family]) -> Row:
    """The families end to end: of each, the common beginning and then every member's own rest."""
    pieces: list[tuple[np.ndarray, int]] = []  # tokens and the position of the first; each predicts all but its first
    parts: list[Part] = []
    spans: list[tuple[slice, slice]] = []
    end = 0

    def add(ids: np.ndarray, position: int, beginning: slice) -> slice:
        nonlocal end
        size = len(ids) - 1
        part = Part(end, 1, size, beginning)
        last = parts[-1] if parts else None
        if last and last.size == size and not part.before and not last.before:
            parts[-1] = Part(last.start, last.count + 1, size, beginning)
        else:
            parts.append(part)
        pieces.append((ids, position))
        end += size
        return slice(end - size, end)

    for family in row:
        none, shared = slice(end, end), family.shared
        beginning = add(family.members[0][: shared + 1], 0, none) if shared else none
        spans += [(beginning, add(ids[shared:], shared, beginning)) for ids in family.members]

    def join(arrays: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.concatenate(arrays).astype(np.int64))

    return Row(
        sequences=[ids for family in row for ids in family.members],
        inputs=join([ids[:-1] for ids, _ in pieces]),
        targets=join([ids[1:] for ids, _ in pieces]),
        positions=join([np.arange(position, position + len(ids) - 1) for ids, position in pieces]),
        parts=parts,
        spans=spans,
    )


def attention_masks(parts: list[Part], dtype: torch.dtype, device: torch.device) -> list[torch.Tensor | None]:
    """What is added to each part's attention scores, [size, before + size], 0 or -inf; None where nothing is before.

    Made on the device, once for all layers of a row. The rows of a mask lie a multiple of 8 numbers apart, because
    PyTorch's memory-efficient kernel copies any other mask at every call.
    """
    known: dict[tuple[int, int], torch.Tensor] = {}
    masks: list[torch.Tensor | None] = []
    for part in parts:
        if not part.before:
            masks.append(None)
            continue
        shape = (part.size, part.before + part.size)
        if shape not in known:
            width = -(-shape[1] // 8) * 8
            full = torch.full((part.size, width), float("-inf"), dtype=dtype, device=device)
            known[shape] = full.triu(part.before + 1)[:, : shape[1]]
        masks.append(known[shape])
    return masks


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,  # [1, heads, N, D]
    key: torch.Tensor,  # [1, kv_heads, N, D]
    value: torch.Tensor,  # [1, kv_heads, N, D]
    attention_mask: torch.Tensor | None,
    scaling: float,
    parts: list[Part],
    masks: list[torch.Tensor | None],
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence of a row; returns [1, N, heads, D].

    Grouped heads are repeated here and not by `enable_gqa`: in float32, and in any type with a mask, the only fused
    kernel on a GPU is the memory-efficient one, whose `can_use_mem_efficient_attention` (PyTorch's sdp_utils.cpp)
    refused grouped heads up to PyTorch 2.13, so that the products were written out in full.
    """
    assert attention_mask is None, "the parts say what is masked"
    query, key = query.to(value.dtype), key.to(value.dtype)  # under autocast the rotary embedding returns float32
    repeats = query.shape[1] // key.shape[1]
    if repeats > 1:
        key, value = (x.repeat_interleave(repeats, dim=1) for x in (key, value))
    outputs = []
    for part, mask in zip(parts, masks, strict=True):
        own = slice(part.start, part.start + part.count * part.size)
        q, k, v = (x[0, :, own].unflatten(1, (part.count, part.size)).transpose(0, 1) for x in (query, key, value))
        if mask is not None:
            k, v = (torch.cat([x[:, :, part.beginning], y], dim=2) for x, y in ((key, k), (value, v)))
        output = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling)
        outputs.append(output.transpose(1, 2).flatten(0, 1))  # from [count, heads, size, D]
    return torch.cat(outputs)[None], None


AttentionInterface.register(ATTENTION, attend)
