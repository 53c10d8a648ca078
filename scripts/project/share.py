"""Stages that are another experiment's: made once, in its folder, for as many experiments as agree about them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.common.config_differences import differences
from scripts.common.files import read_json
from scripts.project.check import task_names
from scripts.project.results_format import check_format

# What of the configuration decides a stage's files, beside what decides those before it.
DECIDES = {
    "corpus": ["seed", "corpus", "download.folder"],
    "alignment": ["alignment", "units.external"],
    "units": ["units"],
    "tokens": ["tokens", "modalities"],
}
SHARABLE = tuple(DECIDES)  # a stage and all before it, or none


def shared_stages(config: Mapping[str, Any]) -> dict[str, str]:
    """Stage -> the experiment whose folder it is in, for the stages that `share` names.

    Sharing goes up to a stage, since a stage of other inputs is another one.
    """
    share = config["share"]
    if share["with"] is None:
        return {}
    return dict.fromkeys(SHARABLE[: SHARABLE.index(share["through"]) + 1], share["with"])


def check_shared(config: Mapping[str, Any], results: Path = Path("results")) -> None:
    """Check that the experiment which `share` names was run with what decides the shared stages here.

    Args:
        config: the resolved configuration.
        results: the folder of all experiments; each has its resolved configuration in config.json.

    Raises:
        ValueError: naming the key and both values, or what is missing.
    """
    stages = shared_stages(config)
    if not stages:
        return
    owner = config["share"]["with"]
    if owner == config["name"]:
        raise ValueError(f"config: share.with is {owner!r}, this experiment's own name; name another one or null")
    written = results / owner / "config.json"
    if not written.is_file():
        raise ValueError(f"config: share.with is {owner!r}, but there is no {written}; run that experiment first")
    check_format(results / owner)
    theirs = read_json(written)
    if (further := _at(theirs, "share.with")) is not None:
        raise ValueError(f"config: share.with is {owner!r}, which shares with {further!r} itself; name that one")
    for stage in stages:
        for key in DECIDES[stage]:
            for path, here, there in differences(key, _at(config, key), _at(theirs, key)):
                raise ValueError(
                    f"config: {path} is {here} here and {there} in {written};"
                    f" the stage {stage} cannot be shared (share.through: {config['share']['through']})"
                )
    if task_names(config) != task_names(theirs):  # tables list them in this order
        raise ValueError(f"config: the tasks stand in another order than in {written}; give them the same")


def _at(config: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path; None where there is none: an older version wrote the file."""
    value: Any = config
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
