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

    def of(self, flat: torch.Tensor) -> torch.Tensor:
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
        back: int64 [N * heads], where in R each token's heads lie.
        padding: int64 [.], those of R that are no token.
    """

    groups: list[Group]
    heads: int
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    out: torch.Tensor
    back: torch.Tensor
    padding: torch.Tensor

    def blocks(self, group: Group) -> Iterator[tuple[slice, slice, slice]]:
        """(sequences that reach it, its queries, the keys it sees) of each block."""
        for number, first in enumerate(group.firsts):
            end = (number + 1) * group.block
            yield slice(first * self.heads, None), slice(end - group.block, end), slice(0, end)


def lay_out(sizes: list[int], heads: int, kv_heads: int) -> Layout:
    """Group the sequences of a row by length."""
    order = np.argsort(sizes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)])
    back = np.empty((int(starts[-1]), heads), np.int64)
    head = np.arange(heads)[None, :, None]
    mine = head // (heads // kv_heads)  # the key-value head of each
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
        back[token[real], np.broadcast_to(head, token.shape)[real]] = rows[real]
        padding.append(rows[~real])
        tokens.append((token, np.broadcast_to(mine, token.shape)))
        firsts = np.searchsorted(own[:, 0, 0], np.arange(0, length, block), side="right").tolist()
        groups.append(Group(slice(end, end + token.size), length, block, firsts))
        end += token.size

    def rows_of(parts: int, first: int, each: bool) -> torch.Tensor:
        found = [(n * parts + first + (np.broadcast_to(head, n.shape) if each else kv)).ravel() for n, kv in tokens]
        return torch.from_numpy(np.concatenate(found))

    return Layout(
        groups=groups,
        heads=heads,
        query=rows_of(heads + kv_heads, 0, True),
        key=rows_of(heads + kv_heads, heads, False),
        value=rows_of(heads + 2 * kv_heads, heads + kv_heads, False),
        out=rows_of(heads, 0, True),
        back=torch.from_numpy(back.ravel()),
        padding=torch.from_numpy(np.concatenate(padding)),
    )


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, layout: Layout
) -> tuple[torch.Tensor, list[tuple[torch.Tensor, ...]]]:
    """Attention of scaled queries, all [R, D].

    Returns:
        [R, D], undefined in padding; and what `attend_backward` needs: each block's queries, keys, values, weights.
    """
    out, kept = torch.empty_like(query), []
    for group in layout.groups:
        q, k, v, o = (group.of(x) for x in (query, key, value, out))
        for who, here, seen in layout.blocks(group):
            # Copied here, once: a product of a slice copies it each time.
            mine, keys, values = q[who, here].contiguous(), k[who, seen].contiguous(), v[who, seen].contiguous()
            scores = torch.bmm(mine, keys.transpose(1, 2))
            scores[:, :, here].add_(_future(group.block, scores.dtype))
            weights = torch.softmax(scores, dim=-1)
            o[who, here] = torch.bmm(weights, values)
            kept.append((mine, keys, values, weights))
    return out, kept


def attend_backward(
    gradient: torch.Tensor, kept: list[tuple[torch.Tensor, ...]], layout: Layout
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of query, key and value, [R, D], from that of `attend`'s result, which is 0 in padding."""
    d_query, d_key, d_value = torch.empty_like(gradient), torch.zeros_like(gradient), torch.zeros_like(gradient)
    blocks = iter(kept)
    for group in layout.groups:
        g, dq, dk, dv = (group.of(x) for x in (gradient, d_query, d_key, d_value))
        for who, here, seen in layout.blocks(group):
            mine, keys, values, weights = next(blocks)
            above = g[who, here].contiguous()
            dv[who, seen].add_(torch.bmm(weights.transpose(1, 2), above))
            d_weights = torch.bmm(above, values.transpose(1, 2))
            d_scores = torch._softmax_backward_data(d_weights, weights, -1, weights.dtype)
            dq[who, here] = torch.bmm(d_scores, keys)
            dk[who, seen].add_(torch.bmm(d_scores.transpose(1, 2), mine))
    return d_query, d_key, d_value


@cache
def _future(size: int, dtype: torch.dtype) -> torch.Tensor:
    """[size, size]: 0 where a token may look, -inf where it may not."""
    return torch.full((size, size), float("-inf"), dtype=dtype).triu(1)
