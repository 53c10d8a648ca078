"""Models of one modality that differ in the training seed alone: one more for each of the configuration's `seeds`."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from scripts.lm.further_models import further_models


class SeedReplica(NamedTuple):
    """A modality trained again with another seed, on the same tokens."""

    modality: str
    seed: int


def replica_name(modality: str, seed: int) -> str:
    """The name of a seed replica wherever a modality has a name, e.g. "phone-raw-seed2"."""
    return f"{modality}-seed{seed}"


def seed_replicas(config: Mapping[str, Any]) -> dict[str, SeedReplica]:
    """The seed replicas of all modalities of a configuration, by name."""
    return further_models(config["modalities"], config["seeds"], replica_name, SeedReplica)
