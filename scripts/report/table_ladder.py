"""Ladders: what each step between two modalities changes, and its share of the whole.

The rows of evaluation/ladder.csv; the readable forms have a row per step, with its share.
"""

import argparse
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv
from scripts.evaluation.ladder import COLUMNS
from scripts.report.labels import display_name
from scripts.report.render import NO_VALUE, Column, Table, format_interval, write_formats
from scripts.report.result_files import read_table, records
from scripts.report.table_crossing import METRIC_LABELS, at_chance_words

TEXT = ("ladder", "task", "metric", "quantity", "step", "baseline", "modality", "at_chance")
NUMBERS = ("value", "ci_low", "ci_high", "n", "seeds")
KEY = ("ladder", "task", "metric", "step")


def build_table(path: str | Path) -> Table:
    """The formatted table of ladder.csv: the steps of each ladder, task and metric, then the whole."""
    data = read_table(path, TEXT, NUMBERS)
    columns = [Column(name, text=True) for name in ("ladder", "task", "measure", "step", "from → to")]
    columns += [Column("change"), Column("share of the whole, %"), Column("not above chance", text=True)]
    shares = {tuple(row[name] for name in KEY): row for row in records(data[data["quantity"] == "share"])}
    rows = []
    for row in records(data[data["quantity"] != "share"]):
        share = shares.get(tuple(row[name] for name in KEY))
        rows.append(
            [
                row["ladder"],
                display_name(row["task"]),
                METRIC_LABELS[row["metric"]],
                row["step"] or "the whole",
                f"{display_name(row['baseline'])} → {display_name(row['modality'])}",
                format_interval(*(row[name] for name in NUMBERS[:3]), sign=True),
                format_interval(share["value"], share["ci_low"], share["ci_high"], 0) if share else NO_VALUE,
                at_chance_words(row["at_chance"]),
            ]
        )
    notes = [
        "Changes in points of pairs or mirrored couples that are right, or in bits per second of dev; the steps of a"
        " ladder add up to its whole. What two causes have in common is counted to the one that comes first. The share"
        " is blank where the whole is not shown to differ from 0; a share beyond 100% or below 0 belongs to a step"
        " that another one takes back.",
        "Brackets: 95% bootstrap interval over couples of items (utterances of bits), and over training seeds if there"
        " are several; all modalities are resampled alike.",
    ]
    return Table("ladder", "Ladders", columns, rows, notes)


def main() -> None:
    """Command line of rule report_table_ladder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ladder", type=Path, required=True, help="evaluation/ladder.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder for ladder.{csv,md,tex,html}")
    args = parser.parse_args()
    read_table(args.ladder, TEXT, NUMBERS)  # a damaged file is named before anything is written
    write_csv(args.output / "ladder.csv", COLUMNS, read_csv(args.ladder))
    write_formats(args.output, build_table(args.output / "ladder.csv"))


if __name__ == "__main__":
    run(main)
