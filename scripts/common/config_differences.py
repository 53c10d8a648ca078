"""Where two configurations differ."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

NOT_SET = "not set"


def differences(path: str, here: Any, there: Any) -> Iterator[tuple[str, str, str]]:
    """Every key at or below `path` that differs, with both values as they would be written in JSON."""
    if isinstance(here, Mapping) and isinstance(there, Mapping):
        for key in [*here, *(key for key in there if key not in here)]:
            if key not in here or key not in there:
                yield f"{path}.{key}", "set" if key in here else NOT_SET, "set" if key in there else NOT_SET
            else:
                yield from differences(f"{path}.{key}", here[key], there[key])
    elif here != there:
        yield path, json.dumps(here), json.dumps(there)
