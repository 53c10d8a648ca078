"""Count the cuts and items that were dropped, by stage and reason."""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import csv_rows, write_csv
from scripts.evaluation.common_items import NO_MODALITY
from scripts.report.render import Column, Table, write_formats
from scripts.report.result_files import read_table, records

COLUMNS = ("stage", "split", "reason", "count", "example")


def rows(corpus: str | Path, alignment: str | Path, evaluation: str | Path) -> list[dict[str, object]]:
    """Counts by stage, split and reason, with the first id as an example. Files are read row by row: they may be large.

    Raises:
        ValueError: names the file and the column that it lacks.
    """
    counts: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], str] = {}
    tables = (
        ("corpus", corpus, ("id", "reason")),
        ("alignment", alignment, ("split", "id", "reason")),
        ("evaluation", evaluation, ("task", "id", "modality", "reason")),
    )
    for stage, path, columns in tables:
        for row in csv_rows(path, columns):
            modality = row.get("modality", NO_MODALITY)
            reason = row["reason"] if modality == NO_MODALITY else f"{row['reason']} in {modality}"
            key = (stage, row.get("split", row.get("task", "")), reason)
            counts[key] += 1
            examples.setdefault(key, row["id"])
    return [dict(zip(COLUMNS, (*key, count, examples[key]), strict=True)) for key, count in counts.items()]


def build_table(path: str | Path) -> Table:
    """The formatted table of dropped.csv."""
    data = read_table(path, [c for c in COLUMNS if c != "count"], ["count"])
    columns: Sequence[Column] = [
        *(Column(name, text=True) for name in ("stage", "split", "reason")),
        Column("count"),
        Column("example", text=True),
    ]
    lines = [
        [row["stage"], row["split"] or "–", row["reason"], f"{row['count']:,.0f}", row["example"]]
        for row in records(data)
    ]
    notes = [
        "dropped.csv in corpus/, alignment/ and evaluation/ lists each one with its reason. An item that one modality"
        " cannot score is excluded for all modalities; couple-incomplete: the item can be scored, but is bound to one"
        " that was dropped."
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
    write_formats(args.output, build_table(args.output / "dropped.csv"))


if __name__ == "__main__":
    run(main)
