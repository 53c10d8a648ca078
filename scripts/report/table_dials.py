"""Dials: each task, the exposures needed and the bits by the dose of one cause.

The rows of evaluation/dials.csv; the readable forms have a row per modality, and the tasks in columns.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv
from scripts.evaluation.dials import CHANGE, COLUMNS
from scripts.report.labels import display_name
from scripts.report.render import NO_VALUE, Column, Table, format_interval, format_number, write_formats
from scripts.report.result_files import grouped, read_table

TEXT = ("dial", "factor", "unit", "modality", "task", "metric", "at_chance", "text")
NUMBERS = ("dose", "tokens_per_second", "value", "ci_low", "ci_high", *CHANGE, "n", "seeds")
GROUPS = {  # headings, in the order of the columns
    "accuracy": "pairs right, %",
    "couples": "couples right, %",
    "threshold": "exposures for 75%",
    "bits_per_second": "bits per second",
}


def cell(row: Mapping[str, Any] | None) -> str:
    """A value with its interval; a threshold in its words."""
    if row is None:
        return NO_VALUE
    if row["metric"] == "threshold":
        return str(row["text"]) or NO_VALUE
    return format_interval(row["value"], row["ci_low"], row["ci_high"])


def build_table(path: str | Path) -> Table:
    """The formatted table of dials.csv: a row per dial and modality."""
    data = read_table(path, TEXT, NUMBERS)
    shown = list(dict.fromkeys(zip(data["metric"], data["task"], strict=True)))
    shown.sort(key=lambda pair: list(GROUPS).index(pair[0]))
    columns = [Column("dial", text=True), Column("dose"), Column("modality", text=True), Column("tokens per second")]
    columns += [Column(display_name(task), GROUPS[metric]) for metric, task in shown]
    rows = []
    for (dial, factor, modality), group in grouped(data, "dial", "factor", "modality").items():
        found = {(row["metric"], row["task"]): row for row in group}
        first = group[0]
        rows.append(
            [
                f"{factor}: {dial}",
                f"{first['dose']:g} {first['unit']}",
                display_name(modality),
                format_number(first["tokens_per_second"]),
                *(cell(found.get(pair)) for pair in shown),
            ]
        )
    notes = [
        "Brackets: 95% bootstrap interval over couples of items (utterances of bits), and over training seeds if there"
        " are several. The csv also has each change from the lowest dose, with an interval over the same resamples,"
        " which is what shows an effect. The exposures for 75% are those of the first training seed."
    ]
    return Table("dials", "Dials", columns, rows, notes)


def main() -> None:
    """Command line of rule report_table_dials."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dials", type=Path, required=True, help="evaluation/dials.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder for dials.{csv,md,tex,html}")
    args = parser.parse_args()
    read_table(args.dials, TEXT, NUMBERS)  # a damaged file is named before anything is written
    write_csv(args.output / "dials.csv", COLUMNS, read_csv(args.dials))
    write_formats(args.output, build_table(args.output / "dials.csv"))


if __name__ == "__main__":
    run(main)
