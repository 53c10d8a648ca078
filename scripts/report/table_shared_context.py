"""The frames of a context that differ between the two sides of an item, although the sound is the same there."""

import argparse
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.labels import display_name
from scripts.report.render import Column, Table, format_count, format_number, write_formats
from scripts.report.result_files import read_table, records

TEXT, NUMBERS = ("modality", "task"), ("items", "frames", "differing")


def build_table(path: str | Path) -> Table:
    """The formatted table of shared_context.csv: one row per modality with a frame rate and task."""
    columns = [
        Column("modality", text=True),
        Column("task", text=True),
        Column("items"),
        Column("frames of the context"),
        Column("differ between the sides, %"),
    ]
    lines = [
        [
            display_name(row["modality"]),
            display_name(row["task"]),
            format_count(row["items"]),
            format_count(row["frames"]),
            format_number(100 * row["differing"] / row["frames"]),
        ]
        for row in records(read_table(path, TEXT, NUMBERS))
    ]
    notes = [
        "Both sides of an item begin with the same samples. Units and aligned phones depend on the whole utterance, so"
        " that this share of the frames differs before what differs is heard. Without a frame rate nothing differs."
    ]
    return Table("shared_context", "Frames of a shared context that differ", columns, lines, notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared-context", required=True, help="tokens/shared_context.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder for shared_context.{csv,md,tex,html}")
    args = parser.parse_args()
    data = read_table(args.shared_context, TEXT, NUMBERS)
    write_csv(args.output / "shared_context.csv", [*TEXT, *NUMBERS], records(data))
    write_formats(args.output, build_table(args.output / "shared_context.csv"))


if __name__ == "__main__":
    run(main)
