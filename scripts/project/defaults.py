"""The configuration where nothing overrides it."""

from pathlib import Path
from typing import Any

import yaml

# Snakefile reads the same files in the same order; no two of them hold the same section.
FILES = (Path("resources/plan.yaml"), Path("config.yaml"))


def default_config() -> dict[str, Any]:
    """Every section with its default values; paths are relative to the repository's root."""
    return {key: value for file in FILES for key, value in yaml.safe_load(file.read_text(encoding="utf-8")).items()}
