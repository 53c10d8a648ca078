"""Disk usage of a run, and when files can be deleted."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from scripts.plan import work
from scripts.plan.amounts import Amounts
from scripts.plan.costs import GIGA, Cost


class Stored(NamedTuple):
    """A kind of large files, their size, and when they can be deleted."""

    what: str
    gigabytes: float
    goes: str


def storage(config: Mapping[str, Any], stages: Sequence[Cost]) -> list[Stored]:
    """The large files of a run, in the order of the stages."""
    amounts = Amounts(config)
    by_name = {stage.name: stage for stage in stages}
    training = config["lm"]["training"]
    trained = sum(amounts.parameters(modality) for _, modality, _ in work.models(config))
    sound = work.rule_work("corpus_speak", amounts).kept + work.rule_work("corpus_speak_tasks", amounts).kept
    world = config["corpus"]["source"] == "world"
    rows = [
        Stored(
            "audio",
            sound / GIGA if world else by_name["download"].written_gb if "download" in by_name else 0.0,
            "by hand, once continuation is done; spoken again where needed"
            if world
            else "by hand with its marker, once continuation is done; fetched again where needed",
        ),
        Stored("alignment", _written(by_name, "alignment"), "stays: tokens and evaluation read it"),
        Stored("units", _written(by_name, "units"), "stays: dear to make again"),
        Stored(
            "tokens by shard",
            work.rule_work("tokens_encode", amounts).temporary / GIGA,
            "by itself, when they are joined",
        ),
        Stored("tokens", work.rule_work("tokens_pack", amounts).kept / GIGA, "stays: training and evaluation read it"),
        Stored(
            "states of trainings",
            work.rule_work("lm_train", amounts).temporary / GIGA,
            "by itself, when the model is done",
        ),
        Stored("models", 4 * trained / GIGA, "stays: the result"),
        Stored(
            "models inside epoch 1",
            4 * training["checkpoints_in_epoch_1"] * trained / GIGA,
            "by hand, once scaling is final; another scaling analysis would train again",
        ),
    ]
    return [row for row in rows if row.gigabytes > 0]


def _written(stages: Mapping[str, Cost], name: str) -> float:
    return stages[name].written_gb - stages[name].temporary_gb if name in stages else 0.0
