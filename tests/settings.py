"""Sections of config.yaml, changed for a test, as the rules hand them to steps."""

import json
from pathlib import Path
from typing import Any, TypeVar

import yaml

from scripts.common.config import keys_of, part_json, read

T = TypeVar("T")


def section(path: str) -> dict[str, Any]:
    """A section of config.yaml, e.g. "continuation.speech"; "" for all of it."""
    found = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))
    for key in path.split(".") if path else ():
        found = found[key]
    return found


def settings(kind: type, path: str, **changes: Any) -> str:
    """JSON of the keys of a section that a step takes, those of `changes` changed; others of `changes` are left out."""
    changed = {key: value for key, value in changes.items() if key in keys_of(kind)}
    return part_json(section(path) | changed, kind)


def configured(kind: type[T], path: str, **changes: Any) -> T:
    """The same as the step's dataclass."""
    value, problems = read(kind, json.loads(settings(kind, path, **changes)), path)
    assert not problems
    return value
