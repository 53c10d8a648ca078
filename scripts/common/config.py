"""The configuration's sections as frozen dataclasses: read from JSON, checked, and handed from rules to steps.

A section is a dataclass in scripts/<stage>/config.py: a field per key, its bounds in its annotation (annotated_types,
and scripts/common/bounds.py), its meaning in the string below it. What a step needs of a section is a dataclass
that the section's inherits from, so that each key is declared once. A key that is a word of Python has an underscore
behind its field's name (`with_`).

The reader is not pydantic's, which generates the JSON schema (scripts/project/schema.py): importing pydantic takes
0.13 s in every one of a run's hundreds of jobs where this module takes 0.02, and its messages would need as many lines.
"""

import ast
import inspect
import json
import math
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from scripts.common.bounds import bound_words, fits, is_broken, members, split, type_words

T = TypeVar("T")
Field = tuple[type, str] | None  # the dataclass and its field that a value stands under
LONGEST = 120  # characters of a value that a message shows


def as_json(section: Mapping[str, Any], *keys: str) -> str:
    """A section (or these of its keys) as JSON with sorted keys: one flag of a step's command line."""
    chosen = {key: section[key] for key in keys} if keys else dict(section)
    return json.dumps(chosen, sort_keys=True)


def part_json(section: Mapping[str, Any], cls: type) -> str:
    """The keys of a section that the dataclass `cls` has, as JSON with sorted keys: what `parse` reads."""
    return as_json({key: section[key] for key in keys_of(cls) if key in section})


def parse(cls: type[T], text: str, path: str, problems: Callable[[T], Iterable[str]] | None = None) -> T:
    """The object that a section or a part of it in JSON stands for.

    Args:
        cls: the dataclass of the section or part.
        text: JSON.
        path: of the section in the configuration, for messages, e.g. "lm".
        problems: says what is wrong between keys that are right one by one.

    Raises:
        ValueError: a line per problem, each with the key's path.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: the configuration is not JSON ({error.msg} at column {error.colno})") from None
    value, wrong = read(cls, content, path)
    if not wrong and problems:
        wrong = [*problems(value)]
    if wrong:
        raise ValueError("\n".join(wrong))
    return value


def read(cls: type[T], content: Any, path: str = "") -> tuple[T, list[str]]:
    """The object that JSON content stands for, and what is wrong with the content.

    The object is complete only if nothing is wrong.
    """
    reader = _Reader()
    return reader.value(cls, content, path, None), reader.problems


def keys_of(cls: type) -> list[str]:
    """The keys of a dataclass, as a configuration writes them."""
    return [key_of(field.name) for field in fields(cls)]


def key_of(name: str) -> str:
    """The key of a field."""
    return name.removesuffix("_")


@cache
def hints_of(cls: type) -> dict[str, Any]:
    """Field name -> its annotation, with bounds."""
    return get_type_hints(cls, include_extras=True)


@cache
def notes_of(cls: type) -> dict[str, str]:
    """Field name -> the string below it, of the dataclass and those that it inherits from."""
    notes: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not is_dataclass(base):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0].body  # type: ignore[attr-defined]
        for field, below in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                notes[field.target.id] = " ".join(below.value.value.split())  # type: ignore[union-attr, attr-defined]
    return notes


class _Reader:
    """Reads values and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def value(self, hint: Any, value: Any, path: str, field: Field) -> Any:
        """The value as its annotation wants it: objects as dataclasses or dicts, lists as tuples."""
        for member in members(hint):
            cls, bounds = split(member)
            if not fits(cls, value):
                continue
            broken = list(self._broken_bounds(cls, bounds, value))
            for words in broken:
                self._wrong(path, value, words, field)
            return value if broken else self._inside(cls, value, path, field)
        self._wrong(path, value, f"be {type_words(hint)}{_number_hint(hint, value)}", field)
        return value

    def _broken_bounds(self, cls: Any, bounds: tuple[Any, ...], value: Any) -> Iterator[str]:
        if isinstance(value, float) and not math.isfinite(value):
            yield "be a finite number"
            return
        yield from (bound_words(bound, cls) for bound in bounds if is_broken(bound, value))

    def _inside(self, cls: Any, value: Any, path: str, field: Field) -> Any:
        if isinstance(cls, type) and is_dataclass(cls):
            return self._object(cls, value, path)
        if get_origin(cls) is dict:
            key_hint, item_hint = get_args(cls)
            return {
                key: self.value(item_hint, item, _at(path, key), field)
                for key, item in value.items()
                if self._key(key_hint, key, path)
            }
        if get_origin(cls) is tuple:
            hints = get_args(cls)
            if hints[-1] is not Ellipsis and len(hints) != len(value):
                self._wrong(path, value, f"have {len(hints)} items", field)
                return value
            each = hints[:1] * len(value) if hints[-1] is Ellipsis else hints
            return tuple(
                self.value(hint, item, _at(path, place), field)
                for place, (hint, item) in enumerate(zip(each, value, strict=True))
            )
        return value

    def _object(self, cls: type, value: Mapping[Any, Any], path: str) -> Any:
        hints, before = hints_of(cls), len(self.problems)
        known = {key_of(field.name): field for field in fields(cls)}
        for key in value:
            if key not in known:
                self.problems.append(f"{_at(path, key)} is not a known key; known here: {', '.join(known)}")
        given: dict[str, Any] = {}
        for key, field in known.items():
            if key in value:
                given[field.name] = self.value(hints[field.name], value[key], _at(path, key), (cls, field.name))
            elif field.default is MISSING:
                self.problems.append(f"{_at(path, key)} is missing" + _meaning((cls, field.name)))
        return cls(**given) if len(self.problems) == before else None

    def _key(self, hint: Any, key: Any, path: str) -> bool:
        cls, bounds = split(hint)
        if get_origin(cls) is Literal:
            if known := fits(cls, key):
                return known
            self.problems.append(f"{_at(path, key)} is not a known key; known here: {', '.join(get_args(cls))}")
        elif not isinstance(key, str):
            self.problems.append(f"{_at(path, key)}: the name {key!r} is not a text; put it in quotes")
        elif broken := [bound_words(bound, str) for bound in bounds if is_broken(bound, key)]:
            self.problems.append(f"{_at(path, key)}: the name {shown(key)} must {' and '.join(broken)}")
        else:
            return True
        return False

    def _wrong(self, path: str, value: Any, words: str, field: Field) -> None:
        self.problems.append(f"{path} is {shown(value)}; it must {words}" + _meaning(field))


def _at(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _number_hint(hint: Any, value: Any) -> str:
    """How to write a number that YAML 1.1 reads as a text: before an exponent there is a point, in it a sign."""
    if not isinstance(value, str) or not {int, float} & {split(member)[0] for member in members(hint)}:
        return ""
    match = re.fullmatch(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?)(\d+))?", value.strip())
    if not match or not (match[2] or match[3]):
        return ""
    sign, whole, fraction, exponent_sign, exponent = match.groups()
    if exponent is None:
        return f": YAML reads a number in quotes as a text; write {value.strip()}"
    number = f"{sign}{whole or 0}.{fraction or 0}e{exponent_sign or '+'}{exponent}"
    return f": YAML reads {value.strip()} as a text; write {number}"


def _meaning(field: Field) -> str:
    note = notes_of(field[0]).get(field[1]) if field else None
    return f" ({note})" if note else ""


def shown(value: Any) -> str:
    """A value as a message shows it: as Python writes it, cut after LONGEST characters."""
    text = repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."
