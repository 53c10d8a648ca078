"""The tables of accuracy by level: their cells, and how they are written."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from scripts.common.files import read_csv, write_csv
from scripts.report.labels import display_name
from scripts.report.render import NO_VALUE, Table, format_interval, write_formats
from scripts.report.result_files import grouped, read_table

MEASURE_LABELS = {"accuracy": "pairs", "couples": "couples"}


def share_cell(row: Mapping[str, Any] | None) -> str:
    """`85.1 [82.0, 88.2]` of a share in %; a dash without one."""
    return (
        NO_VALUE if row is None else format_interval(100 * row["value"], 100 * row["ci_low"], 100 * row["ci_high"], 0)
    )


def lines(data: pd.DataFrame, column: str, levels: Sequence[float]) -> list[list[str]]:
    """A row per modality, task and measure: names, the share at each level, the threshold as text."""
    rows = []
    for (modality, task, measure), group in grouped(data, "modality", "task", "measure").items():
        at = {row[column]: row for row in group if row["quantity"] == "share"}
        threshold = next((row["text"] for row in group if row["quantity"] == "threshold"), NO_VALUE)
        rows.append(
            [display_name(modality), display_name(task), MEASURE_LABELS[measure]]
            + [share_cell(at.get(level)) for level in levels]
            + [threshold]
        )
    return rows


def write_from_command_line(
    description: str,
    name: str,
    read_columns: tuple[Sequence[str], Sequence[str]],
    columns: Sequence[str],
    build_table: Callable[[Path], Table],
) -> None:
    """Command line of a table: the csv of evaluation/ as it is, and its readable forms.

    Args:
        description: of the command line.
        name: of the table, its flag and its csv in evaluation/.
        read_columns: columns of text and of numbers that the csv must have; a damaged file is named before anything is
            written.
        columns: of the csv that is written.
        build_table: the readable table, from the path of the written csv.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(f"--{name}", dest="table", type=Path, required=True, help=f"evaluation/{name}.csv")
    parser.add_argument("--output", type=Path, required=True, help=f"folder for {name}.{{csv,md,tex,html}}")
    args = parser.parse_args()
    read_table(args.table, *read_columns)
    write_csv(args.output / f"{name}.csv", columns, read_csv(args.table))
    write_formats(args.output, build_table(args.output / f"{name}.csv"))
