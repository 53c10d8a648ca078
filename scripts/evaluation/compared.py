"""The items on which modalities are compared: those that every modality could score.

`evaluation/dropped.csv` names each item that a modality could not score, with that modality and its reason. Whoever
reads scores to compare them reads them through `Dropped`, so such an item leaves whole, with all its voices, for all.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv

COLUMNS = ("task", "id", "modality", "reason")


def dropped(path: Path) -> list[dict[str, str]]:
    """A row of COLUMNS per item that the scores `<task>/<modality>.csv` have no score for."""
    reasons: dict[str, str] = {}
    for row in read_csv(path):
        if row["dropped"]:
            reasons.setdefault(row["id"], row["dropped"])
    return [dict(zip(COLUMNS, (path.parent.name, name, path.stem, why), strict=True)) for name, why in reasons.items()]


class Dropped:
    """The ids that leave, by task, as `evaluation/dropped.csv` names them; nothing leaves without a file."""

    def __init__(self, path: str | Path | None):
        self.ids: dict[str, set[str]] = defaultdict(set)
        for row in read_csv(path) if path else ():
            self.ids[row["task"]].add(row["id"])

    def compared(self, path: Path) -> list[dict[str, str]]:
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


def check(found: Sequence[dict[str, str]], scores: Sequence[Path]) -> None:
    """ValueError naming the task, if no item of it is left."""
    left = defaultdict(set)
    for row in found:
        left[row["task"]].add(row["id"])
    for path in scores:
        ids = {row["id"] for row in read_csv(path)}
        if ids <= left[path.parent.name]:
            counts = Counter((row["modality"], row["reason"]) for row in found if row["task"] == path.parent.name)
            said = ", ".join(f"{modality} {reason} {count}" for (modality, reason), count in counts.items())
            raise ValueError(f"{path.parent.name}: no item is left that every modality can score ({said})")


def main() -> None:
    """Command line of rule evaluation_dropped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    arguments = parser.parse_args()
    found = [row for path in arguments.scores for row in dropped(path)]
    check(found, arguments.scores)
    write_csv(arguments.out, COLUMNS, found)
    for (task, modality, reason), count in Counter((r["task"], r["modality"], r["reason"]) for r in found).items():
        print(f"evaluation/{task}: {count} items leave all comparisons: {reason} in {modality}", file=sys.stderr)
    print(f"evaluation: {len({(r['task'], r['id']) for r in found})} items left out of comparisons", file=sys.stderr)


if __name__ == "__main__":
    run(main)
