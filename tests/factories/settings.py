"""Sections of the default configuration, changed for a test, as the rules hand them to steps."""

import json
from typing import Any, TypeVar

from scripts.alignment.config import resolved_oov
from scripts.common.config import keys_of, part_json, read
from scripts.project.defaults import default_config

T = TypeVar("T")


def section(path: str) -> dict[str, Any]:
    """A section of the default configuration, e.g. "continuation.speech"; "" for all of it."""
    value = default_config()
    value["alignment"]["oov"] = resolved_oov(value["alignment"]["oov"], value["corpus"]["source"])
    for key in path.split(".") if path else ():
        value = value[key]
    return value


def settings(definition: type, path: str, **changes: Any) -> str:
    """JSON of the keys of a section that a step takes, those of `changes` changed; others of `changes` are left out."""
    changed = {key: value for key, value in changes.items() if key in keys_of(definition)}
    return part_json(section(path) | changed, definition)


def configured(definition: type[T], path: str, **changes: Any) -> T:
    """The same as the step's dataclass."""
    value, problems = read(definition, json.loads(settings(definition, path, **changes)), path)
    assert not problems
    return value
