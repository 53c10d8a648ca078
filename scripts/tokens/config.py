"""The configuration's sections `modalities` and `tokens`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from scripts.common.bounds import Pattern, Text, Unique

MAX_VOCABULARY = 2**16 - 1  # ids are stored as uint16
SPECIAL = 3  # <unk>, <s> and </s>, beside the tokens that were made elsewhere
ModalityName = Annotated[str, Pattern("^[A-Za-z0-9][A-Za-z0-9-]*$")]


UNIT_RATE = 50  # units per second of the encoder's clock
SAMPLES = 16_000  # per second of a waveform
RATES = "12.5, 25, 50 and 100"  # frame rates that docs/modalities.md describes


@dataclass(frozen=True)
class Kind:
    """What may be said of a source with (or without) a frame rate.

    Attributes:
        tokenizers: tokenizers that make sense for it.
        options: keys of the section `tokens` that change its symbols.
        keys: keys of its own line that change its symbols.
        named: whether symbols have names ("AH0", "17") or are themselves characters.
    """

    tokenizers: tuple[str, ...]
    options: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    named: bool = True


LONGEST_RUN = 50  # frames: a second at 50 Hz
RUN_LENGTHS = tuple(f"x{count}" for count in range(1, LONGEST_RUN + 1))  # symbols of `repeats: count`
# (source, has a frame rate) -> kind
KINDS = {
    ("text", False): Kind(("bpe", "char"), keys=("case", "punctuation", "spaces"), named=False),
    ("phones", False): Kind(("bpe", "symbol"), options=("silence",), keys=("stress", "noise", "word_boundaries")),
    ("phones", True): Kind(
        ("bpe", "symbol"), keys=("stress", "noise", "noise_per", "durations", "variants", "repeats")
    ),
    ("units", True): Kind(("bpe", "symbol"), keys=("relabel", "stress", "repeats")),
    ("tokens", False): Kind(("symbol",)),
}
CHANGES = tuple(dict.fromkeys(key for kind in KINDS.values() for key in kind.keys))


@dataclass(frozen=True)
class Symbols:
    """Where a modality's symbols come from, how they become tokens, at what rate."""

    source: Literal["text", "phones", "units", "tokens"]
    """what the symbols are; tokens: made elsewhere"""
    tokenizer: Literal["bpe", "char", "symbol"]
    """how symbols become tokens"""
    vocab_size: Annotated[int, Ge(4), Le(MAX_VOCABULARY)] | None = None
    """size of a bpe vocabulary, special tokens included; of tokens made elsewhere, without"""
    frame_rate: Annotated[float, Gt(0), Le(SAMPLES)] | None = None
    """symbols per second; absent for one per phone or character"""
    repeats: Literal["keep", "drop", "count"] = "keep"
    """of framed symbols: drop leaves one symbol of every run of equal ones; count puts the run's frames after it"""
    durations: Literal["aligned", "mean", "shuffled"] | Annotated[int, Ge(1), Le(100)] = "aligned"
    """of framed phones: as aligned; the phone's mean in train; drawn from its own in train; or so many frames each"""
    noise: Annotated[float, Gt(0), Lt(1)] | Literal["units"] | None = None
    """of phones: share that is replaced by another phone, all alike; units: errors as the units make them"""
    noise_per: Literal["phone", "frame"] = "phone"
    """what an error replaces: a phone as a whole, or a frame"""
    variants: Annotated[tuple[Literal["speaker", "third", "neighbour"], ...], Unique()] = ()
    """of framed phones: a symbol for each speaker, third of the phone, class of the nearer neighbouring phone"""
    relabel: Literal["majority-phone"] | None = None
    """of units: majority-phone: each unit becomes the phone that most of its frames in train have"""
    stress: Literal["keep", "drop"] = "keep"
    """of phones: drop takes the digit of stress off vowels"""
    word_boundaries: Literal["keep", "drop"] = "drop"
    """of phones without a frame rate: keep puts the symbol | between words, which bpe does not merge across"""
    case: Literal["keep", "drop"] = "keep"
    """of text: drop makes it lower-case"""
    punctuation: Literal["keep", "drop"] = "keep"
    """of text: drop leaves words and single spaces"""
    spaces: Literal["keep", "drop"] = "keep"
    """of text: drop takes out spaces, so that bpe merges across words"""


@dataclass(frozen=True)
class ModalityEntry(Symbols):
    """A modality's line of the section `modalities`."""

    external: Text | None = None
    """folder of tokens to import, for source tokens"""
    init: Text | None = None
    """what the model starts from instead of random weights: another modality of this run, or a causal LM's folder
    (docs/modalities.md)"""


@dataclass(frozen=True)
class Silence:
    """What becomes of silence."""

    silence: Literal["keep", "drop"]
    """keep or drop silence (SIL) between words in modalities without a frame rate"""


@dataclass(frozen=True)
class Tokens(Silence):
    """What holds for the tokens of all modalities."""


def problems(modalities: Mapping[str, ModalityEntry], unit_rate: float) -> Iterator[str]:
    """What is wrong between keys of the modalities, a line each; `unit_rate` is units.frame_rate."""
    for name, modality in modalities.items():
        yield from modality_problems(name, modality)
        if modality.source == "units" and modality.frame_rate and unit_rate % modality.frame_rate:
            slower = f"{unit_rate:g}, {unit_rate / 2:g} or {unit_rate / 4:g}"
            yield (
                f"modalities.{name}.frame_rate is {modality.frame_rate:g}; units come at units.frame_rate ="
                f" {unit_rate:g}, of which every second or fourth may be taken: {slower}"
            )


def modality_problems(name: str, modality: ModalityEntry) -> Iterator[str]:
    """What is wrong between keys of one modality, a line each."""
    where = f"modalities.{name}"
    kind = KINDS.get((modality.source, modality.frame_rate is not None))
    if kind is None and modality.frame_rate is not None:
        yield f"{where}.frame_rate is {modality.frame_rate:g}; source {modality.source} has no frames; leave it out"
    elif kind is None:
        yield f"{where}.frame_rate is missing; {modality.source} come at units.frame_rate"
    elif modality.tokenizer not in kind.tokenizers:
        yield (
            f"{where}.tokenizer is {modality.tokenizer!r}; for source {modality.source}"
            f" it must be one of {', '.join(kind.tokenizers)}"
        )
    yield from _change_problems(where, modality, kind)
    if modality.source == "tokens":
        yield from _external_problems(where, modality)
        return
    if modality.external is not None:
        yield f"{where}.external is set, but only the tokens of source tokens are made elsewhere"
    if modality.tokenizer == "bpe" and modality.vocab_size is None:
        yield f"{where}.vocab_size is missing; a bpe tokenizer needs one"
    if modality.tokenizer != "bpe" and modality.vocab_size is not None:
        yield f"{where}.vocab_size is set, but a {modality.tokenizer} tokenizer takes its size from the data"


def changed(symbols: Symbols) -> dict[str, object]:
    """The keys of CHANGES that are not at their default, with their values."""
    defaults = {field.name: field.default for field in fields(Symbols)}
    return {key: getattr(symbols, key) for key in CHANGES if getattr(symbols, key) != defaults[key]}


def _change_problems(where: str, modality: ModalityEntry, kind: Kind | None) -> Iterator[str]:
    """What is wrong with the keys that change a modality's symbols."""
    rate = modality.frame_rate
    if rate and (SAMPLES / rate) % 1:
        yield (
            f"{where}.frame_rate is {rate:g}; {SAMPLES} samples per second make no whole number of samples per frame"
            f" of it; rates in use are {RATES}"
        )
    keys = changed(modality)
    for key, value in keys.items():
        if kind and key not in kind.keys:
            known = [
                f"{source} {'with' if framed else 'without'} frame_rate"
                for (source, framed), other in KINDS.items()
                if key in other.keys
            ]
            said = list(value) if isinstance(value, tuple) else value
            yield f"{where}.{key} is {said!r}; it can be said of {' and of '.join(known)} only"
    if keys.get("repeats") == "drop" and "durations" in keys:
        yield f"{where}.durations is {modality.durations!r}, but repeats: drop leaves no durations; set one of the two"
    if "noise_per" in keys and "noise" not in keys:
        yield f"{where}.noise_per is {modality.noise_per!r}, but there is no noise; set noise, or leave it out"
    if modality.source == "units" and "stress" in keys and "relabel" not in keys:
        yield f"{where}.stress is 'drop', but units have no stress; set relabel: majority-phone, or leave it out"


def _external_problems(where: str, modality: ModalityEntry) -> Iterator[str]:
    """What is wrong with a modality of tokens that were made elsewhere."""
    for key in ("external", "vocab_size"):
        if getattr(modality, key) is None:
            yield f"{where}.{key} is missing; source tokens needs the folder they are in and how many different ones"
    most = MAX_VOCABULARY - SPECIAL
    if (modality.vocab_size or 0) > most:
        yield f"{where}.vocab_size is {modality.vocab_size}; beside <unk>, <s> and </s> at most {most} fit"
