"""Join the corpus's lists of what was dropped into corpus/dropped.csv; an error if the corpus as a whole lost too much.

Every step holds its own part to corpus.max_missing_audio and corpus.max_dropped. Steps follow one another, so the parts
together may have lost more than a limit: the cuts of both splits and all their lists are held to the limits once more.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import csv_rows, read_jsonl, write_csv
from scripts.corpus.config import Limits
from scripts.corpus.drops import COLUMNS, format_counts
from scripts.corpus.losses import Losses, hold_to_limits


def join_rows(parts: Sequence[Path], counts: Counter[str]) -> Iterator[dict[str, str]]:
    """The rows of several dropped.csv; adds them to `counts` by reason."""
    for part in parts:
        for row in csv_rows(part, COLUMNS):
            counts[row["reason"]] += 1
            yield row


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=Path, nargs="+", required=True, help="lists of the splits")
    parser.add_argument("--tasks", type=Path, nargs="*", default=[], help="lists of the tasks")
    parser.add_argument("--cuts", type=Path, nargs="+", required=True, help="the cuts of both splits")
    parser.add_argument("--limits", required=True, help="JSON: shares of the cuts that may be dropped")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    lost = Losses.read(args.parts)
    if lost.counts:
        kept = sum(1 for path in args.cuts for _ in read_jsonl(path))
        limits = parse(Limits, args.limits, "corpus")
        hold_to_limits("corpus, both splits and all steps", lost.counts, kept, limits, lost.examples)
    counts: Counter[str] = Counter()
    write_csv(args.out, COLUMNS, join_rows([*args.parts, *args.tasks], counts))
    summary = format_counts(counts)
    print(f"corpus: {counts.total()} dropped{': ' if summary else ''}{summary}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
