"""What the corpus leaves out, and why: every row of corpus/dropped.csv."""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from scripts.common.cli import run
from scripts.common.files import atomic_path, write_csv

COLUMNS = ("id", "reason", "detail")


@dataclass(frozen=True)
class Limits:
    """Seconds that an utterance may last."""

    min_seconds: float
    max_seconds: float

    @classmethod
    def parse(cls, text: str) -> "Limits":
        return cls(**json.loads(text))

    def reason(self, seconds: float) -> str | None:
        """Why an utterance of this length is dropped, None if it is not."""
        if seconds < self.min_seconds:
            return "too-short"
        return "too-long" if seconds > self.max_seconds else None


def dropped(name: str, reason: str, detail: str = "") -> dict[str, str]:
    """A row of dropped.csv."""
    return {"id": name, "reason": reason, "detail": detail}


class Drops:
    """Rows of a dropped.csv, written as they come: a tenth of LibriHeavy would not fit into memory.

    Attributes:
        counts: rows per reason.
        example: the first row, in words.
    """

    def __init__(self, file: IO[str]):
        self._writer = csv.writer(file, lineterminator="\n")
        self._writer.writerow(COLUMNS)
        self.counts: Counter[str] = Counter()
        self.example = ""

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["Drops"]:
        """Drops that are written to `path`, which appears when the block succeeds."""
        with atomic_path(path) as aside, open(aside, "w", newline="", encoding="utf-8") as file:
            yield cls(file)

    def add(self, name: str, reason: str, detail: str = "") -> None:
        """One more row."""
        self._writer.writerow((name, reason, detail))
        self.counts[reason] += 1
        self.example = self.example or f"{name}: {detail}"

    def told(self) -> str:
        """Counts by reason in words."""
        return in_words(self.counts) or "none"


def in_words(counts: Counter[str]) -> str:
    """3 characters, 1 too-long."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))


def joined(parts: Sequence[Path], counts: Counter[str]) -> Iterator[dict[str, str]]:
    """The rows of several lists, counted by reason on the way."""
    for part in parts:
        with open(part, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                counts[row["reason"]] += 1
                yield row


def main() -> None:
    """Join the jobs' own lists into corpus/dropped.csv."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--parts", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    counts: Counter[str] = Counter()
    write_csv(args.out, COLUMNS, joined(args.parts, counts))
    told = in_words(counts)
    print(f"corpus: {counts.total()} dropped{': ' if told else ''}{told}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
