"""Where the boxes of a small directed graph stand: in columns, from what comes first to what comes last.

The usual way (Sugiyama et al. 1981): every box one column behind the last of what it needs, long edges through places
of their own in the columns between, boxes of a column ordered by the mean height of their neighbours. No randomness.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

SWEEPS = 12


class Layout(NamedTuple):
    """Places in columns and rows, both from 0; rows are fractions, and grow downwards.

    Attributes:
        boxes: name -> (column, row).
        edges: (from, to) -> the places an edge goes through, its ends included.
        columns, rows: how many there are.
    """

    boxes: dict[str, tuple[int, float]]
    edges: dict[tuple[str, str], list[tuple[int, float]]]
    columns: int
    rows: int


def reduced(edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Edges without those that a longer way implies.

    Raises:
        ValueError: the edges go round in a circle.
    """
    after: dict[str, set[str]] = defaultdict(set)
    for start, end in edges:
        after[start].add(end)
    reach: dict[str, set[str]] = {}

    def behind(name: str, path: tuple[str, ...]) -> set[str]:
        if name in path:
            raise ValueError(f"the graph goes round in a circle: {' -> '.join([*path, name])}")
        if name not in reach:
            found: set[str] = set()
            for other in sorted(after.get(name, ())):
                found |= {other} | behind(other, (*path, name))
            reach[name] = found
        return reach[name]

    return {
        (start, end)
        for start in sorted(after)
        for end in after[start]
        if behind(start, ()) and not any(end in behind(other, ()) for other in after[start])
    }


def columns(names: Iterable[str], edges: Iterable[tuple[str, str]], last: Iterable[str] = ()) -> dict[str, int]:
    """The column of every box: one behind the last of what it needs; `last` all in a last column of their own."""
    needs: dict[str, set[str]] = {name: set() for name in names}
    for start, end in edges:
        needs[end].add(start)
    found: dict[str, int] = {}

    def column(name: str) -> int:
        if name not in found:
            found[name] = max((column(other) + 1 for other in needs[name]), default=0)
        return found[name]

    for name in sorted(needs):
        column(name)
    ends = set(last)
    behind = max((at for name, at in found.items() if name not in ends), default=-1) + 1
    return {name: behind if name in ends else at for name, at in found.items()}


def arrange(names: Iterable[str], edges: Iterable[tuple[str, str]], last: Iterable[str] = ()) -> Layout:
    """A layout of a graph without circles.

    Args:
        names: all boxes.
        edges: (from, to).
        last: boxes that nothing needs and that stand in a last column of their own.
    """
    edges = sorted(set(edges))
    place = columns(names, edges, last)
    chains: dict[tuple[str, str], list[str]] = {}
    for start, end in edges:
        between = {f"\0{start}>{end}>{at}": at for at in range(place[start] + 1, place[end])}
        place |= between
        chains[start, end] = [start, *between, end]
    neighbours: dict[str, dict[int, list[str]]] = defaultdict(lambda: {-1: [], 1: []})
    for chain in chains.values():
        for left, right in pairwise(chain):
            neighbours[left][1].append(right)
            neighbours[right][-1].append(left)
    order: dict[int, list[str]] = defaultdict(list)
    for name in sorted(place):
        order[place[name]].append(name)
    rows = max((len(column) for column in order.values()), default=0)
    height = _centred(order, rows)
    for sweep in range(SWEEPS):
        side = -1 if sweep % 2 == 0 else 1
        for at in sorted(order, reverse=side == 1):
            order[at].sort(key=lambda name: (_mean(neighbours[name][side], height, name), name))
            height |= _centred({at: order[at]}, rows)
    return Layout(
        {name: (at, height[name]) for name, at in sorted(place.items()) if not name.startswith("\0")},
        {edge: [(place[name], height[name]) for name in chain] for edge, chain in chains.items()},
        max(order, default=-1) + 1,
        rows,
    )


def _centred(order: Mapping[int, list[str]], rows: int) -> dict[str, float]:
    return {name: row + (rows - len(column)) / 2 for column in order.values() for row, name in enumerate(column)}


def _mean(others: list[str], height: Mapping[str, float], name: str) -> float:
    return sum(height[other] for other in others) / len(others) if others else height[name]
