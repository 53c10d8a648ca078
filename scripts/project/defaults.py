"""The configuration where nothing overrides it."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.common.places import ROOT

# No two of them hold the same section.
FILES = (Path("resources/plan.yaml"), Path("config.yaml"))
# Keys whose default is a path in this repository; a path that the user gives is seen from the working directory.
OWN_PATHS = ("corpus.prompts", "units.encoder.fairseq_python", "plan.profile")


def default_config(here: Path = Path()) -> dict[str, Any]:
    """Every section with its default values.

    Args:
        here: the repository's root, seen from the working directory; own paths begin with it.
    """
    config: dict[str, Any] = {}
    for file in FILES:
        config |= yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))
    for path in OWN_PATHS:
        *sections, key = path.split(".")
        section = config
        for name in sections:
            section = section[name]
        section[key] = str(here / section[key])
    return config


def complete(given: Mapping[str, Any], here: Path) -> dict[str, Any]:
    """A configuration laid over the default one, as Snakemake lays one file over another.

    Keys stand in the order in which they are given, then those of the defaults: tables and plots list modalities and
    tasks in it. A modality of null is left out, with the factors that name it. Snakemake's own section `pathvars` is
    not part of it.
    """
    own = {key: value for key, value in given.items() if key != "pathvars"}
    config = copy.deepcopy(own)
    _lay_over(config, default_config(here))
    _lay_over(config, copy.deepcopy(own))
    return _without_null_modalities(config)


def as_given(config: Mapping[str, Any]) -> dict[str, Any]:
    """A complete configuration from which `complete` makes the same one: null for the modalities that it leaves out."""
    left_out = dict.fromkeys(name for name in default_config()["modalities"] if name not in config["modalities"])
    return {**config, "modalities": {**config["modalities"], **left_out}}


def _without_null_modalities(config: dict[str, Any]) -> dict[str, Any]:
    modalities, factors = config["modalities"], config["factors"]
    if not isinstance(modalities, dict) or not isinstance(factors, list):  # `check` says so
        return config
    left_out = {name for name, line in modalities.items() if line is None}
    config["modalities"] = {name: line for name, line in modalities.items() if name not in left_out}
    config["factors"] = [
        factor
        for factor in factors
        if not (isinstance(factor, dict) and left_out & {factor.get("from"), factor.get("to")})
    ]
    return config


def _lay_over(config: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set the values, within sections key by key."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            if not isinstance(config.get(key), dict):
                config[key] = {}
            _lay_over(config[key], value)
        else:
            config[key] = value
