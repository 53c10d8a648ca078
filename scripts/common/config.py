"""Parts of the configuration as the text that rules hand to steps."""

import json
from collections.abc import Mapping
from typing import Any


def as_json(section: Mapping[str, Any], *keys: str) -> str:
    """A section (or these of its keys) as JSON with sorted keys: one flag of a step's command line."""
    chosen = {key: section[key] for key in keys} if keys else dict(section)
    return json.dumps(chosen, sort_keys=True)
