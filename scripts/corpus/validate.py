"""What makes a stranger's cut usable, and the words that its text spells."""

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from scripts.common.cuts import Cut

# Typography that means nothing but its ASCII neighbour; LibriHeavy's book texts are full of it.
PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‐": "-", "‑": "-", "…": "...", "\u00a0": " "}
)
TOLERANCE = 1e-3  # seconds that a cut may end after its recording (rounding)


class CutError(ValueError):
    """A cut that is left out; `reason` is the word it is counted under."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Rules:
    """What config.corpus asks of a cut; `characters` is the inside of a regular-expression class."""

    min_seconds: float
    max_seconds: float
    characters: str

    @classmethod
    def parse(cls, text: str) -> "Rules":
        """From JSON; ValueError if `characters` is not a regular-expression class."""
        rules = cls(**json.loads(text))
        try:
            re.compile(f"[^{rules.characters}]")
        except re.error as error:
            raise ValueError(
                f"corpus.characters: [{rules.characters}] is not a regular-expression class ({error})"
            ) from None
        return rules


def normalise(text: str) -> str:
    """The words of a text as the aligner reads them: upper-case letters and inner apostrophes.

    Hyphens and other punctuation part words; apostrophes at a word's edge are quotation marks and go.

    Raises:
        CutError: with reason `digits`: how a number was spoken cannot be told from its digits.
    """
    if digit := re.search(r"\S*\d\S*", text):
        raise CutError("digits", f"the text has {digit[0]!r}, spelled nowhere")
    words = (word.strip("'") for word in re.sub(r"[^A-Z']+", " ", text.upper()).split())
    return " ".join(word for word in words if word)


def texts(supervision: dict[str, Any], characters: str) -> list[str]:
    """[book text, upper-case words] of a supervision, from `custom.texts` or else `text`.

    Raises:
        CutError: with reason `no-text`, `empty-text`, `characters` or `digits`.
    """
    custom = supervision.get("custom") or {}
    given = custom.get("texts") or ([supervision["text"]] if supervision.get("text") is not None else [])
    if not isinstance(given, list) or not given or not all(isinstance(text, str) for text in given):
        raise CutError("no-text", "its supervision has neither custom.texts nor text")
    plain = [" ".join(text.translate(PLAIN).split()) for text in given[:2]]
    if not plain[0]:
        raise CutError("empty-text", "its text is empty")
    for text in plain:
        if odd := re.search(f"[^{characters}]", text):
            raise CutError("characters", f"the text has {odd[0]!r}; corpus.characters allows [{characters}]")
    words = normalise(plain[1] if len(plain) > 1 and plain[1] else plain[0])
    if not words:
        raise CutError("empty-text", "its text has no words")
    return [plain[0], words]


def checked(cut: dict[str, Any], rules: Rules) -> Cut:
    """The cut with `custom.texts` and speaker complete and everything else as it was.

    Raises:
        CutError: if it cannot be used, with the reason; the message does not repeat the id.
    """
    supervisions = cut.get("supervisions") or []
    if not supervisions:
        raise CutError("no-supervision", "it has no supervision; exactly 1 is needed")
    if len(supervisions) > 1:
        raise CutError("several-supervisions", f"it has {len(supervisions)} supervisions; exactly 1 is needed")
    _check_shape(cut)
    if cut["duration"] < rules.min_seconds:
        raise CutError("too-short", f"{cut['duration']:.2f} s; corpus.min_seconds is {rules.min_seconds:g}")
    if cut["duration"] > rules.max_seconds:
        raise CutError("too-long", f"{cut['duration']:.2f} s; corpus.max_seconds is {rules.max_seconds:g}")
    end, length = cut["start"] + cut["duration"], cut["recording"]["duration"]
    if cut["start"] < 0 or end > length + TOLERANCE:
        raise CutError("outside-recording", f"{cut['start']:.2f} to {end:.2f} s of a recording of {length:.2f} s")
    supervision = supervisions[0]
    custom = {**(supervision.get("custom") or {}), "texts": texts(supervision, rules.characters)}
    speaker = supervision.get("speaker") or "unknown"
    return {**cut, "supervisions": [{**supervision, "speaker": speaker, "custom": custom}]}


def _check_shape(cut: dict[str, Any]) -> None:
    """CutError `malformed` unless the fields that later stages read are there and of the right kind."""
    recording = cut.get("recording")
    if not isinstance(recording, dict):
        recording = {}
    sources = recording.get("sources") or [{}]
    source = sources[0] if isinstance(sources, list) and isinstance(sources[0], dict) else {}
    supervision = cut["supervisions"][0]
    wrong = [
        field
        for field, good in (
            ("id", isinstance(cut.get("id"), str) and cut["id"]),
            ("start", _is_number(cut.get("start"))),
            ("duration", _is_number(cut.get("duration"))),
            ("supervisions[0]", isinstance(supervision, dict)),
            ("recording.id", isinstance(recording.get("id"), str)),
            ("recording.sampling_rate", _is_number(recording.get("sampling_rate"))),
            ("recording.duration", _is_number(recording.get("duration"))),
            ("recording.sources[0].source", isinstance(source.get("source"), str)),
            ("recording.sources[0].type", source.get("type", "file") == "file"),
        )
        if not good
    ]
    if wrong:
        raise CutError("malformed", f"{', '.join(wrong)} missing or not as in Lhotse's MonoCut with an audio file")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
