"""The configuration's sections `modalities` and `tokens`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Le

from scripts.common.bounds import Pattern, Text

MOST_TOKENS = 2**16 - 4  # of a modality that brings its own, as uint16 beside three special ones
ModalityName = Annotated[str, Pattern("^[A-Za-z0-9][A-Za-z0-9-]*$")]


@dataclass(frozen=True)
class ModalityEntry:
    """Where a modality's symbols come from, how they become tokens, at what rate."""

    source: Literal["text", "phones", "units", "tokens"]
    """what the symbols are; tokens: made elsewhere"""
    tokenizer: Literal["bpe", "char", "symbol"]
    """how symbols become tokens"""
    vocab_size: Annotated[int, Ge(4), Le(65_535)] | None = None
    """size of a bpe vocabulary, special tokens included; of tokens made elsewhere, without"""
    external: Text | None = None
    """folder of tokens made elsewhere, for source tokens"""
    frame_rate: Literal[50] | None = None
    """symbols per second; absent for one per phone or character"""


@dataclass(frozen=True)
class Tokens:
    """What holds for the tokens of all modalities."""

    silence: Literal["keep", "drop"]
    """SIL between words in modalities without a frame rate"""


def problems(modalities: Mapping[str, ModalityEntry], unit_rate: float) -> Iterator[str]:
    """What is wrong between keys of a modality, a line each; `unit_rate` is units.frame_rate."""
    for name, modality in modalities.items():
        where = f"modalities.{name}"
        if modality.source == "tokens":
            yield from _external_problems(where, modality)
            continue
        if modality.external is not None:
            yield f"{where}.external is set, but only source tokens is made elsewhere line by line"
        if modality.tokenizer == "bpe" and modality.vocab_size is None:
            yield f"{where}.vocab_size is missing; a bpe tokenizer needs one"
        if modality.tokenizer != "bpe" and modality.vocab_size is not None:
            yield f"{where}.vocab_size is set, but a {modality.tokenizer} tokenizer takes its size from the data"
        if modality.tokenizer != "bpe" and (modality.tokenizer == "char") != (modality.source == "text"):
            yield (
                f"{where}.tokenizer is {modality.tokenizer!r};"
                " text takes bpe or char, phones and units take bpe or symbol"
            )
        if modality.source == "text" and modality.frame_rate is not None:
            yield f"{where}.frame_rate is {modality.frame_rate}; text has no frames"
        if modality.source == "units" and modality.frame_rate != unit_rate:
            yield f"{where}.frame_rate is {modality.frame_rate}; units come at units.frame_rate = {unit_rate}"


def _external_problems(where: str, modality: ModalityEntry) -> Iterator[str]:
    """What is wrong with a modality of tokens that were made elsewhere."""
    for key in ("external", "vocab_size"):
        if getattr(modality, key) is None:
            yield f"{where}.{key} is missing; source tokens needs the folder they are in and how many different ones"
    if modality.tokenizer != "symbol":
        yield f"{where}.tokenizer is {modality.tokenizer!r}; tokens made elsewhere take symbol"
    if modality.frame_rate is not None:
        yield f"{where}.frame_rate is {modality.frame_rate}; tokens made elsewhere have no frames"
    if (modality.vocab_size or 0) > MOST_TOKENS:
        yield f"{where}.vocab_size is {modality.vocab_size}; beside <unk>, <s> and </s> at most {MOST_TOKENS} fit"
