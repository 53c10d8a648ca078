"""The whole configuration: a section per stage, each defined with its stage, and what belongs to no stage."""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le, MinLen

from scripts.alignment.config import Alignment
from scripts.common.bounds import Name, Unique
from scripts.continuation.config import Continuation
from scripts.corpus.config import Corpus
from scripts.download.config import Download
from scripts.evaluation.config import Evaluation
from scripts.evaluation.dial_config import Crossing, Dial, Ladder
from scripts.lm.config import LMSection
from scripts.plan.config import Plan
from scripts.report.config import Factor, Report
from scripts.tokens.config import ModalityEntry, ModalityName, Tokens
from scripts.units.config import Units

Seed = Annotated[int, Ge(0), Le(2**63 - 1)]
Gpus = Annotated[int, Ge(0), Le(1024)]


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
class Cluster:
    """GPUs of a stage's jobs. Memory, time limits and CPUs stand in the profile: no result depends on them."""

    gpus: StageGpus
    """GPUs of one job; as many processes train one language model"""


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
    crossings: tuple[Crossing, ...]
    """modalities with and without some factors, so that these can be added in more than one order"""
    ladders: tuple[Ladder, ...]
    """chains of modalities that divide a change into steps"""
    dials: tuple[Dial, ...]
    """modalities that differ in the dose of one cause"""
    tokens: Tokens
    """what holds for the tokens of all modalities"""
    lm: LMSection
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
