"""The configuration's sections `factors` and `evaluation`, and the parts of them that the steps take."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen, MultipleOf

from scripts.common.bounds import BatchTokens, Pattern, Text, Threads
from scripts.common.config import parse

Items = Annotated[int, Ge(2), Le(1_000_000_000), MultipleOf(2)]
SystemName = Annotated[str, Pattern("^[A-Za-z0-9][A-Za-z0-9-]*$")]


@dataclass(frozen=True)
class Factor:
    """What lies between two modalities; its change is measured from the one to the other."""

    name: Text
    """the factor's letter"""
    from_: str
    """modality without the factor"""
    to: str
    """modality that has the factor"""

    @property
    def pair(self) -> tuple[str, str]:
        """The modality without the factor and the one that has it."""
        return self.from_, self.to

    @property
    def key(self) -> tuple[str, str, str]:
        """Letter and modalities: the columns factor, baseline and modality of the tables."""
        return self.name, self.from_, self.to


@dataclass(frozen=True)
class Decision:
    """Which side of a pair wins."""

    score_normalization: Literal["total", "per_token", "per_second"]
    """score that decides a pair: log-probability in total, per_token or per_second"""


@dataclass(frozen=True)
class Resampling:
    """How intervals are made."""

    bootstrap_samples: Annotated[int, Ge(1), Le(10_000_000)]
    """resamples of couples of items per interval"""


@dataclass(frozen=True)
class Batching:
    """How models are run."""

    batch_tokens: BatchTokens
    """tokens per forward pass when scoring; more than a CPU's cache holds is slower"""
    precision: Literal["auto", "fp32", "tf32", "bf16"]
    """precision of products when scoring: fp32, tf32, bf16; auto: fp32 (CPU), tf32 (GPU)"""
    threads: Threads
    """CPU threads"""


@dataclass(frozen=True)
class TextScoring(Decision, Batching):
    """What scores of text tasks depend on besides the model."""


@dataclass(frozen=True)
class Summarising(Decision, Resampling):
    """What a table of accuracies depends on."""


@dataclass(frozen=True)
class Scoring(Summarising, Batching):
    """What scores and their intervals depend on besides the model."""


@dataclass(frozen=True)
class LayerScoring(Scoring):
    """What the scores of a trained model and of its layers depend on."""

    lens_tokens: Annotated[int, Ge(1), Le(1_000_000_000)]
    """tokens of train that the tuned lens of every modality is fitted on"""


@dataclass(frozen=True)
class Scaling(Scoring):
    """What the scaling curves depend on."""

    scaling_items: Items | None
    """items per task that the checkpoints inside epoch 1 are scored on, evenly over the file, an even number; null:
    all"""


@dataclass(frozen=True)
class Controls(Scoring):
    """What untrained models and shuffled durations are scored by."""

    control_items: Items | None
    """items per task that untrained models and shuffled durations are scored on, evenly over the file, an even
    number; null: all"""
    untrained_draws: Annotated[int, Ge(1), Le(1_000)]
    """untrained models per modality, each with its own weights; 10 where time allows"""


@dataclass(frozen=True)
class Submission:
    """meta.yaml of `snakemake submission` (ZeroSpeech 2021)."""

    author: Text
    """who submits"""
    affiliation: Text
    """where the author works"""
    description: Text
    """what the system is; the modality's name is appended"""
    open_source: bool
    """whether the code is public"""
    train_set: Text
    """what the models were trained on"""
    gpu_budget: Annotated[float, Ge(0), Le(1e12)]
    """GPU hours of the training"""


@dataclass(frozen=True)
class Evaluation(Scaling, LayerScoring, Controls, TextScoring):
    """Zero-shot tasks: scores, baselines, layers, scaling."""

    text_tasks: dict[SystemName, Text]
    """tasks without audio, for text modalities alone: name -> jsonl file or folder of such files (BLiMP's form, or
    choices)"""
    external_systems: dict[SystemName, Annotated[dict[str, Text], MinLen(1)]]
    """other systems: name -> {task: file with a score per cut (csv, jsonl, or lines <id> <score>)}; each gets a row
    in the tables"""
    submission: Submission
    """meta.yaml of `snakemake submission` (ZeroSpeech 2021, with sLM21 as tasks)"""


def parse_factors(text: str) -> tuple[Factor, ...]:
    """The factors in JSON, {"factors": [...]}; ValueError naming a key that is wrong."""
    return parse(dict[str, tuple[Factor, ...]], text, "")["factors"]


def problems(evaluation: Evaluation, modalities: Collection[str], tasks: Collection[str]) -> Iterator[str]:
    """What is wrong between keys of the section, and with names that it shares with others, a line each.

    Args:
        evaluation: the section.
        modalities: names of the modalities.
        tasks: names of the tasks of the corpus.
    """
    for system, files in evaluation.external_systems.items():
        where = f"evaluation.external_systems.{system}"
        if system in modalities:
            yield f"{where} has the name of a modality; another system needs a name of its own"
        for task in files:
            if task not in tasks:
                known = ", ".join(tasks) or "none"
                yield f"{where}.{task} is not a task of this corpus; known: {known}"
    for task in evaluation.text_tasks:
        where = f"evaluation.text_tasks.{task}"
        if task in tasks:
            yield f"{where} has the name of a task of this corpus; rename it"
        if evaluation.score_normalization == "per_second":
            yield f"{where} has no seconds; with it evaluation.score_normalization is total or per_token"
