"""Models of one modality that differ in the amount of training data alone: one more for each of `lm.data_shares`.

Each is trained with a complete schedule on the first utterances of the order of their ids' hashes, which is the same in
every modality; a smaller share is contained in a larger one.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from scripts.common.ragged import Ragged
from scripts.lm.further_models import further_models


class ShareModel(NamedTuple):
    """A modality trained on a share of the utterances of train."""

    modality: str
    share: float


def share_name(modality: str, share: float) -> str:
    """The name of such a model wherever a modality has a name, e.g. "phone-raw-data25" for a quarter."""
    return f"{modality}-data{100 * share:g}"


def share_models(config: Mapping[str, Any]) -> dict[str, ShareModel]:
    """The models on a share of the data of all modalities of a configuration, by name."""
    return further_models(config["modalities"], config["lm"]["data_shares"], share_name, ShareModel)


def first_share(tokens: Ragged, share: float) -> np.ndarray:
    """Indices of the first `share` of the utterances in the order of their ids' hashes, rising, int64 [S].

    Raises:
        ValueError: no utterance is left.
    """
    count = round(share * len(tokens))
    if count < 1:
        raise ValueError(f"a share of {share:g} of {len(tokens)} utterances holds none; lm.data_shares is too small")
    return np.sort(tokens.order[:count])
