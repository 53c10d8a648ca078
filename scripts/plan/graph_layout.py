"""Layered layout of a small directed acyclic graph, in columns from left to right.

The method is that of Sugiyama et al. (1981): every node is one column to the right of its last predecessor, long edges
get a dummy node in each column between, and the nodes of a column are ordered by the mean row of their neighbours. It
is deterministic.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

SWEEPS = 12


class Layout(NamedTuple):
    """Positions in columns and rows, both from 0; rows may be fractional and increase downwards.

    Attributes:
        boxes: name -> (column, row).
        edges: (from, to) -> positions along the edge, its ends included.
        columns, rows: their numbers.
    """

    boxes: dict[str, tuple[int, float]]
    edges: dict[tuple[str, str], list[tuple[int, float]]]
    columns: int
    rows: int


def reduced(edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """The transitive reduction: edges without those implied by a longer path.

    Raises:
        ValueError: the graph has a cycle.
    """
    successors: dict[str, set[str]] = defaultdict(set)
    for start, end in edges:
        successors[start].add(end)
    descendants: dict[str, set[str]] = {}

    def reachable(name: str, path: tuple[str, ...]) -> set[str]:
        if name in path:
            raise ValueError(f"the graph goes round in a circle: {' -> '.join([*path, name])}")
        if name not in descendants:
            names: set[str] = set()
            for other in sorted(successors.get(name, ())):
                names |= {other} | reachable(other, (*path, name))
            descendants[name] = names
        return descendants[name]

    return {
        (start, end)
        for start in sorted(successors)
        for end in successors[start]
        if reachable(start, ()) and not any(end in reachable(other, ()) for other in successors[start])
    }


def columns(names: Iterable[str], edges: Iterable[tuple[str, str]], last: Iterable[str] = ()) -> dict[str, int]:
    """The column of every node: one after its last predecessor; `last` are in a further column."""
    predecessors: dict[str, set[str]] = {name: set() for name in names}
    for start, end in edges:
        predecessors[end].add(start)
    column_of: dict[str, int] = {}

    def column(name: str) -> int:
        if name not in column_of:
            column_of[name] = max((column(other) + 1 for other in predecessors[name]), default=0)
        return column_of[name]

    for name in sorted(predecessors):
        column(name)
    ends = set(last)
    last_column = max((index for name, index in column_of.items() if name not in ends), default=-1) + 1
    return {name: last_column if name in ends else index for name, index in column_of.items()}


def arrange(names: Iterable[str], edges: Iterable[tuple[str, str]], last: Iterable[str] = ()) -> Layout:
    """The layout of an acyclic graph.

    Args:
        names: all nodes.
        edges: (from, to).
        last: nodes without successors that are placed in a further, last column.
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
