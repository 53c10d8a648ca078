"""The rows of corpus/dropped.csv: what the corpus leaves out, and why."""

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from scripts.common.files import atomic_path

COLUMNS = ("id", "reason", "detail")
AnItem = TypeVar("AnItem", bound=Mapping[str, Any])  # an item, or a pair of a script


def dropped(name: str, reason: str, detail: str = "") -> dict[str, str]:
    """A row of dropped.csv."""
    return {"id": name, "reason": reason, "detail": detail}


def complete_couples(items: Sequence[AnItem], lost: set[str]) -> tuple[list[AnItem], list[dict[str, str]]]:
    """The items that stay and a row for each that leaves because its mirror did: half a couple cancels nothing.

    Args:
        items: what is left, each with an `id` and, where it is bound to others, a `couple`.
        lost: couples of which an item was dropped.
    """
    kept = [item for item in items if item.get("couple") not in lost]
    rows = [dropped(item["id"], "couple-incomplete", item["couple"]) for item in items if item.get("couple") in lost]
    return kept, rows


class DropError(ValueError):
    """A cut or item that is dropped; `reason` is its key in dropped.csv."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def printable(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 become their number after a backslash and x."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def check_name(name: str) -> None:
    """DropError `name-not-utf8` if a file's name is not UTF-8: no manifest can hold it."""
    if printable(name) != name:
        raise DropError("name-not-utf8", f"the name {printable(name)!r} is not UTF-8; rename the file")


class Drops:
    """A dropped.csv that is written row by row: a tenth of LibriHeavy would not fit into memory.

    Attributes:
        counts: rows per reason.
        example: the first row as "id: detail".
        examples: the first row of each reason.
    """

    def __init__(self, file: IO[str]):
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)
        self.counts: Counter[str] = Counter()
        self.example = ""
        self.examples: dict[str, str] = {}

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["Drops"]:
        """Drops that are written to `path`, which appears when the block succeeds."""
        with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
            yield cls(file)

    def add(self, name: str, reason: str, detail: str = "") -> None:
        """One more row."""
        self._writer.writerow((name, reason, detail))
        self.counts[reason] += 1
        first = self.examples.setdefault(reason, f"{name}: {detail}")
        self.example = self.example or first

    def summary(self) -> str:
        """Counts by reason, or "none"."""
        return format_counts(self.counts) or "none"


def examples_of(rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The first of these rows of each reason, as "id: detail"."""
    examples: dict[str, str] = {}
    for row in rows:
        examples.setdefault(row["reason"], f"{row['id']}: {row['detail']}")
    return examples


def format_counts(counts: Counter[str]) -> str:
    """E.g. "3 characters, 1 too-long"; empty without a count."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
