"""Sequences laid end to end in one row, without padding, for `scripts.lm.model.attention.packed_attention`.

Sequences with a long beginning in common are a family: the row holds that beginning once, and each member's own rest
reads it as if it stood before it. A causal model cannot tell the difference, so no score changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from scripts.lm.model.attention import Part, merge_equal

# Tokens that a family must save each member. A member costs an attention of its own in every layer, about as much time
# as 8 tokens; sequences of one length, which need not be told apart, share theirs.
SHARED = 32


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
        parts.append(Part(end, 1, size, beginning))
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
        parts=merge_equal(parts),
        spans=spans,
    )
