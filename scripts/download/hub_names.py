"""Names of models on the Hugging Face hub, and the records of their downloads."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")  # owner/name


def is_hub_name(source: str) -> bool:
    """Whether a source is a model of the hub: it is written as one, and nothing of this name is here."""
    return HUB_NAME.fullmatch(source) is not None and not Path(source).exists()


def hub_record(folder: str, source: str) -> str:
    """The record of a model that the hub's cache holds; `/` in a name is `--` here, as in the cache."""
    return f"{folder}/hub/{source.replace('/', '--')}.json"


def hub_name(recorded: str) -> str:
    """The name of a model on the hub, from the name of its record."""
    return recorded.replace("--", "/")


def hub_models(config: Mapping[str, Any], *, own_units: bool) -> list[str]:
    """The models of the hub that a configuration's stages load; `own_units`: whether units are computed here."""
    encoder, continuation = config["units"]["encoder"]["source"], config["continuation"]
    read = any(line["source"] == "units" for line in config["modalities"].values())
    sources = [encoder] * (own_units and read)
    if continuation["prompts"]:
        sources += [continuation["judge"]["source"], continuation["speech"]["vocoder"]]
    return [source for source in sources if is_hub_name(source)]
