"""What a published folder says of its data and licence: given, or known of the source of the speech."""

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
        ValueError: one line; the configuration does not say what no source is known for.
    """
    given, source = config["publish"], config["corpus"]["source"]
    license_ = given["license"] or (WORLD_LICENSE if source == "world" else None)
    if license_ is None:
        raise ValueError(
            "config: publish.license is null; say under which licence the models and tokens are published, as hubs"
            " write it, e.g. cc-by-4.0 (docs/publish.md)"
        )
    data = given["data"] or KNOWN_DATA.get(source)
    if data is None:
        raise ValueError(
            f"config: publish.data is null and corpus.source is {source}; say in a sentence what speech the models and"
            " tokens are made of (docs/publish.md)"
        )
    return as_json({"experiment": config["name"], "seed": config["seed"], "license": license_, "data": data})
