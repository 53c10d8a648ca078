"""The whole configuration: a section per stage, each defined with its stage, and what belongs to no stage."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from scripts.alignment.config import Alignment
from scripts.common.bounds import Name, Threads, Unique
from scripts.continuation.config import Continuation
from scripts.corpus.config import Corpus
from scripts.download.config import Download
from scripts.evaluation.config import Evaluation
from scripts.lm.config import LMConfig
from scripts.plan.config import Plan
from scripts.report.config import Factor, Report
from scripts.tokens.config import ModalityEntry, ModalityName, Tokens
from scripts.units.config import Units

Seed = Annotated[int, Ge(0), Le(2**63 - 1)]
Gpus = Annotated[int, Ge(0), Le(1024)]
Megabytes = Annotated[int, Ge(100), Le(100_000_000)]
Minutes = Annotated[int, Ge(1), Le(10_000_000)]


@dataclass(frozen=True)
class Sharing:
    """Stages that are another experiment's, made once for both."""

    with_: Name | None
    """the other experiment's name under results/; null: every stage is this experiment's own"""
    through: Literal["corpus", "alignment", "units", "tokens"]
    """the last stage of the other experiment that is used"""


@dataclass(frozen=True)
class StageGpus:
    """GPUs that one of a stage's jobs asks for."""

    units: Gpus
    """GPUs of one job"""
    lm: Gpus
    """GPUs of one job"""
    evaluation: Gpus
    """GPUs of one job"""
    continuation: Gpus
    """GPUs of one job"""


@dataclass(frozen=True)
class StageMegabytes:
    """Memory that one of a stage's heavy jobs asks for at its first try."""

    corpus: Megabytes
    """megabytes of one job at its first try"""
    alignment: Megabytes
    """megabytes of one job at its first try"""
    units: Megabytes
    """megabytes of one job at its first try"""
    tokens: Megabytes
    """megabytes of one job at its first try"""
    lm: Megabytes
    """megabytes of one job at its first try"""
    evaluation: Megabytes
    """megabytes of one job at its first try"""
    continuation: Megabytes
    """megabytes of one job at its first try"""


@dataclass(frozen=True)
class StageMinutes:
    """Time limit of one of a stage's heavy jobs at its first try."""

    corpus: Minutes
    """time limit of one job at its first try"""
    alignment: Minutes
    """time limit of one job at its first try"""
    units: Minutes
    """time limit of one job at its first try"""
    tokens: Minutes
    """time limit of one job at its first try"""
    lm: Minutes
    """time limit of one job at its first try"""
    evaluation: Minutes
    """time limit of one job at its first try"""
    continuation: Minutes
    """time limit of one job at its first try"""


@dataclass(frozen=True)
class StageCpus:
    """CPU cores of one of a stage's jobs, at least."""

    lm: Threads
    """of a training, all its processes together"""


@dataclass(frozen=True)
class Cluster:
    """What a stage's heavy jobs ask of a scheduler; results do not depend on it."""

    gpus: StageGpus
    """GPUs of one job"""
    cpus: StageCpus
    """CPU cores of one job, where they are more than its processes compute with"""
    mem_mb: StageMegabytes
    """memory of one job"""
    minutes: StageMinutes
    """time limit of one job"""


@dataclass(frozen=True)
class Configuration:
    """Everything that a configuration file may say."""

    name: Name
    """the experiment's folder: results/<name>/"""
    seed: Seed
    """every random choice of every stage derives from it"""
    seeds: Annotated[tuple[Seed, ...], Unique()]
    """further seeds to train every modality's model with, on the same tokens"""
    share: Sharing
    """stages that are another experiment's"""
    download: Download
    """other people's data"""
    corpus: Corpus
    """speech, its texts and the zero-shot tasks"""
    alignment: Alignment
    """phones and words with their times"""
    units: Units
    """discrete symbols of speech"""
    modalities: Annotated[dict[ModalityName, ModalityEntry], MinLen(1)]
    """name -> where its symbols come from, how they become tokens, at what rate"""
    factors: tuple[Factor, ...]
    """pairs of modalities whose difference is one factor"""
    tokens: Tokens
    """what holds for the tokens of all modalities"""
    lm: LMConfig
    """the language models"""
    evaluation: Evaluation
    """zero-shot tasks"""
    continuation: Continuation
    """what each model says after the same beginnings"""
    cluster: Cluster
    """what jobs ask of a scheduler"""
    plan: Plan
    """sizes and speeds for `snakemake plan`"""
    report: Report
    """tables, figures and pages"""
