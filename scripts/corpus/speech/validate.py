"""Check one cut of a manifest and complete its texts and speaker."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any, Literal

from scripts.common.audio_transforms import steps
from scripts.common.config import parse
from scripts.common.cuts import ROUNDING, Cut
from scripts.corpus.config import CutRules
from scripts.corpus.drops import DropError
from scripts.corpus.letters import listed_form
from scripts.corpus.speech.book_text import normalise_book
from scripts.corpus.speech.transcripts import Characters, normalise_given, texts_of

NUMBERS = (int, float)

# Rules.texts -> function of a cut's own texts, the characters allowed and words listed in the user's lexicon, that
# returns [book text, spoken text]
TEXTS: dict[str, Callable[[list[str], Characters, Container[str]], list[str]]] = {
    "given": normalise_given,
    "book": normalise_book,
}
# Fields of a supervision's `custom` that no stage reads: two thirds of LibriHeavy's bytes.
OMITTED_FIELDS = {"given": (), "book": ("pre_texts",)}


@dataclass(frozen=True)
class Rules(CutRules):
    """The requirements of the section corpus on a cut; `characters` is the inside of a regular-expression class."""

    texts: Literal["given", "book"] = "given"
    """whether a text is as given, or is a book's text that is to be put into words"""
    max_cer: float | None = None
    """largest character error rate between a book's text and the transcript that came with it"""

    @classmethod
    def parse(cls, text: str) -> "Rules":
        """From JSON; ValueError if `characters` is not a regular-expression class."""
        rules = parse(cls, text, "corpus")
        _ = rules.allowed
        return rules

    @cached_property
    def allowed(self) -> Characters:
        """Characters that a text may have."""
        return Characters(self.characters)


def check_cut(cut: dict[str, Any], rules: Rules, listed: frozenset[str] = frozenset()) -> Cut:
    """The cut with `custom.texts` and speaker filled in, without OMITTED_FIELDS, otherwise unchanged.

    A cut that is longer than its supervision is cut to it (`trim`): the text is of that part only. Its own
    pronunciations (`custom.pronunciations`) are listed as its words are.

    Args:
        cut: a line of a manifest.
        rules: what it must be.
        listed: words beyond ASCII of the user's lexicon (`listed_form`), which are pronounced as they are spelled.

    Raises:
        DropError: it cannot be used, with the reason; the message does not repeat the id.
    """
    supervisions = cut.get("supervisions") or []
    if not isinstance(supervisions, list):
        raise DropError("malformed", f"supervisions is {str(supervisions)[:40]!r}; it must be a list of one")
    if not supervisions:
        raise DropError("no-supervision", "it has no supervision; exactly 1 is needed")
    if len(supervisions) > 1:
        raise DropError("several-supervisions", f"it has {len(supervisions)} supervisions; exactly 1 is needed")
    if not _is_wellformed(cut):
        raise DropError(
            "malformed", f"{_malformed_fields(cut)} missing or not as in Lhotse's MonoCut with an audio file"
        )
    cut = trim(cut)
    supervisions = cut["supervisions"]
    if cut["recording"].get("transforms"):
        try:
            steps(cut["recording"])
        except ValueError as error:
            raise DropError("transform-unsupported", str(error)) from None
    if cut["duration"] < rules.min_seconds:
        raise DropError("too-short", f"{cut['duration']:.2f} s; corpus.min_seconds is {rules.min_seconds:g}")
    if cut["duration"] > rules.max_seconds:
        raise DropError("too-long", f"{cut['duration']:.2f} s; corpus.max_seconds is {rules.max_seconds:g}")
    end, length = cut["start"] + cut["duration"], cut["recording"]["duration"]
    if cut["start"] < 0 or end > length + ROUNDING:
        raise DropError("outside-recording", f"{cut['start']:.2f} to {end:.2f} s of a recording of {length:.2f} s")
    supervision = supervisions[0]
    custom = dict(supervision.get("custom") or {})
    own = custom.pop("pronunciations", None)
    if own is not None:
        custom["pronunciations"] = {listed_form(word): phones for word, phones in own.items()}
        listed = listed.union(word for word in custom["pronunciations"] if not word.isascii())
    custom["texts"] = TEXTS[rules.texts](texts_of(supervision), rules.allowed, listed)
    for key in OMITTED_FIELDS[rules.texts]:
        custom.pop(key, None)
    speaker = str(supervision.get("speaker") or "unknown")
    return {**cut, "supervisions": [{**supervision, "speaker": speaker, "custom": custom}]}


def trim(cut: dict[str, Any]) -> dict[str, Any]:
    """The cut of its supervision's time, as Lhotse's `trim_to_supervisions` makes it; the same cut if that is its own.

    A supervision's times count from the cut's start, and differ from the cut's by ROUNDING at most where it is the
    whole cut. An alignment that came with a longer cut is left out.

    Raises:
        DropError: with reason `supervision-outside`: it begins before the cut, ends after it, lasts no time, or belongs
            to another recording or channel. Its text then is of other audio, or of audio that the cut lacks.
    """
    supervision, seconds = cut["supervisions"][0], cut["duration"]
    start, end = supervision["start"], supervision["start"] + supervision["duration"]
    if not (-ROUNDING <= start < end <= seconds + ROUNDING):
        raise DropError(
            "supervision-outside",
            f"its supervision is of {start:.3f} to {end:.3f} s; the cut has 0 to {seconds:.3f} s",
        )
    recording = supervision.get("recording_id")
    if recording is not None and recording != cut["recording"]["id"]:
        raise DropError(
            "supervision-outside",
            f"its supervision is of recording {recording!r}, not {cut['recording']['id']!r}",
        )
    if supervision.get("channel") != cut.get("channel"):
        channels, own = _channels(supervision), _channels(cut)
        if channels and own and not channels <= own:
            raise DropError(
                "supervision-outside",
                f"its supervision is of channel {supervision['channel']}, the cut of {cut['channel']}",
            )
    if start <= ROUNDING and end >= seconds - ROUNDING:
        return cut
    start, end = max(0.0, start), min(seconds, end)
    moved = {**supervision, "start": 0.0, "duration": round(end - start, 8)}
    moved.pop("alignment", None)
    return {**cut, "start": round(cut["start"] + start, 8), "duration": moved["duration"], "supervisions": [moved]}


def _channels(entry: dict[str, Any]) -> set[int]:
    """The channels of a cut or supervision; empty if it does not say."""
    channel = entry.get("channel")
    return set(channel) if isinstance(channel, list) else set() if channel is None else {channel}


def _is_wellformed(cut: dict[str, Any]) -> bool:
    """Whether the fields that later stages read exist with the right types (else see `_malformed_fields`)."""
    try:
        recording = cut["recording"]
        return (
            type(cut["id"]) is str
            and cut["id"] != ""
            and _is_number(cut["start"])
            and _is_number(cut["duration"])
            and type(cut["supervisions"][0]) is dict
            and _is_number(cut["supervisions"][0]["start"])
            and _is_number(cut["supervisions"][0]["duration"])
            and _is_channel(cut.get("channel"))
            and _is_channel(cut["supervisions"][0].get("channel"))
            and _is_one_of(cut["supervisions"][0].get("custom"), dict)
            and _is_pronunciations((cut["supervisions"][0].get("custom") or {}).get("pronunciations"))
            and _is_one_of(cut["supervisions"][0].get("speaker"), str, int)
            and _is_one_of(cut.get("custom"), dict)
            and _is_one_of((cut.get("custom") or {}).get("text_path"), str)
            and _is_one_of(recording.get("channel_ids"), list)
            and type(recording["id"]) is str
            and _is_number(recording["sampling_rate"])
            and _is_number(recording["duration"])
            and _is_sources(recording["sources"])
        )
    except (KeyError, IndexError, TypeError, AttributeError):
        return False


def _malformed_fields(cut: dict[str, Any]) -> str:
    """Names of the fields that are missing or have a wrong type."""
    recording = cut.get("recording")
    if not isinstance(recording, dict):
        recording = {}
    supervision, custom = cut["supervisions"][0], cut.get("custom")
    supervision = supervision if isinstance(supervision, dict) else {}
    fields = {
        "id": isinstance(cut.get("id"), str) and cut["id"] != "",
        "start": _is_number(cut.get("start")),
        "duration": _is_number(cut.get("duration")),
        "channel": _is_channel(cut.get("channel")),
        "supervisions[0]": isinstance(cut["supervisions"][0], dict),
        "supervisions[0].start": _is_number(supervision.get("start")),
        "supervisions[0].duration": _is_number(supervision.get("duration")),
        "supervisions[0].channel": _is_channel(supervision.get("channel")),
        "supervisions[0].custom": _is_one_of(supervision.get("custom"), dict),
        "supervisions[0].custom.pronunciations": not isinstance(supervision.get("custom"), dict)
        or _is_pronunciations(supervision["custom"].get("pronunciations")),
        "supervisions[0].speaker": _is_one_of(supervision.get("speaker"), str, int),
        "custom": _is_one_of(custom, dict),
        "custom.text_path": not isinstance(custom, dict) or _is_one_of(custom.get("text_path"), str),
        "recording.channel_ids": _is_one_of(recording.get("channel_ids"), list),
        "recording.id": isinstance(recording.get("id"), str),
        "recording.sampling_rate": _is_number(recording.get("sampling_rate")),
        "recording.duration": _is_number(recording.get("duration")),
        **_source_fields(recording.get("sources")),
    }
    return ", ".join(field for field, good in fields.items() if not good)


def _is_sources(value: object) -> bool:
    """Whether these are the files of a recording, each perhaps with the channels that it holds."""
    return all(_source_fields(value).values())


def _source_fields(value: object) -> dict[str, bool]:
    """Whether each field of a recording's sources is as it must be."""
    if type(value) is not list or not value:
        return {"recording.sources": False}
    fields = {}
    for index, given in enumerate(value):
        source, where = given if type(given) is dict else {}, f"recording.sources[{index}]"
        fields[f"{where}.source"] = type(source.get("source")) is str and "\0" not in source["source"]
        fields[f"{where}.type"] = source.get("type", "file") == "file"
        fields[f"{where}.channels"] = source.get("channels") is None or (
            type(source["channels"]) is list and _is_channel(source["channels"])
        )
    return fields


def _is_number(value: object) -> bool:
    try:
        return type(value) in NUMBERS and isfinite(value)  # type: ignore[arg-type]
    except OverflowError:  # an integer beyond all floats
        return False


def _is_channel(value: object) -> bool:
    """Whether this is a number of a channel, a list of such, or None."""
    if type(value) is list:
        return all(type(each) is int for each in value)
    return type(value) is int or value is None


def _is_one_of(value: object, *types: type) -> bool:
    """Whether an optional value is None or of one of these types."""
    return value is None or type(value) in types


def _is_pronunciations(value: object) -> bool:
    """Whether this is None, or texts by word."""
    return value is None or (type(value) is dict and all(type(phones) is str for phones in value.values()))
