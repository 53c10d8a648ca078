"""A modality as data: a line of the configuration, reduced to the keys that shape its tokens.

Which combinations exist is the table KINDS of scripts/tokens/config.py; nothing else in the project asks which modality
it has. Only the keys that matter to a modality are handed to its steps, so that an edit of `tokens.silence` reruns the
phone modalities that it concerns and no other.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from scripts.common.config import parse, read
from scripts.tokens.config import KINDS, Kind, ModalityEntry, Silence, Symbols, modality_problems


@dataclass(frozen=True)
class Modality(Symbols):
    """One modality.

    Attributes:
        name: as in the configuration.
        silence: keep | drop SIL; None where the question does not arise.
    """

    name: str = field(kw_only=True)
    """its name in the section `modalities`"""
    silence: str | None = None
    """keep or drop SIL; absent where the question does not arise"""

    @property
    def framed(self) -> bool:
        """Whether the symbols follow the frame clock."""
        return self.frame_rate is not None

    @property
    def kind(self) -> Kind:
        """What holds for this source with or without a frame rate."""
        return KINDS[self.source, self.framed]


def from_config(name: str, line: Mapping[str, Any], tokens: Mapping[str, Any]) -> Modality:
    """The modality `name` from its line and the `tokens` section of the configuration.

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
    return Modality(
        name=name,
        source=entry.source,
        tokenizer=entry.tokenizer,
        # Of tokens made elsewhere, where and how many is for the job that reads them.
        vocab_size=entry.vocab_size if entry.source != "tokens" else None,
        frame_rate=entry.frame_rate,
        silence=silence.silence if "silence" in KINDS[entry.source, entry.frame_rate is not None].options else None,
    )


def to_json(modality: Modality) -> str:
    """The form a modality is handed to the steps in; keys that do not matter to it are absent."""
    return json.dumps({key: value for key, value in asdict(modality).items() if value is not None}, sort_keys=True)


def from_json(text: str) -> Modality:
    """What `to_json` wrote; ValueError naming a key that is wrong."""
    return parse(Modality, text, "modality")
