"""What the corpus leaves out, and why: every row of corpus/dropped.csv."""

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv

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


def main() -> None:
    """Join the jobs' own lists into corpus/dropped.csv."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--parts", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = [row for part in args.parts for row in read_csv(part)]
    write_csv(args.out, COLUMNS, rows)
    counts = ", ".join(f"{n} {reason}" for reason, n in sorted(Counter(row["reason"] for row in rows).items()))
    print(f"corpus: {len(rows)} dropped{': ' if counts else ''}{counts}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
