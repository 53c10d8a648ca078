"""Packing of sequences into rows without padding, for `scripts.lm.model.attention.packed_attention`.

Sequences with a long common prefix form a group: the row holds the prefix once, and the rest of each member attends to
it. In a causal model the states of the prefix do not depend on what follows, so the scores are unchanged.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from scripts.lm.model.attention import Part, merge_equal

# Minimum length of a prefix. Every member of a group needs its own attention call in every layer, which takes about as
# long as 8 tokens; sequences of one length without a prefix share a call.
MIN_PREFIX = 32


class PrefixGroup(NamedTuple):
    """Sequences whose first `prefix_length` + 1 tokens are equal; a single sequence has prefix_length = 0.

    The last common token is an input of every member, since the token after it differs between members.
    """

    members: list[np.ndarray]
    prefix_length: int

    @property
    def num_tokens(self) -> int:
        """Number of input tokens; the last token of a sequence is a target only."""
        return self.prefix_length + sum(len(ids) - 1 - self.prefix_length for ids in self.members)


@dataclass(frozen=True)
class Row:
    """The input of one forward pass.

    Attributes:
        sequences: the packed sequences.
        inputs, targets, positions: int64 [N].
        parts: parts of the attention.
        spans: for each sequence the slices of its predictions in the row: of the prefix, and of the rest.
    """

    sequences: list[np.ndarray]
    inputs: torch.Tensor
    targets: torch.Tensor
    positions: torch.Tensor
    parts: list[Part]
    spans: list[tuple[slice, slice]]


def prefix_groups(ordered: list[np.ndarray], max_tokens: int) -> Iterator[PrefixGroup]:
    """Group sequences, given in lexical order; a group of several has at most `max_tokens` input tokens."""
    members: list[np.ndarray] = []
    prefix_length = 0
    for ids in ordered:
        if members:
            common = _common(members[-1], ids) - 1
            joined = PrefixGroup([*members, ids], min(prefix_length or common, common))
            # A prefix much shorter than that of the group would save less than the group saves already.
            if common >= max(MIN_PREFIX, 0.8 * prefix_length) and joined.num_tokens <= max_tokens:
                members, prefix_length = joined
                continue
            yield PrefixGroup(members, prefix_length)
        members, prefix_length = [ids], 0
    if members:
        yield PrefixGroup(members, prefix_length)


def _common(a: np.ndarray, b: np.ndarray) -> int:
    """Length of the common prefix; at most one less than the shorter length, as the last token is a target only."""
    limit = min(len(a), len(b)) - 1
    differs = np.flatnonzero(a[:limit] != b[:limit])
    return int(differs[0]) if len(differs) else limit


def rows(ordered: list[np.ndarray], max_tokens: int) -> Iterator[Row]:
    """Rows of at most `max_tokens` tokens (a longer sequence gets its own row) of sequences in lexical order.

    Neighbours in a row are of similar length, so that many of the attention's parts hold several.
    """
    by_length = sorted(prefix_groups(ordered, max_tokens), key=lambda group: (len(group.members) > 1, group.num_tokens))
    row: list[PrefixGroup] = []
    filled = 0
    for group in by_length:
        if row and filled + group.num_tokens > max_tokens:
            yield pack_row(row)
            row, filled = [], 0
        row.append(group)
        filled += group.num_tokens
    if row:
        yield pack_row(row)


def pack_row(row: list[PrefixGroup]) -> Row:
    """A row of groups end to end: of each group the common prefix, then the rest of every member."""
    pieces: list[tuple[np.ndarray, int]] = []  # tokens and the position of the first; each predicts all but its first
    parts: list[Part] = []
    spans: list[tuple[slice, slice]] = []
    end = 0

    def add(ids: np.ndarray, position: int, prefix: slice) -> slice:
        nonlocal end
        size = len(ids) - 1
        parts.append(Part(end, 1, size, prefix))
        pieces.append((ids, position))
        end += size
        return slice(end - size, end)

    for group in row:
        none, prefix_length = slice(end, end), group.prefix_length
        prefix = add(group.members[0][: prefix_length + 1], 0, none) if prefix_length else none
        spans += [(prefix, add(ids[prefix_length:], prefix_length, prefix)) for ids in group.members]

    def join(arrays: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.concatenate(arrays).astype(np.int64))

    return Row(
        sequences=[ids for group in row for ids in group.members],
        inputs=join([ids[:-1] for ids, _ in pieces]),
        targets=join([ids[1:] for ids, _ in pieces]),
        positions=join([np.arange(position, position + len(ids) - 1) for ids, position in pieces]),
        parts=merge_equal(parts),
        spans=spans,
    )
