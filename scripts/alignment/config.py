"""The configuration's section `alignment`, and the parts of it that the steps take."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

from scripts.common.bounds import Text

Beam = Annotated[float, Gt(0), Le(1e6)]


@dataclass(frozen=True)
class Triphone:
    """Context-dependent states, trained after the monophones."""

    leaves: Annotated[int, Ge(100), Le(1_000_000)]
    """states that the decision trees may grow"""
    gaussians: Annotated[int, Ge(100), Le(10_000_000)]
    """Gaussians of all states together"""


@dataclass(frozen=True)
class Search:
    """How a path through an utterance is looked for."""

    beam: tuple[Beam, Beam]
    """first beam, and the wider one for what failed in it"""
    oov: Literal["drop", "guess", "noise"]
    """what a word without pronunciation causes: drop its utterance, guess it from its letters, or noise (SPN)"""


@dataclass(frozen=True)
class Aligning(Search):
    """What alignment with a trained model depends on."""

    min_log_likelihood: Literal["auto"] | Annotated[float, Ge(-1e6), Le(1e6)]
    """lowest log-likelihood per frame, relative to the likelihood bound (docs/glossary.md), below which an
    alignment is dropped; auto: calibrated on right and wrong texts of the training sample, by the utterance's
    length"""


@dataclass(frozen=True)
class Training(Search):
    """What the acoustic model depends on."""

    sample_hours: Annotated[float, Gt(0), Le(1e6)]
    """hours of speech that the acoustic model is trained on"""
    frame_shift_ms: Annotated[int, Ge(5), Le(20)]
    """milliseconds between two frames of the acoustic features"""
    gaussians: Annotated[int, Ge(1), Le(10_000_000)]
    """Gaussians of the final monophone model, all states together"""
    triphone: Triphone | None
    """null: monophones; or {leaves: 2000, gaussians: 10000}: triphones trained after them, for real speech"""
    iterations: Annotated[int, Ge(1), Le(10_000)]
    """passes over the sample; Gaussians are added during the first two thirds"""


@dataclass(frozen=True)
class Alignment(Training, Aligning):
    """Phones and words with their times."""

    oov: Literal["auto", "drop", "guess", "noise"]  # type: ignore[assignment]  # the steps get what auto resolves to
    """what a word without pronunciation causes: drop its utterance, guess it from its letters, or noise (SPN);
    auto: drop in the world, else guess"""
    external: Text | None
    """folder of TextGrids (MFA) or words.ctm, phones.ctm (Kaldi) to import; null: none"""


def resolved_oov(oov: str, source: str) -> str:
    """What `alignment.oov` is for a corpus: `auto` drops in the written world and guesses in any other source."""
    if oov != "auto":
        return oov
    return "drop" if source == "world" else "guess"


def problems(config: Search) -> Iterator[str]:
    """What is wrong between keys of the section, a line each."""
    narrow, wide = config.beam
    if narrow >= wide:
        yield f"alignment.beam is [{narrow}, {wide}]; the second is the wider one"
