"""The items on which modalities are compared: those that every modality could score.

`evaluation/dropped.csv` names each item that a modality could not score, with that modality and its reason. Whoever
reads scores to compare them reads them through `Dropped`, so such an item leaves whole, with all its voices, for all.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv

COLUMNS = ("task", "id", "modality", "reason")


def gather(scores: Sequence[Path]) -> list[dict[str, str]]:
    """A row of COLUMNS per item that one of the files `<task>/<modality>.csv` has no score for.

    Raises:
        ValueError: naming the task, if no item of it is left that all have a score for.
    """
    asked: dict[str, set[str]] = defaultdict(set)
    dropped_rows = []
    for path in scores:
        reasons: dict[str, str] = {}
        for row in read_csv(path):
            asked[path.parent.name].add(row["id"])
            if row["dropped"]:
                reasons.setdefault(row["id"], row["dropped"])
        places = ((path.parent.name, name, path.stem, why) for name, why in reasons.items())
        dropped_rows += [dict(zip(COLUMNS, place, strict=True)) for place in places]
    for task, ids in asked.items():
        lost = [row for row in dropped_rows if row["task"] == task]
        if ids <= {row["id"] for row in lost}:
            counts = Counter((row["modality"], row["reason"]) for row in lost)
            reasons = ", ".join(f"{modality} {reason} {count}" for (modality, reason), count in counts.items())
            raise ValueError(f"{task}: no item is left that every modality can score ({reasons})")
    return dropped_rows


class Dropped:
    """The ids that leave, by task, as rows of COLUMNS name them."""

    def __init__(self, rows: Iterable[dict[str, str]]):
        self.ids: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            self.ids[row["task"]].add(row["id"])

    @classmethod
    def read(cls, path: str | Path) -> "Dropped":
        """From `evaluation/dropped.csv`."""
        return cls(read_csv(path))

    def common_rows(self, path: Path) -> list[dict[str, str]]:
        """The rows of `<task>/<name>.csv` that are compared.

        Raises:
            ValueError: naming the file, if a row that should be compared has no score.
        """
        left = self.ids.get(path.parent.name, set())
        kept = [row for row in read_csv(path) if row["id"] not in left]
        for row in kept:
            if row.get("dropped"):
                raise ValueError(
                    f"{path}: item {row['id']!r} has no score ({row['dropped']}), which evaluation/dropped.csv does not"
                    " say; make that file again"
                )
        return kept


def main() -> None:
    """Command line of rule evaluation_dropped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    arguments = parser.parse_args()
    dropped_rows = gather(arguments.scores)
    write_csv(arguments.out, COLUMNS, dropped_rows)
    for (task, modality, reason), count in Counter(
        (r["task"], r["modality"], r["reason"]) for r in dropped_rows
    ).items():
        print(f"evaluation/{task}: {count} items leave all comparisons: {reason} in {modality}", file=sys.stderr)
    print(
        f"evaluation: {len({(r['task'], r['id']) for r in dropped_rows})} items left out of comparisons",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
