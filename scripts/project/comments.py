"""The comments of config.yaml: behind every key, the meaning that its definition gives it.

What a definition does not know stays as it was written: lines of comment above a key (why it has its value), and the
comment behind a name that a user gives (a task, a modality).
"""

import textwrap
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple, get_args, get_origin

import yaml

from scripts.common.bounds import members, split
from scripts.common.config import hints_of, key_of, notes_of

COLUMN = 34  # where comments begin, unless a value reaches beyond it
WIDTH = 120
NARROWEST = 40  # columns that a comment needs


class Commented(NamedTuple):
    """A key of the file.

    Attributes:
        line: number of its line, from 0.
        end: the column behind its value, or behind its colon where the value begins on a later line.
        note: what it means.
    """

    line: int
    end: int
    note: str


def commented(text: str, kind: type) -> str:
    """A configuration file whose comments behind its keys are the meanings of the keys.

    Args:
        text: of the file; the value of a key ends on the line on which it begins, unless it is a block.
        kind: the dataclass of the whole configuration.
    """
    keys = {key.line: key for key in _keys(yaml.compose(text), kind)}
    lines = [
        line
        for number, given in enumerate(text.splitlines())
        if not _continues_comment(given)
        for line in (_with_note(given, keys[number]) if number in keys else [given])
    ]
    return "\n".join(lines) + "\n"


def _continues_comment(line: str) -> bool:
    """Whether a line holds nothing but the rest of a comment that began behind a key."""
    return line.lstrip().startswith("#") and line.index("#") >= COLUMN


def _with_note(line: str, key: Commented) -> list[str]:
    """A key's line with its note behind it, and further lines below for what does not fit."""
    code = line[: key.end]
    column = max(COLUMN, len(code) + 3) if len(code) + 1 > COLUMN else COLUMN
    first, *more = textwrap.wrap(key.note, max(WIDTH - column - 2, NARROWEST), break_on_hyphens=False)
    return [f"{code:{column}}# {first}", *(f"{'':{column}}# {rest}" for rest in more)]


def _keys(node: yaml.MappingNode, kind: type) -> Iterator[Commented]:
    """The defined keys of a block, each before those below it."""
    known = {key_of(field.name): field.name for field in fields(kind)}
    for key, value in node.value:
        name = known[key.value]
        is_block = isinstance(value, yaml.CollectionNode) and not value.flow_style
        end = key.end_mark.column + 1 if is_block else value.end_mark.column
        yield Commented(key.start_mark.line, end, notes_of(kind)[name])
        if is_block:
            yield from _below(value, hints_of(kind)[name])


def _below(node: yaml.CollectionNode, hint: Any) -> Iterator[Commented]:
    """The defined keys in the value of a key."""
    for member in members(hint):
        bare = split(member)[0]
        if is_dataclass(bare):
            yield from _keys(node, bare)  # type: ignore[arg-type]
        elif get_origin(bare) is dict:
            for _, value in node.value:
                if isinstance(value, yaml.CollectionNode) and not value.flow_style:
                    yield from _below(value, get_args(bare)[1])
