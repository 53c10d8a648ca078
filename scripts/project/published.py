"""Licence and data of an experiment for the cards of published folders: given, or known for the source."""

from collections.abc import Mapping
from typing import Any

from scripts.common.config import as_json

WORLD_LICENSE = "mit"  # of the texts, which this workflow writes; the voices are espeak-ng's
KNOWN_DATA = {
    "world": "Texts that the workflow writes (`corpus.world`), spoken by espeak-ng.",
    "libriheavy": "LibriHeavy (Kang et al. 2023, arXiv:2309.08105): LibriVox's recordings of public-domain books.",
    "librispeech": "LibriSpeech (Panayotov et al. 2015, CC BY 4.0), https://www.openslr.org/12.",
}


def origin(config: Mapping[str, Any]) -> str:
    """JSON of experiment, seed, license and data, for every card.

    Raises:
        ValueError: one line per key that is neither given nor known for this source.
    """
    given, source = config["publish"], config["corpus"]["source"]
    license_ = given["license"] or (WORLD_LICENSE if source == "world" else None)
    data = given["data"] or KNOWN_DATA.get(source)
    missing = []
    if license_ is None:
        missing.append(
            "config: publish.license is null; say under which licence the models and tokens are published, as hubs"
            " write it, e.g. cc-by-4.0 (docs/publish.md)"
        )
    if data is None:
        missing.append(
            f"config: publish.data is null and corpus.source is {source}; say in a sentence what speech the models and"
            " tokens are made of (docs/publish.md)"
        )
    if missing:
        raise ValueError("\n".join(missing))
    return as_json({"experiment": config["name"], "seed": config["seed"], "license": license_, "data": data})
