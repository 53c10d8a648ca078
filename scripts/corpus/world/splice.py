"""Speak the sides of task items, each piece of them once, and join a context to its endings in the silence between.

The sides of a story have one context. Spoken as a part of either side, its samples would differ: espeak-ng's state
depends on all that it is given, and the gain on the loudest sample. So context and ending are spoken apart and joined
with the pause that espeak-ng makes between the last word of the one and the first word of the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.common.frames import SAMPLE_RATE
from scripts.corpus.world.espeak import Speech, speak
from scripts.corpus.world.prosody import Prosody

SENTENCE_ENDS = {".", "?", "!"}

Words = Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Spoken:
    """A spoken side; its context and the pause after it are `shared` samples, 0 without a context."""

    speech: Speech
    shared: int


def join(context: Speech, ending: Speech, pause: int) -> Spoken:
    """Context and ending with `pause` samples between their phones, of which both margins are a part."""
    margins = context.phones[-1][2] - context.phones[-1][1] + ending.phones[0][2]
    silence = np.zeros(max(0, pause - round(margins * SAMPLE_RATE)), np.float32)
    shared = len(context.wave) + len(silence)
    shift = shared / SAMPLE_RATE
    _, start, _ = context.phones[-1]
    _, _, end = ending.phones[0]
    phones = [
        *context.phones[:-1],
        ("SIL", start, round(end + shift, 6)),
        *((symbol, round(first + shift, 6), round(last + shift, 6)) for symbol, first, last in ending.phones[1:]),
    ]
    unsure = [*context.unsure, *(index + len(context.phones) - 1 for index in ending.unsure)]
    return Spoken(Speech(np.concatenate([context.wave, silence, ending.wave]), phones, unsure), shared)


def check_context(line: Mapping[str, Any]) -> int:
    """Words of the context that all sides of a script's line share; 0 without one.

    Raises:
        ValueError: the sides' first `context_words` words differ, do not end a sentence, or leave no ending.
    """
    count = line.get("context_words", 0)
    if not count:
        return 0
    context = line["positive"]["words"][:count]
    if len(context) < count or context[-1]["after"] not in SENTENCE_ENDS:
        raise ValueError(f"context_words is {count}; the {count}th word must end a sentence")
    for side in (line["positive"], *line["negatives"]):
        if side["words"][:count] != context or len(side["words"]) == count:
            raise ValueError(f"context_words is {count}; {side['text']!r} must begin with that context and go on")
    return int(count)


class SpeechCache:
    """Speaks sides and keeps every piece, so that measuring and recording, and mirrored items, speak it once.

    The pieces stay in memory: 64 kB a second.
    """

    def __init__(self) -> None:
        self._pieces: dict[tuple[Any, ...], Speech] = {}

    def _speak(self, words: Words, prosody: Prosody) -> Speech:
        spoken = tuple((word["word"], word["phones"], word["after"]) for word in words)
        key = (spoken, tuple(sorted(prosody.settings.items())))
        if key not in self._pieces:
            self._pieces[key] = speak(words, **prosody.settings)
        return self._pieces[key]

    def speak(self, words: Words, context_words: int, prosody: Prosody) -> Spoken:
        """A side whose first words are its context, or 0 of them.

        Raises:
            ValueError, SpeechError: as `espeak.speak`.
        """
        if not context_words:
            return Spoken(self._speak(words, prosody), 0)
        context, ending = words[:context_words], words[context_words:]
        return join(self._speak(context, prosody), self._speak(ending, prosody), self._pause(context, ending, prosody))

    def _pause(self, context: Words, ending: Words, prosody: Prosody) -> int:
        """Samples between the two sentences' phones; it depends on the rate and on the phones around it."""
        phones = self._speak([context[-1], {**ending[0], "after": "."}], prosody).phones
        start, end = next((start, end) for symbol, start, end in phones[1:] if symbol == "SIL")
        return round((end - start) * SAMPLE_RATE)
