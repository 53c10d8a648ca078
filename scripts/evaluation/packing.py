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
    """Neighbours of one length in a row, of which each reads itself and, where it is of a family, the beginning.

    Attributes:
        start, count, size: `count` times `size` tokens from `start` on.
        beginning: where the family's beginning lies in the row; empty for none.
        mask: float32 [size, beginning + size], what each token may read, 0 or -inf; None for itself and all before.
    """

    start: int
    count: int
    size: int
    beginning: slice
    mask: torch.Tensor | None


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
    found = sorted(families(ordered, most), key=lambda family: (len(family.members) > 1, family.passed))
    row: list[Family] = []
    filled = 0
    for family in found:
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
        size, before = len(ids) - 1, beginning.stop - beginning.start
        last = parts[-1] if parts else None
        if last and last.size == size and not before and last.mask is None:
            parts[-1] = Part(last.start, last.count + 1, size, beginning, None)
        else:
            mask = torch.full((size, before + size), float("-inf")).triu(before + 1) if before else None
            parts.append(Part(end, 1, size, beginning, mask))
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


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,  # [1, heads, N, D]
    key: torch.Tensor,  # [1, kv_heads, N, D]
    value: torch.Tensor,  # [1, kv_heads, N, D]
    attention_mask: torch.Tensor | None,
    scaling: float,
    parts: list[Part],
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each sequence of a row; returns [1, N, heads, D]."""
    assert attention_mask is None, "the parts say what is masked"
    gqa = query.shape[1] != key.shape[1]
    done = []
    for part in parts:
        own = slice(part.start, part.start + part.count * part.size)
        q, k, v = (x[0, :, own].unflatten(1, (part.count, part.size)).transpose(0, 1) for x in (query, key, value))
        if part.mask is not None:
            k, v = (torch.cat([x[:, :, part.beginning], y], dim=2) for x, y in ((key, k), (value, v)))
        mask = part.mask.to(q.device) if part.mask is not None else None
        found = F.scaled_dot_product_attention(
            q, k, v, attn_mask=mask, is_causal=mask is None, scale=scaling, enable_gqa=gqa
        )  # [count, heads, size, D]
        done.append(found.transpose(1, 2).flatten(0, 1))
    return torch.cat(done)[None], None


AttentionInterface.register(ATTENTION, attend)
