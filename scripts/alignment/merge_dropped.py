"""Merge the tables of dropped cuts of all alignment jobs; an error if too little of a split or task is left.

A split or task must have cuts left. What a split lost, in audio and by the filters of the alignment, is held to
corpus.max_missing_audio and corpus.max_dropped once more: the corpus sees whether a file is there, not what is in it.
"""

import argparse
import sys
from collections import Counter

from scripts.alignment.align import DROPPED_COLUMNS
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import read_csv, read_jsonl, write_csv
from scripts.corpus.config import Limits
from scripts.corpus.drops import examples_of
from scripts.corpus.losses import hold_to_limits


def gather(paths: list[str]) -> list[dict[str, str]]:
    """Rows of several tables of dropped cuts, in order; ValueError naming a file with other columns."""
    rows: list[dict[str, str]] = []
    for path in paths:
        rows += read_csv(path, DROPPED_COLUMNS)
    return rows


def check_something_left(name: str, aligned: list[str], rows: list[dict[str, str]]) -> None:
    """ValueError with the most frequent reason if every aligned file of this split or task is empty."""
    if any(next(read_jsonl(path), None) is not None for path in aligned):
        return
    lost = [row for row in rows if row["split"] == name]
    cause = "it was empty before alignment"
    if lost:
        reason, count = Counter(row["reason"] for row in lost).most_common(1)[0]
        example = next(row for row in lost if row["reason"] == reason)
        cause = f"the most frequent reason is {reason} ({count}), e.g. {example['id']}: {example['detail']}"
    raise ValueError(f"{aligned[0]}: no cut of {name!r} is left after alignment; {cause}")


def check_losses(name: str, aligned: list[str], rows: list[dict[str, str]], limits: Limits) -> None:
    """ValueError if more of a split's cuts were dropped than the limits allow."""
    own = [row for row in rows if row["split"] == name]
    if own:
        kept = sum(1 for path in aligned for _ in read_jsonl(path))
        counts = Counter(row["reason"] for row in own)
        hold_to_limits(f"alignment/dropped {name}", counts, kept, limits, examples_of(own))


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dropped", required=True, nargs="+", help="csv files of scripts.alignment.align")
    parser.add_argument(
        "--aligned",
        required=True,
        nargs="+",
        metavar="NAME=FILE",
        help="aligned files, each after the name of its split or task",
    )
    parser.add_argument("--splits", nargs="+", default=[], help="names among these whose losses are limited")
    parser.add_argument("--limits", required=True, help="JSON: shares of a split's cuts that may be dropped")
    parser.add_argument("--out", required=True, help="the table: split, id, reason, detail")
    args = parser.parse_args()

    limits = parse(Limits, args.limits, "corpus")
    rows = gather(args.dropped)
    files: dict[str, list[str]] = {}
    for pair in args.aligned:
        name, _, path = pair.partition("=")
        files.setdefault(name, []).append(path)
    for name, aligned in files.items():
        check_something_left(name, aligned, rows)
        if name in args.splits:
            check_losses(name, aligned, rows, limits)
    write_csv(args.out, DROPPED_COLUMNS, rows)
    counts = Counter((row["split"], row["reason"]) for row in rows)
    for (name, reason), count in sorted(counts.items()):
        print(f"alignment/dropped: {name}: {count} cuts: {reason}", file=sys.stderr)
    print(f"alignment/dropped: {len(rows)} cuts in all", file=sys.stderr)


if __name__ == "__main__":
    run(main)
