"""The miniature's and the paper's configurations, as Snakemake would resolve them."""

from pathlib import Path
from typing import Any

import yaml

from scripts.project.defaults import default_config


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """An overlay laid over a configuration, sections into sections."""
    return {
        **base,
        **{
            key: merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
            for key, value in over.items()
        },
    }


MINI = default_config()
PAPER = merged(MINI, yaml.safe_load(Path("workflow/configs/paper.yaml").read_text()))
