"""Cuts as plain dictionaries in Lhotse's MonoCut schema, as LibriHeavy publishes them.

They stay dictionaries because a manifest of eleven million cuts is read many times and nothing here
needs more; `lhotse.load_manifest_lazy` reads the same files (held by tests/common/test_cuts.py).

A task item is `{id, task, subset, group, positive, negative}`: `positive` is a cut, `negative` a cut or, where the item
is a choice among several, a list of cuts. All of them are its sides.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from scripts.common.files import read_jsonl

Cut = dict[str, Any]
Item = dict[str, Any]

ROUNDING = 1e-3  # seconds by which stated times and those of the audio may differ


def audio_source(cut: Cut) -> tuple[str, list[int] | None]:
    """The file that holds the cut's channel, or channels, and which of the file's columns they are.

    Where no file of the recording names them: the first file, and None, all its columns.
    """
    sources, channel = cut["recording"]["sources"], cut.get("channel")
    asked = channel if isinstance(channel, list) else [channel]
    for source in sources:
        held = source.get("channels") or []
        if all(each in held for each in asked):
            return source["source"], [held.index(each) for each in asked]
    return sources[0]["source"], None


def read_cuts(path: str | Path) -> Iterator[Cut]:
    """Cuts of a shard or, positive side first, of a file of task items."""
    for line in read_jsonl(path):
        if is_item(line):
            yield from sides(line)
        else:
            yield line


def is_item(line: Cut | Item) -> bool:
    """Whether a line of a manifest is a task item and no cut."""
    return "positive" in line


def holds_items(path: str | Path) -> bool:
    """Whether a manifest holds task items, as its first line says."""
    return any(is_item(line) for line in islice(read_jsonl(path), 1))


def sides(item: Item) -> list[Cut]:
    """The positive side, then the negative ones."""
    negative = item["negative"]
    return [item["positive"], *(negative if isinstance(negative, list) else [negative])]


def with_sides(item: Item, cuts: Sequence[Cut]) -> Item:
    """The item with these cuts, as many as before, in the place of its sides."""
    positive, *negative = cuts
    return {**item, "positive": positive, "negative": negative if isinstance(item["negative"], list) else negative[0]}


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
