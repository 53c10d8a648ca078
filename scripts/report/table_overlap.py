"""What the items of the tasks share with train: speakers, books, texts and parts of texts."""

import argparse
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.labels import display_name
from scripts.report.render import Column, Table, format_count, format_number, write_formats
from scripts.report.result_files import read_table, records

TEXT, NUMBERS = ("task", "kind", "example"), ("compared", "shared")
KINDS = {"speaker": "speaker", "book": "book", "text": "whole text", "words": "8 words in a row"}


def build_table(path: str | Path) -> Table:
    """The formatted table of overlap.csv: one row per task and kind."""
    columns = [
        Column("task", text=True),
        Column("in train too", text=True),
        Column("sides compared"),
        Column("sides shared"),
        Column("%"),
        Column("example", text=True),
    ]
    lines = [
        [
            display_name(row["task"]),
            KINDS[row["kind"]],
            format_count(row["compared"]),
            format_count(row["shared"]),
            format_number(100 * row["shared"] / row["compared"]),
            row["example"],
        ]
        for row in records(read_table(path, TEXT, NUMBERS))
    ]
    notes = [
        "Sides of items that share a property with an utterance of train. A model may know such a side by heart."
        " Names of speakers agree only within one corpus."
    ]
    return Table("overlap", "What items share with train", columns, lines, notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--overlap", required=True, help="corpus/overlap.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder for overlap.{csv,md,tex,html}")
    args = parser.parse_args()
    data = read_table(args.overlap, TEXT, NUMBERS)
    write_csv(args.output / "overlap.csv", [*TEXT, *NUMBERS], records(data))
    write_formats(args.output, build_table(args.output / "overlap.csv"))


if __name__ == "__main__":
    run(main)
