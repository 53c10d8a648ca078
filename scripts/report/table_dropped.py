"""What was left out on the way, counted by stage and reason, so that no run ends with silently less data."""

import argparse
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.read import read_table, records
from scripts.report.render import Column, Table, write_forms

COLUMNS = ("stage", "split", "reason", "count", "example")


def rows(corpus: str | Path, alignment: str | Path, evaluation: str | Path) -> list[dict[str, object]]:
    """Counts by stage, split and reason, with the first id as an example; reads row by row, for there may be millions.

    Raises:
        ValueError: naming the file, and the column that it lacks.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], str] = {}
    tables = (
        ("corpus", corpus, ("id", "reason")),
        ("alignment", alignment, ("split", "id", "reason")),
        ("evaluation", evaluation, ("task", "id", "modality", "reason")),
    )
    for stage, path, columns in tables:
        with open(path, newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            if missing := [column for column in columns if column not in (table.fieldnames or ())]:
                raise ValueError(f"{path}: no column {missing[0]!r}; found {', '.join(table.fieldnames or ())}")
            for row in table:
                reason = f"{row['reason']} in {row['modality']}" if "modality" in row else row["reason"]
                place = (stage, row.get("split", row.get("task", "")), reason)
                counts[place] += 1
                examples.setdefault(place, row["id"])
    return [dict(zip(COLUMNS, (*place, count, examples[place]), strict=True)) for place, count in counts.items()]


def layout(path: str | Path) -> Table:
    """The table for readers from dropped.csv."""
    data = read_table(path, [c for c in COLUMNS if c != "count"], ["count"])
    columns: Sequence[Column] = [
        *(Column(name, text=True) for name in ("stage", "split", "reason")),
        Column("count"),
        Column("for example", text=True),
    ]
    lines = [
        [row["stage"], row["split"] or "–", row["reason"], f"{row['count']:,.0f}", row["example"]]
        for row in records(data)
    ]
    notes = [
        "dropped.csv in corpus/, alignment/ and evaluation/ names every one with its reason. What one modality cannot"
        " score leaves the comparison of all."
    ]
    return Table("dropped", "What was dropped", columns, lines, notes if lines else ["Nothing was dropped."])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True, help="corpus/dropped.csv")
    parser.add_argument("--alignment", required=True, help="alignment/dropped.csv")
    parser.add_argument("--evaluation", required=True, help="evaluation/dropped.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder for dropped.{csv,md,tex,html}")
    args = parser.parse_args()
    write_csv(args.output / "dropped.csv", COLUMNS, rows(args.corpus, args.alignment, args.evaluation))
    write_forms(args.output, layout(args.output / "dropped.csv"))


if __name__ == "__main__":
    run(main)
