"""The whole configuration: a section per stage, each defined with its stage, and what belongs to no stage."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from scripts.alignment.config import Alignment
from scripts.common.bounds import Name, Unique
from scripts.continuation.config import Continuation
from scripts.corpus.config import Corpus
from scripts.download.config import Download
from scripts.evaluation.config import Evaluation, Factor
from scripts.evaluation.dial_config import Crossing, Dial, Ladder
from scripts.lm.config import LMSection
from scripts.plan.config import Plan
from scripts.report.config import Compare, Publish, Report
from scripts.tokens.config import ModalityEntry, ModalityName, Tokens
from scripts.units.config import Units

Seed = Annotated[int, Ge(0), Le(2**63 - 1)]
Gpus = Annotated[int, Ge(0), Le(1024)]


@dataclass(frozen=True)
class Sharing:
    """Stages that are another experiment's, made once for both."""

    with_: Name | None
    """name of the other experiment under results/; null: every stage is made here"""
    through: Literal["corpus", "alignment", "units", "tokens"]
    """last stage of the other experiment that is used: corpus, alignment, units, tokens"""


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
class Cluster:
    """GPUs of a stage's jobs. Memory, time limits and CPUs stand in the profile: no result depends on them."""

    gpus: StageGpus
    """GPUs of one job; training runs a process on each"""


@dataclass(frozen=True)
class Configuration:
    """Everything that a configuration file may say."""

    name: Name
    """the experiment's folder: results/<name>/"""
    seed: Seed
    """every random choice of every stage derives from it"""
    seeds: Annotated[tuple[Seed, ...], Unique()]
    """further seeds of every modality's model, on the same tokens; a table compares them"""
    share: Sharing
    """stages that are another experiment's, made once for both"""
    download: Download
    """data that others publish, listed in resources/datasets.yaml"""
    corpus: Corpus
    """speech, its texts and the zero-shot tasks"""
    alignment: Alignment
    """phones and words with their times"""
    units: Units
    """discrete symbols of speech"""
    modalities: Annotated[dict[ModalityName, ModalityEntry], MinLen(1)]
    """name -> where a modality's symbols come from, how they become tokens, at what rate"""
    factors: tuple[Factor, ...]
    """pairs of modalities that differ in one factor; change is measured from -> to"""
    crossings: tuple[Crossing, ...]
    """factors that are added in more than one order: interaction, Shapley values (docs/dials.md)"""
    ladders: tuple[Ladder, ...]
    """chains of modalities that divide a factor's change into steps (docs/dials.md)"""
    dials: tuple[Dial, ...]
    """modalities that differ in the dose of one cause (docs/dials.md)"""
    tokens: Tokens
    """what holds for the tokens of all modalities"""
    lm: LMSection
    """the language models"""
    evaluation: Evaluation
    """zero-shot tasks: scores, intervals, baselines, layers and scaling"""
    continuation: Continuation
    """continuations of the same prompts by every model, and how they are measured"""
    cluster: Cluster
    """what jobs ask of a scheduler; memory, time and CPUs stand in the profile"""
    plan: Plan
    """sizes and speeds for `snakemake plan`"""
    report: Report
    """tables, figures and pages"""
    compare: Compare
    """experiments side by side, by `snakemake compare` (docs/compare.md)"""
    publish: Publish
    """folders ready for a model hub, by `snakemake publish` (docs/publish.md)"""
