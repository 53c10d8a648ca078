"""Scores by group of items: which phenomena, frequency bands and topics a modality knows."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.names import display
from scripts.report.read import grouped, read_table, records
from scripts.report.render import NONE, Column, Table, interval, write_forms

TEXT = ("modality", "task", "by", "name")
NUMBERS = ("value", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS)


def layout(path: str | Path) -> Table:
    """The table for readers from groups.csv: one row per group, one column per modality."""
    data = read_table(path, TEXT, NUMBERS)
    modalities = list(dict.fromkeys(data["modality"]))
    columns = [Column("task", text=True), Column("items", text=True), Column("pairs")]
    columns += [Column(display(modality), "accuracy, %") for modality in modalities]
    lines = []
    for (task, _, name), rows in grouped(data, "task", "by", "name").items():
        cells = {row["modality"]: row for row in rows}
        shown = [
            interval(*(100 * cells[modality][key] for key in NUMBERS[:3])) if modality in cells else NONE
            for modality in modalities
        ]
        lines.append([display(task), name, f"{rows[0]['n']:,.0f}", *shown])
    notes = [
        "The pairs of each group alone, decided as in the table of results. Brackets: 95% bootstrap interval over the"
        " group's pairs. With so many cells some lie far from the others by chance: read a group where all modalities,"
        " or one modality in all groups, stand out."
    ]
    return Table("groups", "Scores by group of items", columns, lines, notes if lines else ["No task has groups."])


def ordered(path: str | Path, modalities: Sequence[str], tasks: Sequence[str]) -> list[dict[str, object]]:
    """The rows in the config's order of tasks and modalities, whole numbers in `n`."""
    data = read_table(path, TEXT, NUMBERS)
    places = {name: at for names in (modalities, tasks) for at, name in enumerate(names)}
    rows = [row for row in records(data) if row["modality"] in places and row["task"] in places]
    rows.sort(key=lambda row: (places[row["task"]], places[row["modality"]]))
    return [{**row, "n": int(row["n"])} for row in rows]


def main() -> None:
    """Command line of rule report_table_groups."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", required=True, help="evaluation/groups.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for groups.{csv,md,tex,html}")
    args = parser.parse_args()
    write_csv(args.output / "groups.csv", COLUMNS, ordered(args.groups, args.modalities, args.tasks))
    write_forms(args.output, layout(args.output / "groups.csv"))


if __name__ == "__main__":
    run(main)
