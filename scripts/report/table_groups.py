"""The table of accuracy by group of items: phenomena, frequency bands, topics."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.labels import display_name
from scripts.report.render import NO_VALUE, Column, Table, format_interval, write_formats
from scripts.report.result_files import grouped, read_table, records

TEXT = ("modality", "task", "by", "name")
NUMBERS = ("value", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS)


def build_table(path: str | Path) -> Table:
    """The formatted table of groups.csv: one row per group, one column per modality."""
    data = read_table(path, TEXT, NUMBERS)
    modalities = list(dict.fromkeys(data["modality"]))
    columns = [Column("task", text=True), Column("items", text=True), Column("pairs")]
    columns += [Column(display_name(modality), "accuracy, %") for modality in modalities]
    lines = []
    for (task, _, name), rows in grouped(data, "task", "by", "name").items():
        cells = {row["modality"]: row for row in rows}
        accuracies = [
            format_interval(*(100 * cells[modality][key] for key in NUMBERS[:3])) if modality in cells else NO_VALUE
            for modality in modalities
        ]
        lines.append([display_name(task), name, f"{rows[0]['n']:,.0f}", *accuracies])
    notes = [
        "The pairs of each group, decided as in the table of results. Brackets: 95% bootstrap interval over couples"
        " of pairs of the group. With this many cells some differ from the others by chance: compare groups over all"
        " modalities, or modalities over all groups."
    ]
    return Table("groups", "Scores by group of items", columns, lines, notes if lines else ["No task has groups."])


def ordered(path: str | Path, modalities: Sequence[str], tasks: Sequence[str]) -> list[dict[str, object]]:
    """The rows by task and modality, in the order of the configuration; `n` as int."""
    data = read_table(path, TEXT, NUMBERS)
    position = {name: i for names in (modalities, tasks) for i, name in enumerate(names)}
    rows = [row for row in records(data) if row["modality"] in position and row["task"] in position]
    rows.sort(key=lambda row: (position[row["task"]], position[row["modality"]]))
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
    write_formats(args.output, build_table(args.output / "groups.csv"))


if __name__ == "__main__":
    run(main)
