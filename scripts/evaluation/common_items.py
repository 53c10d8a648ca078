"""The common items: those that every modality can score; modalities are compared on these only.

`evaluation/dropped.csv` lists each item that a modality cannot score, with the modality and the reason. Steps that
compare scores read them through `Dropped`, which excludes such an item for all modalities, with all its voices.

The items of a couple (mirrored pairs) are compared together or not at all: with an item that a modality cannot score
its mates leave too, listed as `couple-incomplete`. So does an item that names a couple of which no other item is left,
because its mate was dropped by an earlier stage.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv

COLUMNS = ("task", "id", "modality", "reason")
INCOMPLETE = "couple-incomplete"
NO_MODALITY = "any"  # in column `modality` of an item whose mate was dropped by an earlier stage


def incomplete_couples(
    couple_of: Mapping[str, str], failures: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str, str]]:
    """(id, modality, reason) of the items that can be scored, but whose couple is incomplete.

    Args:
        couple_of: item -> couple; its own id for an item without one.
        failures: item -> the modalities that cannot score it.
    """
    members: dict[str, list[str]] = defaultdict(list)
    for name, couple in couple_of.items():
        members[couple].append(name)
    for couple, names in members.items():
        modalities = list(dict.fromkeys(modality for name in names for modality in failures.get(name, ())))
        alone = len(names) == 1 and names[0] != couple
        for name in names:
            if name not in failures:
                yield from ((name, modality, INCOMPLETE) for modality in modalities or [NO_MODALITY] * alone)


def find_dropped(scores: Sequence[Path]) -> list[dict[str, str]]:
    """A row of COLUMNS per item and file `<task>/<modality>.csv` that has no score for it, then those of its mates.

    Raises:
        ValueError: names the task, if no item has a score in all files.
    """
    couples_by_task: dict[str, dict[str, str]] = defaultdict(dict)
    dropped_rows = []
    for path in scores:
        reasons: dict[str, str] = {}
        for row in read_csv(path, ["id", "couple", "dropped"]):
            couples_by_task[path.parent.name][row["id"]] = row["couple"] or row["id"]
            if row["dropped"]:
                reasons.setdefault(row["id"], row["dropped"])
        keys = ((path.parent.name, name, path.stem, why) for name, why in reasons.items())
        dropped_rows += [dict(zip(COLUMNS, key, strict=True)) for key in keys]
    for task, couple_of in couples_by_task.items():
        failures: dict[str, list[str]] = defaultdict(list)
        for row in dropped_rows:
            if row["task"] == task:
                failures[row["id"]].append(row["modality"])
        keys = ((task, *found) for found in incomplete_couples(couple_of, failures))
        dropped_rows += [dict(zip(COLUMNS, key, strict=True)) for key in keys]
        task_rows = [row for row in dropped_rows if row["task"] == task]
        if couple_of.keys() <= {row["id"] for row in task_rows}:
            counts = Counter((row["modality"], row["reason"]) for row in task_rows)
            summary = ", ".join(f"{modality} {reason} {count}" for (modality, reason), count in counts.items())
            raise ValueError(f"{task}: no item is left that every modality can score ({summary})")
    return dropped_rows


class Dropped:
    """Ids of the excluded items by task, from rows of COLUMNS."""

    def __init__(self, rows: Iterable[dict[str, str]]):
        self.ids: dict[str, set[str]] = defaultdict(set)
        for row in rows:
            self.ids[row["task"]].add(row["id"])

    @classmethod
    def read(cls, path: str | Path) -> "Dropped":
        """From `evaluation/dropped.csv`."""
        return cls(read_csv(path, ["task", "id"]))

    def common_rows(self, path: Path) -> list[dict[str, str]]:
        """The rows of `<task>/<name>.csv` of the common items.

        Raises:
            ValueError: names the file, if the row of a common item has no score.
        """
        excluded = self.ids.get(path.parent.name, set())
        kept = [row for row in read_csv(path, ["id"]) if row["id"] not in excluded]
        for row in kept:
            if row.get("dropped"):
                raise ValueError(
                    f"{path}: item {row['id']!r} has no score ({row['dropped']}), which evaluation/dropped.csv does not"
                    " list; make that file again"
                )
        return kept


def main() -> None:
    """Command line of rule evaluation_dropped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    arguments = parser.parse_args()
    dropped_rows = find_dropped(arguments.scores)
    write_csv(arguments.out, COLUMNS, dropped_rows)
    for (task, modality, reason), count in Counter(
        (r["task"], r["modality"], r["reason"]) for r in dropped_rows
    ).items():
        print(
            f"evaluation/{task}: {count} items are excluded from all comparisons: {reason} in {modality}",
            file=sys.stderr,
        )
    print(
        f"evaluation: {len({(r['task'], r['id']) for r in dropped_rows})} items excluded from comparisons",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
