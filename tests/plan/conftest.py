"""The miniature's and the paper's configurations, as Snakemake would resolve them."""

from pathlib import Path
from typing import Any

import yaml


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """An overlay laid over a configuration, sections into sections."""
    return {
        **base,
        **{
            key: merged(base[key], value) if isinstance(value, dict) and isinstance(base.get(key), dict) else value
            for key, value in over.items()
        },
    }


MINI = yaml.safe_load(Path(__file__).parents[2].joinpath("config.yaml").read_text())
PAPER = merged(MINI, yaml.safe_load(Path(__file__).parents[2].joinpath("workflow/configs/paper.yaml").read_text()))
