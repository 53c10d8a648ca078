"""The table of controls: scores of untrained models and of shuffled durations."""

import argparse
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.labels import display_name
from scripts.report.render import NO_VALUE, Column, Table, format_interval, write_formats
from scripts.report.result_files import read_table, records

TEXT = ("modality", "task", "control")
NUMBERS = ("value", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS)
CONTROLS = ("trained", "untrained", "shuffled-durations")


def build_table(path: str | Path) -> Table:
    """The formatted table of controls.csv: one row per modality, and per task the model and its controls."""
    data = read_table(path, TEXT, NUMBERS)
    cells = {(row["modality"], row["task"], row["control"]): row for row in records(data)}
    tasks = list(dict.fromkeys(data["task"]))
    models = list(dict.fromkeys(data[data["control"] == "trained"]["modality"]))

    def percent(row: dict | None) -> str:
        return format_interval(*(100 * row[key] for key in NUMBERS[:3])) if row else NO_VALUE

    columns = [Column("modality", text=True)]
    columns += [Column(name.replace("-", " "), f"{display_name(task)}, %") for task in tasks for name in CONTROLS]
    lines = [
        [display_name(model), *(percent(cells.get((model, task, name))) for task in tasks for name in CONTROLS)]
        for model in models
    ]
    balance = [
        f"{display_name(row['task'])} {percent(row)} of {row['n']:,.0f}"
        for row in records(data[data["control"] == "seconds"])
    ]
    notes = [
        "Untrained: the mean over models of the same configuration with random weights, interval over couples of items"
        " and models; a deviation from 50% is an artefact of the pairs, such as their lengths. Shuffled durations: the"
        " trained model on the same symbols with the lengths of their runs permuted among the runs of each symbol; the"
        " loss of accuracy is due to durations. All columns are over the items that the controls are scored on.",
        f"Pairs whose positive side is the shorter one in seconds: {', '.join(balance)}; 50% is balanced.",
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
    position = {name: i for i, name in enumerate(args.modalities, start=1)}  # controls without a model come first
    rows.sort(key=lambda row: position.get(row["modality"], 0))
    write_csv(args.output / "controls.csv", COLUMNS, rows)
    write_formats(args.output, build_table(args.output / "controls.csv"))


if __name__ == "__main__":
    run(main)
