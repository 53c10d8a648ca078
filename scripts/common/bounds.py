"""Annotations of configuration keys: bounds beside those of annotated_types, what holds of a value, and its words."""

import re
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf

JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


@dataclass(frozen=True)
class Pattern:
    """A text must hold a match of this regular expression."""

    regex: str

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], dict]) -> dict:
        return {**handler(source), "pattern": self.regex}


@dataclass(frozen=True)
class Unique:
    """No item of a list may be there twice."""

    def __get_pydantic_json_schema__(self, core: Any, handler: Callable[[Any], dict]) -> dict:
        return {**handler(core), "uniqueItems": True}


Text = Annotated[str, MinLen(1)]
Name = Annotated[str, Pattern("^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Share = Annotated[float, Ge(0), Le(1)]
Threads = Annotated[int, Ge(1), Le(1024)]
BatchTokens = Annotated[int, Ge(1), Le(100_000_000)]


@cache
def split(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """An annotation without `Annotated`, and the bounds that it held."""
    if get_origin(hint) is Annotated:
        bare, *bounds = get_args(hint)
        return bare, tuple(bounds)
    return hint, ()


@cache
def members(hint: Any) -> tuple[Any, ...]:
    """The members of a union, each with its bounds; of another annotation itself."""
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def type_words(hint: Any) -> str:
    """The JSON types of an annotation, or the values of a Literal, in words."""
    annotations = [split(member)[0] for member in members(hint)]
    literal = [
        str(value) for annotation in annotations if get_origin(annotation) is Literal for value in get_args(annotation)
    ]
    named = [_type_name(annotation) for annotation in annotations if get_origin(annotation) is not Literal]
    if not literal:
        return "of type " + " or ".join(named)
    return (f"one of {', '.join(literal)}" if len(literal) > 1 else literal[0]) + "".join(f" or {n}" for n in named)


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) is dict or is_dataclass(annotation):
        return "object"
    return "array" if get_origin(annotation) is tuple else JSON_TYPES[annotation]


def fits(annotation: Any, value: Any) -> bool:
    """Whether a value has the JSON type of a bare annotation."""
    if get_origin(annotation) is Literal:
        return not isinstance(value, bool) and value in get_args(annotation)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    name = _type_name(annotation)
    return isinstance(value, {"object": Mapping, "array": list | tuple}.get(name, annotation))


def bound_words(bound: Any, annotation: Any) -> str:
    """What a bound asks of a value of a bare annotation, in words."""
    counted = {"array": "items", "object": "entries"}.get(_type_name(annotation), "characters")
    match bound:
        case Ge(ge=limit):
            return f"be at least {limit}"
        case Gt(gt=limit):
            return f"be greater than {limit}"
        case Le(le=limit):
            return f"be at most {limit}"
        case Lt(lt=limit):
            return f"be less than {limit}"
        case MultipleOf(multiple_of=limit):
            return f"be a multiple of {limit}"
        case MinLen(min_length=limit):
            return f"have at least {limit} {counted}"
        case MaxLen(max_length=limit):
            return f"have at most {limit} {counted}"
        case Pattern(regex=regex):
            return f"match {regex}"
        case Unique():
            return f"have no two equal {counted}"
    raise TypeError(f"{bound!r} is not a bound of scripts/common/bounds.py")


def is_broken(bound: Any, value: Any) -> bool:
    """Whether a value breaks a bound."""
    match bound:
        case Ge(ge=limit):
            return not value >= limit
        case Gt(gt=limit):
            return not value > limit
        case Le(le=limit):
            return not value <= limit
        case Lt(lt=limit):
            return not value < limit
        case MultipleOf(multiple_of=limit):
            return bool(value % limit)
        case MinLen(min_length=limit):
            return len(value) < limit
        case MaxLen(max_length=limit):
            return len(value) > limit
        case Pattern(regex=regex):
            # A $ alone is also before a last line end.
            return re.search(regex.removesuffix("$") + r"\Z" if regex.endswith("$") else regex, value) is None
        case Unique():
            return any(item in value[:place] for place, item in enumerate(value))
    raise TypeError(f"{bound!r} is not a bound of scripts/common/bounds.py")
