"""Factors of a crossing, the orders in which they can be added, and the contrasts between its cells.

A cell is the set of factors that a modality has. An order adds one factor after the other, from the cell without any
to the cell with all, and passes through cells that exist: a factor that others need (symbols, before they are repeated)
comes before them in every order. A factor's Shapley value is the mean of what it changes over these orders (Shapley
1953; for orders that are restricted, Faigle & Kern 1992, Int. J. Game Theory 21, 249-266). The values of all factors
add up to the whole change. The interaction of two factors is what the second changes more where the first is.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

Cell = frozenset[str]
NONE = "none"  # the name of the cell without a factor
JOINED = "+"  # between the factors of a cell's name


class Contrast(NamedTuple):
    """A sum of cells, each times its weight.

    Attributes:
        quantity: change (one factor added to one cell), interaction, shapley or whole.
        factor: the factor, or two of them; blank for the whole.
        given: the factors that are there before; blank for a mean over orders.
        weights: cell -> weight.
    """

    quantity: str
    factor: str
    given: str
    weights: Mapping[Cell, Fraction]


def named_cells(names: Iterable[str]) -> dict[str, Cell]:
    """The cell of each name: `none` -> {}, `B+C` -> {B, C}."""
    return {name: frozenset() if name == NONE else frozenset(name.split(JOINED)) for name in names}


def label(factors: Collection[str]) -> str:
    """The name of a cell, factors in sorted order."""
    return JOINED.join(sorted(factors)) or NONE


def orders(cells: Collection[Cell]) -> list[tuple[str, ...]]:
    """All orders of the factors that pass through `cells` alone, sorted; none if the empty cell is not among them."""
    whole = frozenset().union(*cells)

    def complete(order: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if frozenset(order) not in cells:
            return
        if len(order) == len(whole):
            yield order
        for factor in sorted(whole - frozenset(order)):
            yield from complete((*order, factor))

    return list(complete(()))


def contrasts(cells: Collection[Cell]) -> list[Contrast]:
    """Every contrast of a crossing: changes, interactions, a Shapley value per factor, the whole.

    Changes are those that an order makes; an interaction is that of two factors which orders add to the same cell,
    the one first or the other.
    """
    found = orders(cells)
    whole = frozenset().union(*cells)
    steps = {(frozenset(order[:place]), order[place]) for order in found for place in range(len(order))}
    first = sorted(steps, key=lambda step: (step[1], len(step[0]), label(step[0])))
    return [
        *(Contrast("change", factor, label(before), _change(before, factor)) for before, factor in first),
        *_interactions(steps, whole),
        *(Contrast("shapley", factor, "", _shapley(factor, found)) for factor in sorted(whole)),
        Contrast("whole", "", "", {whole: Fraction(1), frozenset[str](): Fraction(-1)}),
    ]


def _change(before: Cell, factor: str) -> dict[Cell, Fraction]:
    return {before | {factor}: Fraction(1), before: Fraction(-1)}


def _interactions(steps: Collection[tuple[Cell, str]], whole: Cell) -> Iterator[Contrast]:
    """What a factor changes after another minus what it changes before it."""
    for before in sorted({cell for cell, _ in steps}, key=lambda cell: (len(cell), label(cell))):
        for one, other in combinations(sorted(whole - before), 2):
            needed = {(before, one), (before, other), (before | {one}, other), (before | {other}, one)}
            if needed <= set(steps):
                weights = {before | {one, other}: 1, before | {one}: -1, before | {other}: -1, before: 1}
                exact = {cell: Fraction(weight) for cell, weight in weights.items()}
                yield Contrast("interaction", f"{one} x {other}", label(before), exact)


def _shapley(factor: str, found: list[tuple[str, ...]]) -> dict[Cell, Fraction]:
    """The mean over the orders of the change that the factor makes."""
    weights: dict[Cell, Fraction] = {}
    for order in found:
        before = frozenset(order[: order.index(factor)])
        for cell, weight in _change(before, factor).items():
            weights[cell] = weights.get(cell, Fraction(0)) + weight / len(found)
    return weights
