"""What each modality scores without what it learnt: the table of controls."""

import argparse
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.names import display
from scripts.report.read import read_table, records
from scripts.report.render import NONE, Column, Table, interval, write_forms

TEXT = ("modality", "task", "control")
NUMBERS = ("value", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS)
SHOWN = ("trained", "untrained", "shuffled-durations")


def layout(path: str | Path) -> Table:
    """The table for readers from controls.csv: one row per modality, per task the model and its controls."""
    data = read_table(path, TEXT, NUMBERS)
    cells = {(row["modality"], row["task"], row["control"]): row for row in records(data)}
    tasks = list(dict.fromkeys(data["task"]))
    models = list(dict.fromkeys(data[data["control"] == "trained"]["modality"]))

    def percent(row: dict | None) -> str:
        return interval(*(100 * row[key] for key in NUMBERS[:3])) if row else NONE

    columns = [Column("modality", text=True)]
    columns += [Column(name.replace("-", " "), f"{display(task)}, %") for task in tasks for name in SHOWN]
    lines = [
        [display(model), *(percent(cells.get((model, task, name))) for task in tasks for name in SHOWN)]
        for model in models
    ]
    balance = [
        f"{display(row['task'])} {percent(row)} of {row['n']:,.0f}"
        for row in records(data[data["control"] == "seconds"])
    ]
    notes = [
        "Untrained: the same model with random weights; what lies beyond 50% is an artefact of the pairs, such as their"
        " lengths. Shuffled durations: the trained model on the same symbols with the lengths of their runs swapped;"
        " what it loses is what durations told it. On the items of each task that the controls are scored on.",
        f"The side with fewer seconds is right in: {', '.join(balance)} pairs; 50% is balanced.",
    ]
    return Table("controls", "Controls", columns, lines, notes)


def main() -> None:
    """Command line of rule report_table_controls."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--controls", required=True, help="evaluation/controls.csv")
    parser.add_argument("--modalities", nargs="+", required=True, help="in the order of the table")
    parser.add_argument("--output", type=Path, required=True, help="folder for controls.{csv,md,tex,html}")
    args = parser.parse_args()
    rows = [{**row, "n": int(row["n"])} for row in records(read_table(args.controls, TEXT, NUMBERS))]
    places = {name: at for at, name in enumerate(args.modalities, start=1)}  # what needs no model comes first
    rows.sort(key=lambda row: places.get(row["modality"], 0))
    write_csv(args.output / "controls.csv", COLUMNS, rows)
    write_forms(args.output, layout(args.output / "controls.csv"))


if __name__ == "__main__":
    run(main)
