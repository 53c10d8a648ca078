"""Accuracy of every model by group of items: phenomena of sBLIMP, frequency bands of sWUGGY, topics.

A group's accuracy and interval are computed like those of a task (`accuracy.py`), over the couples of the group. `by`
is the label that defines the groups: `group`, or `subset` (such as in-vocabulary). A label with one value has no rows.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_csv
from scripts.evaluation.accuracy import item_interval
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Resampling
from scripts.evaluation.score_rows import couple_column, number_column

COLUMNS = ("modality", "task", "by", "name", "value", "ci_low", "ci_high", "n")
LABELS = ("subset", "group")


def sort_key(name: str) -> tuple[int, str]:
    """Sort key of a group: its first number (oov, 1-5, 6-20, >100), then its name."""
    number = re.search(r"\d+", name)
    return (int(number[0]) if number else -1, name)


def accuracies(rows: list[dict[str, str]], samples: int, seed: int) -> Iterator[dict[str, Any]]:
    """by, name, value, ci_low, ci_high, n of every group in rows of score.py, sorted by `sort_key`."""
    for label in LABELS:
        names = sorted({row[label] for row in rows}, key=sort_key)
        if len(names) < 2:
            continue
        for name in names:
            group_rows = [row for row in rows if row[label] == name]
            ids, correct = [row["id"] for row in group_rows], number_column(group_rows, "correct")
            result = item_interval(ids, couple_column(group_rows), correct, samples, seed)
            yield {"by": label, "name": name, **result._asdict()}


def main() -> None:
    """Command line of rule evaluation_groups."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    arguments.config = parse(Resampling, arguments.config, "evaluation")
    dropped = Dropped.read(arguments.dropped)
    rows = [
        {"modality": path.stem, "task": path.parent.name, **row}
        for path in arguments.scores
        for row in accuracies(dropped.common_rows(path), arguments.config.bootstrap_samples, arguments.seed)
    ]
    write_csv(arguments.out, COLUMNS, rows)
    print(f"evaluation/groups: {len(rows)} accuracies of {len(arguments.scores)} score files", file=sys.stderr)


if __name__ == "__main__":
    run(main)
