"""Merge the tables of dropped cuts of all alignment jobs; an error if too little of a split or task is left.

A split or task must have cuts left. What a split lost, in audio and by the filters of the alignment, is held to
corpus.max_missing_audio and corpus.max_dropped once more: the corpus sees whether a file is there, not what is in it.
So is what corpus and alignment dropped of both splits together, and to corpus.max_dropped_items what both dropped of a
task's items.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from scripts.alignment.align import DROPPED_COLUMNS
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Item, sides
from scripts.common.files import read_csv, read_jsonl, write_csv
from scripts.corpus.config import AllLimits
from scripts.corpus.drops import examples_of
from scripts.corpus.losses import Losses, hold_items, hold_to_limits


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


def check_splits(
    aligned: Mapping[str, Sequence[str]], rows: Iterable[dict[str, str]], before: Losses, limits: AllLimits
) -> None:
    """ValueError if more of the splits' cuts were dropped than the limits allow: here of one, or in all of both.

    Args:
        aligned: the aligned files of every split.
        rows: what the alignment dropped.
        before: what the corpus dropped of the splits.
        limits: the shares allowed.
    """
    own = {name: [row for row in rows if row["split"] == name] for name in aligned}
    if not before.counts and not any(own.values()):
        return
    kept = {name: sum(1 for path in paths for _ in read_jsonl(path)) for name, paths in aligned.items()}
    for name, lost in own.items():
        counts = Counter(row["reason"] for row in lost)
        hold_to_limits(f"alignment/dropped {name}", counts, kept[name], limits, examples_of(lost))
    every = [row for lost in own.values() for row in lost]
    counts = before.counts + Counter(row["reason"] for row in every)
    examples = examples_of(every) | before.examples
    hold_to_limits("corpus and alignment, both splits", counts, sum(kept.values()), limits, examples)


def lost_items(items: Iterable[Item], left: set[str], rows: Iterable[dict[str, str]]) -> Losses:
    """The items that the alignment dropped, each once, under the first reason that one of its sides has.

    Args:
        items: the task's items before alignment.
        left: ids of the positive sides of those after it.
        rows: what the alignment dropped of this task: sides, and items that are bound to a dropped one.
    """
    by_side: dict[str, dict[str, str]] = {}
    for row in rows:
        by_side.setdefault(row["id"], row)
    losses = Losses(Counter(), {})
    for item in items:
        if item["positive"]["id"] not in left:
            row = next(by_side[cut["id"]] for cut in sides(item) if cut["id"] in by_side)
            losses.counts[row["reason"]] += 1
            losses.examples.setdefault(row["reason"], f"{row['id']}: {row['detail']}")
    return losses


def check_task(name: str, items: str, aligned: str, rows: list[dict[str, str]], before: Losses, limit: float) -> None:
    """ValueError if corpus and alignment dropped more of a task's items than the limit allows."""
    left = {item["positive"]["id"] for item in read_jsonl(aligned)}
    here = lost_items(read_jsonl(items), left, (row for row in rows if row["split"] == name))
    lost = Losses(before.counts + here.counts, before.examples | here.examples)
    hold_items(name, lost, len(left) + lost.counts.total(), limit)


def by_name(pairs: Iterable[str]) -> dict[str, list[str]]:
    """The files of each name in several NAME=FILE."""
    files: dict[str, list[str]] = {}
    for pair in pairs:
        name, _, path = pair.partition("=")
        files.setdefault(name, []).append(path)
    return files


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
    parser.add_argument("--items", nargs="*", default=[], metavar="TASK=FILE", help="a task's items before alignment")
    parser.add_argument("--before", nargs="+", required=True, help="what the corpus dropped of the splits")
    parser.add_argument(
        "--items-before", nargs="*", default=[], metavar="TASK=FILE", help="what the corpus dropped of a task"
    )
    parser.add_argument("--limits", required=True, help="JSON: shares of cuts and items that may be dropped")
    parser.add_argument("--out", required=True, help="the table: split, id, reason, detail")
    args = parser.parse_args()

    limits = parse(AllLimits, args.limits, "corpus")
    rows = gather(args.dropped)
    files, items, items_before = by_name(args.aligned), by_name(args.items), by_name(args.items_before)
    for name, aligned in files.items():
        check_something_left(name, aligned, rows)
    splits = {name: aligned for name, aligned in files.items() if name not in items}
    check_splits(splits, rows, Losses.read(args.before), limits)
    for task, (path,) in items.items():
        before = Losses.read(items_before.get(task, []))
        check_task(task, path, files[task][0], rows, before, limits.max_dropped_items)
    write_csv(args.out, DROPPED_COLUMNS, rows)
    counts = Counter((row["split"], row["reason"]) for row in rows)
    for (name, reason), count in sorted(counts.items()):
        print(f"alignment/dropped: {name}: {count} cuts: {reason}", file=sys.stderr)
    print(f"alignment/dropped: {len(rows)} cuts in all", file=sys.stderr)


if __name__ == "__main__":
    run(main)
