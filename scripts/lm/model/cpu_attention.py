"""Causal attention of many sequences at once, block by block, forward and backward.

Sequences of similar length are laid side by side in a group, padded to its longest. A block of queries is one
matrix product for all of a group's sequences that reach it, and sees only the keys before its own end: half of the
scores are never computed, and there are few products and few shapes (oneDNN compiles each shape anew). The padding
lies in every real token's future, so it changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

BLOCK = 128  # queries per block
ROUND = 16  # sequences shorter than a block are padded to multiples of this
SPREAD = 4.0  # the longest of a group is at most this many times as long as its shortest


@dataclass(frozen=True)
class Group:
    """Sequences side by side, ascending in length.

    Attributes:
        rows: where they lie in the flat tensors [R, D], as [sequences, heads, length].
        length: padded, in tokens.
        block: queries per block; divides `length`.
        firsts: for each block, the first sequence that reaches it.
    """

    rows: slice
    length: int
    block: int
    firsts: list[int]

    def view(self, flat: torch.Tensor) -> torch.Tensor:
        """Its part of [R, D] as [sequences * heads, length, D]."""
        return flat[self.rows].view(-1, self.length, flat.shape[-1])


@dataclass(frozen=True)
class Layout:
    """How the tokens of one row of sequences (N of them) lie in groups (R rows of D numbers, all heads).

    Attributes:
        groups: they cover R.
        heads: query heads; keys and values are repeated where there are fewer of them.
        query, key: int64 [R], which row of [N * (heads + kv_heads), D] to take.
        value: int64 [R], which row of [N * (heads + 2 * kv_heads), D] to take.
        out: int64 [R], which row of [N * heads, D] to take.
        token_rows: int64 [N * heads], where in R each token's heads lie.
        padding: int64 [.], those of R that are no token.
    """

    groups: list[Group]
    heads: int
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    out: torch.Tensor
    token_rows: torch.Tensor
    padding: torch.Tensor

    def blocks(self, group: Group) -> Iterator[tuple[slice, slice, slice]]:
        """(sequences that reach it, its queries, the keys it sees) of each block."""
        for number, first in enumerate(group.firsts):
            end = (number + 1) * group.block
            yield slice(first * self.heads, None), slice(end - group.block, end), slice(0, end)


def group_by_length(sizes: list[int], heads: int, kv_heads: int) -> Layout:
    """Group the sequences of a row by length."""
    order = np.argsort(sizes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    token_rows = np.empty((int(starts[-1]), heads), np.int64)
    head = np.arange(heads)[None, :, None]
    kv_head = head // (heads // kv_heads)  # the key-value head of each
    groups, tokens, padding, end = [], [], [], 0
    while len(order):
        shortest = sizes[order[0]]
        members = order[: int(np.searchsorted(np.array(sizes)[order], max(BLOCK, SPREAD * shortest), side="right"))]
        order = order[len(members) :]
        longest = sizes[members[-1]]
        block = BLOCK if longest > BLOCK else -(-longest // ROUND) * ROUND
        length = -(-longest // block) * block
        own = np.array(sizes)[members, None, None]  # [S, 1, 1]
        time = np.arange(length)[None, None]
        token = np.broadcast_to(starts[members, None, None] + np.minimum(time, own - 1), (len(members), heads, length))
        rows = end + np.arange(token.size).reshape(token.shape)
        real = np.broadcast_to(time < own, token.shape)
        token_rows[token[real], np.broadcast_to(head, token.shape)[real]] = rows[real]
        padding.append(rows[~real])
        tokens.append((token, np.broadcast_to(kv_head, token.shape)))
        firsts = np.searchsorted(own[:, 0, 0], np.arange(0, length, block), side="right").tolist()
        groups.append(Group(slice(end, end + token.size), length, block, firsts))
        end += token.size

    def source_rows(parts: int, first: int, per_head: bool) -> torch.Tensor:
        rows = [(n * parts + first + (np.broadcast_to(head, n.shape) if per_head else kv)).ravel() for n, kv in tokens]
        return torch.from_numpy(np.concatenate(rows))

    return Layout(
        groups=groups,
        heads=heads,
        query=source_rows(heads + kv_heads, 0, True),
        key=source_rows(heads + kv_heads, heads, False),
        value=source_rows(heads + 2 * kv_heads, heads + kv_heads, False),
        out=source_rows(heads, 0, True),
        token_rows=torch.from_numpy(token_rows.ravel()),
        padding=torch.from_numpy(np.concatenate(padding)),
    )


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: Layout
) -> tuple[torch.Tensor, list[tuple[torch.Tensor, ...]]]:
    """Attention of scaled queries, all [R, D].

    Returns:
        [R, D], undefined in padding; and what `attend_backward` needs: each block's queries, keys, values, weights.
    """
    out, saved = torch.empty_like(query), []
    for group in layout.groups:
        q, k, v, o = (group.view(x) for x in (query, key, value, out))
        for sequences, query_range, key_range in layout.blocks(group):
            # Copied once: a product of a slice copies it each time.
            queries, keys, values = (
                q[sequences, query_range].contiguous(),
                k[sequences, key_range].contiguous(),
                v[sequences, key_range].contiguous(),
            )
            scores = torch.bmm(queries, keys.transpose(1, 2))
            scores[:, :, query_range].add_(_future(group.block, scores.dtype))
            weights = torch.softmax(scores, dim=-1)
            o[sequences, query_range] = torch.bmm(weights, values)
            saved.append((queries, keys, values, weights))
    return out, saved


def attend_backward(
    gradient: torch.Tensor, saved: list[tuple[torch.Tensor, ...]], layout: Layout
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of query, key and value, [R, D], from that of `attend`'s result, which is 0 in padding."""
    d_query, d_key, d_value = torch.empty_like(gradient), torch.zeros_like(gradient), torch.zeros_like(gradient)
    blocks = iter(saved)
    for group in layout.groups:
        g, dq, dk, dv = (group.view(x) for x in (gradient, d_query, d_key, d_value))
        for sequences, query_range, key_range in layout.blocks(group):
            queries, keys, values, weights = next(blocks)
            d_out = g[sequences, query_range].contiguous()
            dv[sequences, key_range].add_(torch.bmm(weights.transpose(1, 2), d_out))
            d_weights = torch.bmm(d_out, values.transpose(1, 2))
            d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype)
            dq[sequences, query_range] = torch.bmm(d_scores, keys)
            dk[sequences, key_range].add_(torch.bmm(d_scores.transpose(1, 2), queries))
    return d_query, d_key, d_value


@cache
def _future(size: int, dtype: torch.dtype) -> torch.Tensor:
    """[size, size]: 0 where a token may look, -inf where it may not."""
    return torch.full((size, size), float("-inf"), dtype=dtype).triu(1)
