"""A modality as data: one line of the config, checked, and reduced to the keys that shape its tokens.

What combinations exist is the table `KINDS`; nothing else in the project asks which modality it has.
Only the keys that matter to a modality are handed to its steps, so editing `tokens.silence` reruns
the phone modalities it concerns and no other.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from scripts.common.frames import SAMPLE_RATE

MAX_VOCABULARY = 2**16 - 1  # ids are stored as uint16


@dataclass(frozen=True)
class Kind:
    """What may be said of a source with (or without) a frame rate.

    Attributes:
        tokenizers: tokenizers that make sense for it.
        options: keys of the config's `tokens` section that change its symbols.
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
SIZED = ("bpe",)  # tokenizers whose vocabulary has a size to choose
SILENCE = ("keep", "drop")


@dataclass(frozen=True)
class Modality:
    """One modality.

    Attributes:
        name: as in the config.
        source: text | phones | units | tokens.
        tokenizer: bpe | char | symbol.
        vocab_size: vocabulary of a bpe tokenizer, special tokens included.
        frame_rate: symbols per second; None where the symbols have no clock.
        silence: keep | drop SIL; None where the question does not arise.
    """

    name: str
    source: str
    tokenizer: str
    vocab_size: int | None = None
    frame_rate: float | None = None
    silence: str | None = None

    @property
    def framed(self) -> bool:
        """Whether the symbols follow the frame clock."""
        return self.frame_rate is not None

    @property
    def kind(self) -> Kind:
        """What holds for this source with or without a frame rate."""
        return KINDS[self.source, self.framed]

    def __post_init__(self) -> None:
        key = f"config: modalities.{self.name}"
        sources = sorted({source for source, _ in KINDS})
        if self.source not in sources:
            raise ValueError(f"{key}.source is {self.source!r}; it must be one of {', '.join(sources)}")
        if self.framed and (self.frame_rate <= 0 or SAMPLE_RATE % self.frame_rate):  # type: ignore[operator]
            raise ValueError(f"{key}.frame_rate is {self.frame_rate}; it must be a positive divisor of {SAMPLE_RATE}")
        kind = KINDS.get((self.source, self.framed))
        if kind is None:
            mend = "has no frames; leave frame_rate out" if self.framed else "needs a frame_rate (units.frame_rate)"
            raise ValueError(f"{key}: source {self.source} {mend}")
        if self.tokenizer not in kind.tokenizers:
            raise ValueError(
                f"{key}.tokenizer is {self.tokenizer!r}; for source {self.source}"
                f" it must be one of {', '.join(kind.tokenizers)}"
            )
        if self.tokenizer in SIZED:
            check_size(f"{key}.vocab_size", self.vocab_size)
        elif self.vocab_size is not None:
            raise ValueError(
                f"{key}.vocab_size: tokenizer {self.tokenizer} has as many tokens as symbols; leave it out"
            )
        if "silence" in kind.options and self.silence not in SILENCE:
            raise ValueError(f"config: tokens.silence is {self.silence!r}; it must be one of {', '.join(SILENCE)}")


def check_size(key: str, value: Any) -> None:
    """ValueError naming `key` unless `value` is a positive integer whose ids can be stored."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= MAX_VOCABULARY:
        raise ValueError(f"{key} is {value!r}; it must be an integer from 1 to {MAX_VOCABULARY}")


def from_config(name: str, modality: Mapping[str, Any], tokens: Mapping[str, Any]) -> Modality:
    """The modality `name` from its line and the `tokens` section of the config.

    Raises:
        ValueError: naming the key, for anything that is not a possible modality.
    """
    if modality.get("source") == "tokens":  # made elsewhere: where and how many is for the job that reads them
        modality = {key: value for key, value in modality.items() if key not in ("external", "vocab_size")}
    unknown = set(modality) - {"source", "tokenizer", "vocab_size", "frame_rate"}
    missing = {"source", "tokenizer"} - set(modality)
    if unknown or missing:
        what = f"unknown key {min(unknown)}" if unknown else f"{min(missing)} is missing"
        raise ValueError(f"config: modalities.{name}: {what}; a modality has source, tokenizer, vocab_size, frame_rate")
    kind = KINDS.get((modality["source"], modality.get("frame_rate") is not None), Kind(()))
    return Modality(name=name, **modality, **{key: tokens[key] for key in kind.options})


def to_json(modality: Modality) -> str:
    """The form a modality is handed to the steps in; keys that do not matter to it are absent."""
    return json.dumps({key: value for key, value in asdict(modality).items() if value is not None}, sort_keys=True)


def from_json(text: str) -> Modality:
    """What `to_json` wrote."""
    return Modality(**json.loads(text))
