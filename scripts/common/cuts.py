"""Cuts as plain dictionaries in Lhotse's MonoCut schema, as LibriHeavy publishes them.

They are plain dictionaries because a manifest of eleven million cuts is read many times; `lhotse.load_manifest_lazy`
reads the same files (tested in tests/common/test_cuts.py).

A task item is `{id, task, subset, group, positive, negative}`: `positive` is a cut, `negative` a cut or, if there are
several alternatives, a list of cuts. All of them are the item's sides. Optional keys: `couple` (items that are bound
together: mirrored pairs), `exposure` (occurrences in train of the word that the item asks about), `distance` and
`distance_seconds` (from the word that decides the item to the word that is decided), `shared_seconds` (at the start of
both sides, in which they are the same samples).
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
    """The file that holds the cut's channels, and the indices of these channels in the file.

    If no source of the recording lists them: the first file, and None for all of its channels.
    """
    sources, channel = cut["recording"]["sources"], cut.get("channel")
    channels = channel if isinstance(channel, list) else [channel]
    for source in sources:
        stored = source.get("channels") or []
        if all(each in stored for each in channels):
            return source["source"], [stored.index(each) for each in channels]
    return sources[0]["source"], None


def read_cuts(path: str | Path) -> Iterator[Cut]:
    """The cuts of a shard, or the sides of a file of task items, positive side first."""
    for line in read_jsonl(path):
        if is_item(line):
            yield from sides(line)
        else:
            yield line


def is_item(line: Cut | Item) -> bool:
    """Whether a line of a manifest is a task item rather than a cut."""
    return "positive" in line


def holds_items(path: str | Path) -> bool:
    """Whether a manifest holds task items, by its first line."""
    return any(is_item(line) for line in islice(read_jsonl(path), 1))


def sides(item: Item) -> list[Cut]:
    """The positive side, then the negative ones."""
    negative = item["negative"]
    return [item["positive"], *(negative if isinstance(negative, list) else [negative])]


def with_sides(item: Item, cuts: Sequence[Cut]) -> Item:
    """The item with its sides replaced by these cuts, which must be as many."""
    positive, *negative = cuts
    return {**item, "positive": positive, "negative": negative if isinstance(item["negative"], list) else negative[0]}


def supervision(cut: Cut) -> dict[str, Any]:
    """The cut's only supervision; ValueError naming the cut if it has none or several."""
    supervisions = cut.get("supervisions") or []
    if len(supervisions) != 1:
        raise ValueError(f"cut {cut.get('id')}: has {len(supervisions)} supervisions, expected exactly 1")
    return supervisions[0]


def book_text(cut: Cut) -> str:
    """Cased, punctuated text (`custom.texts[0]`), the input of the text modalities."""
    return supervision(cut)["custom"]["texts"][0]


def spoken_text(cut: Cut) -> str:
    """Upper-case words (`custom.texts[1]`), the input of the aligner."""
    return supervision(cut)["custom"]["texts"][1]


def pronunciations(cut: Cut) -> dict[str, str]:
    """Pronunciations that are valid in this cut only, upper-case word -> "PH ON ES" (pseudo-words)."""
    return supervision(cut)["custom"].get("pronunciations", {})


def speaker(cut: Cut) -> str:
    """The speaker's name."""
    return supervision(cut)["speaker"]


def phone_alignment(cut: Cut) -> list[tuple[str, float, float]]:
    """(phone, start, duration) in seconds from the cut's start, SIL included, without gaps."""
    return [(symbol, start, duration) for symbol, start, duration, *_ in supervision(cut)["alignment"]["phone"]]


def word_alignment(cut: Cut) -> list[tuple[str, float, float]]:
    """(word, start, duration) in seconds from the cut's start, in order, without silence."""
    return [(symbol, start, duration) for symbol, start, duration, *_ in supervision(cut)["alignment"]["word"]]


def num_samples(cut: Cut, sample_rate: int = 16_000) -> int:
    """Samples of the cut at `sample_rate`; the number `audio.read` returns."""
    return round(cut["duration"] * sample_rate)


def total_seconds(cuts: Iterable[Cut]) -> float:
    """Sum of the cuts' durations."""
    return sum(cut["duration"] for cut in cuts)
