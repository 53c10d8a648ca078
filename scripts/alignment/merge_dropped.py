"""Merge the tables of dropped cuts of all alignment jobs; an error if a split or task has no cuts left."""

import argparse
import sys
from collections import Counter

from scripts.alignment.align import DROPPED_COLUMNS
from scripts.common.cli import run
from scripts.common.files import read_csv, read_jsonl, write_csv


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
    parser.add_argument("--out", required=True, help="the table: split, id, reason, detail")
    args = parser.parse_args()

    rows = gather(args.dropped)
    files: dict[str, list[str]] = {}
    for pair in args.aligned:
        name, _, path = pair.partition("=")
        files.setdefault(name, []).append(path)
    for name, aligned in files.items():
        check_something_left(name, aligned, rows)
    write_csv(args.out, DROPPED_COLUMNS, rows)
    counts = Counter((row["split"], row["reason"]) for row in rows)
    for (name, reason), count in sorted(counts.items()):
        print(f"alignment/dropped: {name}: {count} cuts: {reason}", file=sys.stderr)
    print(f"alignment/dropped: {len(rows)} cuts in all", file=sys.stderr)


if __name__ == "__main__":
    run(main)
