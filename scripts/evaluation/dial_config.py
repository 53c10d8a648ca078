"""The configuration's sections `crossings`, `ladders` and `dials`: comparisons that take causes apart."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, TypeVar

from annotated_types import Ge, Le, MinLen

from scripts.common.bounds import Pattern, Text
from scripts.common.config import parse, shown
from scripts.evaluation.orders import NONE, label, named_cells, orders

DesignName = Annotated[str, Pattern("^[A-Za-z0-9][A-Za-z0-9-]*$")]
CellName = Annotated[str, Pattern(r"^[A-Za-z0-9]+(\+[A-Za-z0-9]+)*$")]


@dataclass(frozen=True)
class Crossing:
    """Modalities that have some factors and lack others, so that the factors can be added in more than one order."""

    name: DesignName
    """what rows of the table are called"""
    cells: Annotated[dict[CellName, str], MinLen(4)]
    """the factors that a modality has, joined by + (none, B, C, B+C) -> the modality"""

    @property
    def modalities(self) -> list[str]:
        """The modality of every cell."""
        return list(self.cells.values())


@dataclass(frozen=True)
class Step:
    """A step of a ladder: from the modality before it to its own."""

    name: Text
    """what the step adds"""
    to: str
    """the modality that has it"""


@dataclass(frozen=True)
class Ladder:
    """A chain of modalities that divides a change into steps, each of which adds one cause."""

    name: DesignName
    """what rows of the table are called"""
    from_: str
    """the modality that the ladder starts from"""
    steps: Annotated[tuple[Step, ...], MinLen(2)]
    """the steps, at least two, in order"""

    @property
    def modalities(self) -> list[str]:
        """The modalities in order, one more than steps."""
        return [self.from_, *(step.to for step in self.steps)]


@dataclass(frozen=True)
class Point:
    """A modality of a dial, and its dose."""

    modality: str
    """the modality"""
    dose: Annotated[float, Ge(-1e6), Le(1e6)]
    """how much of the cause it has, in the dial's unit"""


@dataclass(frozen=True)
class Dial:
    """Modalities that differ in how much they have of one cause."""

    name: DesignName
    """what the figure and rows of the table are called"""
    factor: Text
    """name of the factor that the cause belongs to"""
    dose: Text
    """what a dose counts"""
    unit: Text
    """unit of a dose"""
    points: Annotated[tuple[Point, ...], MinLen(2)]
    """the modalities, at least two, by rising dose"""

    @property
    def modalities(self) -> list[str]:
        """The modalities by rising dose."""
        return [point.modality for point in self.points]


Design = TypeVar("Design", Crossing, Ladder, Dial)


def parse_designs(kind: type[Design], text: str) -> tuple[Design, ...]:
    """The entries of a section in JSON, {"dials": [...]}; ValueError naming a key that is wrong."""
    (designs,) = parse(dict[str, tuple[kind, ...]], text, "").values()  # type: ignore[valid-type]
    return designs


def problems(
    crossings: Sequence[Crossing],
    ladders: Sequence[Ladder],
    dials: Sequence[Dial],
    modalities: Collection[str],
    factors: Collection[str],
) -> Iterator[str]:
    """What is wrong between keys of the three sections, a line each.

    Args:
        crossings: section `crossings`.
        ladders: section `ladders`.
        dials: section `dials`.
        modalities: names of the modalities.
        factors: names of the factors.
    """
    for number, crossing in enumerate(crossings):
        where = f"crossings[{number}].cells"
        yield from _unknown({f"{where}.{cell}": name for cell, name in crossing.cells.items()}, modalities)
        yield from _cell_problems(where, crossing)
    for number, ladder in enumerate(ladders):
        where = f"ladders[{number}]"
        ends = {f"{where}.steps[{place}].to": step.to for place, step in enumerate(ladder.steps)}
        yield from _unknown({f"{where}.from": ladder.from_, **ends}, modalities)
        yield from _repeated(where, ladder.modalities)
        yield from _repeated(where, [step.name for step in ladder.steps], "the step")
    for number, dial in enumerate(dials):
        where = f"dials[{number}]"
        points = {f"{where}.points[{place}].modality": point.modality for place, point in enumerate(dial.points)}
        yield from _unknown(points, modalities)
        yield from _repeated(where, dial.modalities)
        if dial.factor not in factors:
            known = ", ".join(dict.fromkeys(factors)) or "none"
            yield f"{where}.factor is {shown(dial.factor)}, which no entry of factors is called; known: {known}"
        for place, (before, after) in enumerate(pairwise(point.dose for point in dial.points), start=1):
            if not after > before:
                yield (
                    f"{where}.points[{place}].dose is {after:g}, not more than {before:g} of the point before it;"
                    " doses must rise"
                )
    for section, designs in (("crossings", crossings), ("ladders", ladders), ("dials", dials)):
        for name, times in Counter(design.name for design in designs).items():
            if times > 1:
                yield f"{section}: {times} entries are called {shown(name)}; each needs a name of its own"


def _unknown(named: Mapping[str, str], modalities: Collection[str]) -> Iterator[str]:
    for where, name in named.items():
        if name not in modalities:
            yield f"{where} names unknown modality {shown(name)}; known: {', '.join(modalities)}"


def _repeated(where: str, names: Sequence[str], what: str = "the modality") -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{where} has {what} {shown(name)} {times} times; it may be there once"


def _cell_problems(where: str, crossing: Crossing) -> Iterator[str]:
    """Cells that are the same, and sets of cells that leave no choice between orders."""
    yield from _repeated(where, crossing.modalities)
    sets = named_cells(crossing.cells)
    for cell, times in Counter(sets.values()).items():
        if times > 1:
            same = [name for name, factors in sets.items() if factors == cell]
            yield f"{where} has {' and '.join(same)}, which say the same; a cell may be there once"
    whole = frozenset().union(*sets.values())
    for needed in (frozenset[str](), whole):
        if needed not in sets.values():
            yield f"{where} has no cell {label(needed)}; a crossing needs {NONE} and all factors together"
            return
    found = orders(set(sets.values()))
    if len(found) < 2:
        yield (
            f"{where} allows {len(found)} order of {label(whole)} in which every cell on the way is there; a crossing"
            f" needs two: {NONE}, each of two factors, and both"
        )
