"""A modality as data: a line of the configuration, reduced to the keys that shape its tokens.

Which combinations exist is the table KINDS of scripts/tokens/config.py; nothing else in the project asks which modality
it has. Only the keys that matter to a modality are handed to its steps, so that an edit of `tokens.silence` reruns the
phone modalities that it concerns and no other.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from scripts.common.config import parse, read
from scripts.tokens.config import KINDS, Kind, ModalityEntry, Silence, Symbols, modality_problems

# Tables of train that some modalities need.
PHONE_DURATIONS, UNIT_PHONES, SPEAKERS = "phone_durations", "unit_phones", "speakers"


@dataclass(frozen=True)
class Modality(Symbols):
    """One modality.

    Attributes:
        name: as in the configuration.
        silence: keep | drop SIL; None where the question does not arise.
        seed: of its random choices; None if it makes none.
    """

    name: str = field(kw_only=True)
    """its name in the section `modalities`"""
    silence: str | None = None
    """keep or drop SIL; absent where the question does not arise"""
    seed: int | None = None
    """of random choices; absent if there are none"""

    @property
    def framed(self) -> bool:
        """Whether the symbols follow a frame clock."""
        return self.frame_rate is not None

    @property
    def clocked(self) -> bool:
        """Whether there is exactly one symbol per frame of the cut."""
        return self.framed and self.repeats == "keep" and self.durations == "aligned"

    @property
    def timed(self) -> bool:
        """Whether there is exactly one token per frame of the cut."""
        return self.clocked and self.tokenizer == "symbol"

    @property
    def kind(self) -> Kind:
        """What holds for this source with or without a frame rate."""
        return KINDS[self.source, self.framed]

    @property
    def alphabet(self) -> str:
        """The source whose symbols it has: phones, where units are called by their phones."""
        return "phones" if self.relabel else self.source

    @property
    def tables(self) -> list[str]:
        """Tables of train that its symbols depend on."""
        durations = self.durations in ("mean", "shuffled") or isinstance(self.noise, float)
        needed = {
            PHONE_DURATIONS: durations,
            UNIT_PHONES: self.relabel is not None or self.noise == "units",
            SPEAKERS: "speaker" in self.variants,
        }
        return [table for table, is_needed in needed.items() if is_needed]


def from_config(name: str, line: Mapping[str, Any], tokens: Mapping[str, Any], seed: int = 0) -> Modality:
    """The modality `name` from its line, the `tokens` section and the seed of the configuration.

    Raises:
        ValueError: naming the key, for anything that is not a possible modality.
    """
    where = f"modalities.{name}"
    entry, problems = read(ModalityEntry, line, where)
    if not problems:
        problems = [*modality_problems(name, entry)]
    silence, more = read(Silence, tokens, "tokens")
    if problems + more:
        raise ValueError("\n".join(f"config: {problem}" for problem in problems + more))
    given = {key.name: getattr(entry, key.name) for key in fields(Symbols)}
    if entry.source == "tokens":  # where they are and how many there are is for the job that reads them
        given["vocab_size"] = None
    options = KINDS[entry.source, entry.frame_rate is not None].options
    random = entry.noise is not None or entry.durations == "shuffled"
    return Modality(
        **given,
        name=name,
        silence=silence.silence if "silence" in options else None,
        seed=seed if random else None,
    )


def to_json(modality: Modality) -> str:
    """The form a modality is handed to the steps in; keys at their default are absent."""
    defaults = {key.name: key.default for key in fields(Modality)}
    return json.dumps({key: value for key, value in asdict(modality).items() if value != defaults[key]}, sort_keys=True)


def from_json(text: str) -> Modality:
    """What `to_json` wrote; ValueError naming a key that is wrong."""
    return parse(Modality, text, "modality")
