"""The configuration's sections `modalities` and `tokens`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from scripts.common.bounds import Pattern, Text

MAX_VOCABULARY = 2**16 - 1  # ids are stored as uint16
SPECIAL = 3  # <unk>, <s> and </s>, beside the tokens that were made elsewhere
ModalityName = Annotated[str, Pattern("^[A-Za-z0-9][A-Za-z0-9-]*$")]


@dataclass(frozen=True)
class Kind:
    """What may be said of a source with (or without) a frame rate.

    Attributes:
        tokenizers: tokenizers that make sense for it.
        options: keys of the section `tokens` that change its symbols.
        named: whether symbols have names ("AH0", "17") or are themselves characters.
    """

    tokenizers: tuple[str, ...]
    options: tuple[str, ...] = ()
    named: bool = True


# (source, has a frame rate) -> kind
KINDS = {
    ("text", False): Kind(("bpe", "char"), named=False),
    ("phones", False): Kind(("bpe", "symbol"), options=("silence",)),
    ("phones", True): Kind(("bpe", "symbol")),
    ("units", True): Kind(("bpe", "symbol")),
    ("tokens", False): Kind(("symbol",)),
}


@dataclass(frozen=True)
class Symbols:
    """Where a modality's symbols come from, how they become tokens, at what rate."""

    source: Literal["text", "phones", "units", "tokens"]
    """what the symbols are; tokens: made elsewhere"""
    tokenizer: Literal["bpe", "char", "symbol"]
    """how symbols become tokens"""
    vocab_size: Annotated[int, Ge(4), Le(MAX_VOCABULARY)] | None = None
    """size of a bpe vocabulary, special tokens included; of tokens made elsewhere, without"""
    frame_rate: Literal[50] | None = None
    """symbols per second; absent for one per phone or character"""


@dataclass(frozen=True)
class ModalityEntry(Symbols):
    """A modality's line of the section `modalities`."""

    external: Text | None = None
    """folder of tokens made elsewhere, for source tokens"""


@dataclass(frozen=True)
class Silence:
    """What becomes of silence."""

    silence: Literal["keep", "drop"]
    """SIL between words in modalities without a frame rate"""


@dataclass(frozen=True)
class Tokens(Silence):
    """What holds for the tokens of all modalities."""


def problems(modalities: Mapping[str, ModalityEntry], unit_rate: float) -> Iterator[str]:
    """What is wrong between keys of the modalities, a line each; `unit_rate` is units.frame_rate."""
    for name, modality in modalities.items():
        yield from modality_problems(name, modality)
        if modality.source == "units" and modality.frame_rate not in (None, unit_rate):
            yield f"modalities.{name}.frame_rate is {modality.frame_rate}; units.frame_rate is {unit_rate}"


def modality_problems(name: str, modality: ModalityEntry) -> Iterator[str]:
    """What is wrong between keys of one modality, a line each."""
    where = f"modalities.{name}"
    kind = KINDS.get((modality.source, modality.frame_rate is not None))
    if kind is None and modality.frame_rate is not None:
        yield f"{where}.frame_rate is {modality.frame_rate}; source {modality.source} has no frames; leave it out"
    elif kind is None:
        yield f"{where}.frame_rate is missing; {modality.source} come at units.frame_rate"
    elif modality.tokenizer not in kind.tokenizers:
        yield (
            f"{where}.tokenizer is {modality.tokenizer!r}; for source {modality.source}"
            f" it must be one of {', '.join(kind.tokenizers)}"
        )
    if modality.source == "tokens":
        yield from _external_problems(where, modality)
        return
    if modality.external is not None:
        yield f"{where}.external is set, but only the tokens of source tokens are made elsewhere"
    if modality.tokenizer == "bpe" and modality.vocab_size is None:
        yield f"{where}.vocab_size is missing; a bpe tokenizer needs one"
    if modality.tokenizer != "bpe" and modality.vocab_size is not None:
        yield f"{where}.vocab_size is set, but a {modality.tokenizer} tokenizer takes its size from the data"


def _external_problems(where: str, modality: ModalityEntry) -> Iterator[str]:
    """What is wrong with a modality of tokens that were made elsewhere."""
    for key in ("external", "vocab_size"):
        if getattr(modality, key) is None:
            yield f"{where}.{key} is missing; source tokens needs the folder they are in and how many different ones"
    most = MAX_VOCABULARY - SPECIAL
    if (modality.vocab_size or 0) > most:
        yield f"{where}.vocab_size is {modality.vocab_size}; beside <unk>, <s> and </s> at most {most} fit"
