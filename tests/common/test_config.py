"""Sections of the configuration as dataclasses and as text."""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, MinLen

from scripts.common.bounds import Pattern, Unique
from scripts.common.config import as_json, keys_of, notes_of, parse, part_json, read


@dataclass(frozen=True)
class Part:
    """What a step takes."""

    layers: Annotated[int, Ge(1)]
    """how many there are"""


@dataclass(frozen=True)
class Inner:
    """Below a section."""

    rates: tuple[Annotated[float, Gt(0)], float]
    """two of them"""


@dataclass(frozen=True)
class Section(Part):
    """What the part is a part of."""

    from_: Literal["here", "there"] | None
    """where it comes from; a word
    of Python"""
    inner: Inner
    """below"""
    names: Annotated[tuple[str, ...], MinLen(1), Unique()]
    """each once"""
    files: dict[Annotated[str, Pattern("^[a-z]+$")], str | Inner]
    """by name"""
    size: int | None = None
    """may be left out"""


GOOD = {
    "layers": 2,
    "from": "here",
    "inner": {"rates": [1, 2.5]},
    "names": ["a", "b"],
    "files": {"x": "path", "y": {"rates": [1, 1]}},
}


def test_as_json_is_sorted_and_selects():
    assert as_json({"b": 1, "a": [2]}) == '{"a": [2], "b": 1}'
    assert as_json({"b": 1, "a": 2}, "b") == '{"b": 1}'


def test_a_section_is_read_whole_and_a_part_by_its_own_keys():
    found, problems = read(Section, GOOD)
    assert problems == []
    inner = Inner((1, 2.5))
    assert found == Section(2, "here", inner, ("a", "b"), {"x": "path", "y": Inner((1, 1))})
    assert keys_of(Section) == ["layers", "from", "inner", "names", "files", "size"]
    assert parse(Part, part_json(GOOD, Part), "s") == Part(2)


def test_the_text_below_a_field_is_its_meaning_whichever_class_has_it():
    assert notes_of(Section)["layers"] == "how many there are"
    assert notes_of(Section)["from_"] == "where it comes from; a word of Python"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"layers": 0}, "s.layers is 0; it must be at least 1 (how many there are)"),
        ({"layers": 2.0}, "s.layers is 2.0; it must be of type integer (how many there are)"),
        ({"from": "over"}, "s.from is 'over'; it must be one of here, there or null (where it comes from; a word of"),
        ({"from_": "here"}, "s.from_ is not a known key; known here: layers, from, inner, names, files, size"),
        ({"inner": {"rates": [1, math.nan]}}, "s.inner.rates.1 is nan; it must be a finite number (two of them)"),
        ({"inner": {"rates": [0, 1]}}, "s.inner.rates.0 is 0; it must be greater than 0 (two of them)"),
        ({"inner": {"rates": [1]}}, "s.inner.rates is [1]; it must have 2 items (two of them)"),
        ({"inner": {}}, "s.inner.rates is missing (two of them)"),
        ({"inner": 3}, "s.inner is 3; it must be of type object (below)"),
        ({"names": ["a", "a"]}, "s.names is ['a', 'a']; it must have no two equal items (each once)"),
        ({"names": []}, "s.names is []; it must have at least 1 items (each once)"),
        ({"files": {"x": 3}}, "s.files.x is 3; it must be of type string or object (by name)"),
        ({"files": {"X": "a"}}, "s.files.X: the name 'X' must match ^[a-z]+$"),
        ({"files": {"x": {"rates": [1, 2], "y": 1}}}, "s.files.x.y is not a known key; known here: rates"),
        ({"names": ["x" * 500]} | {"from": "x" * 500}, "..."),
    ],
)
def test_what_is_wrong_is_named_by_its_path(change: dict, says: str):
    with pytest.raises(ValueError, match=r"^s\.") as error:
        parse(Section, as_json(GOOD | change), "s")
    assert says in str(error.value)
    assert all(len(line) < 300 for line in str(error.value).splitlines())


def test_every_problem_has_a_line_and_those_between_keys_come_last():
    with pytest.raises(ValueError, match=r"^s\.layers is 0.*\ns\.names is missing") as error:
        parse(Section, as_json({key: value for key, value in (GOOD | {"layers": 0}).items() if key != "names"}), "s")
    assert len(str(error.value).splitlines()) == 2
    with pytest.raises(ValueError, match=r"^s: too many$"):
        parse(Part, '{"layers": 3}', "s", lambda part: ["s: too many"] if part.layers > 2 else [])
    with pytest.raises(ValueError, match=r"^s: the configuration is not JSON"):
        parse(Part, "{", "s")


def test_a_key_that_is_no_text_is_refused():
    assert read(Section, GOOD | {"files": {1: "a"}})[1] == ["files.1: the name 1 is not a text; put it in quotes"]
