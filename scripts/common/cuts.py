"""Cuts as plain dictionaries in Lhotse's MonoCut schema, as LibriHeavy publishes them.

They stay dictionaries because a manifest of eleven million cuts is read many times and nothing here
needs more; `lhotse.load_manifest_lazy` reads the same files (held by tests/common/test_cuts.py).

A task item is `{id, task, subset, group, positive, negative}` where both sides are cuts.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scripts.common.files import read_jsonl

Cut = dict[str, Any]
Item = dict[str, Any]


def read_cuts(path: str | Path) -> Iterator[Cut]:
    """Cuts of a shard or, positive side first, of a file of task items."""
    for line in read_jsonl(path):
        if "positive" in line:
            yield line["positive"]
            yield line["negative"]
        else:
            yield line


def supervision(cut: Cut) -> dict[str, Any]:
    """The cut's only supervision; ValueError naming the cut if it has none or several."""
    found = cut.get("supervisions") or []
    if len(found) != 1:
        raise ValueError(f"cut {cut.get('id')}: has {len(found)} supervisions, expected exactly 1")
    return found[0]


def book_text(cut: Cut) -> str:
    """Cased, punctuated text (`custom.texts[0]`), what the text modalities read."""
    return supervision(cut)["custom"]["texts"][0]


def spoken_text(cut: Cut) -> str:
    """Upper-case words (`custom.texts[1]`), what the aligner reads."""
    return supervision(cut)["custom"]["texts"][1]


def pronunciations(cut: Cut) -> dict[str, str]:
    """Pronunciations that hold in this cut alone, upper-case word -> "PH ON ES" (pseudo-words)."""
    return supervision(cut)["custom"].get("pronunciations", {})


def speaker(cut: Cut) -> str:
    """The speaker's name."""
    return supervision(cut)["speaker"]


def phone_alignment(cut: Cut) -> list[tuple[str, float, float]]:
    """(phone, start, duration) in seconds from the cut's start, SIL included, without gaps."""
    return [(symbol, start, duration) for symbol, start, duration, *_ in supervision(cut)["alignment"]["phone"]]


def word_alignment(cut: Cut) -> list[tuple[str, float, float]]:
    """(word, start, duration) in seconds from the cut's start, in order; silence lies between them."""
    return [(symbol, start, duration) for symbol, start, duration, *_ in supervision(cut)["alignment"]["word"]]


def num_samples(cut: Cut, sample_rate: int = 16_000) -> int:
    """Samples of the cut at `sample_rate`; the number `audio.read` returns."""
    return round(cut["duration"] * sample_rate)


def total_seconds(cuts: Iterable[Cut]) -> float:
    """Sum of the cuts' durations."""
    return sum(cut["duration"] for cut in cuts)
