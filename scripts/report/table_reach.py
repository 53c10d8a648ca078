"""How far back a modality sees, in words and in seconds.

The rows of evaluation/reach.csv; the readable forms show the shares by distance in words and the thresholds.
"""

from pathlib import Path

from scripts.common.cli import run
from scripts.evaluation.reach import COLUMNS
from scripts.report.labels import display_name
from scripts.report.level_cells import MEASURE_LABELS, share_cell, write_from_command_line
from scripts.report.render import NO_VALUE, Column, Table
from scripts.report.result_files import grouped, read_table, records

TEXT = ("modality", "task", "measure", "unit", "quantity", "text")
NUMBERS = ("distance", "shortest", "longest", "value", "ci_low", "ci_high", "n")


def bins(words: list[dict]) -> dict[int, str]:
    """Octave of a distance in words -> its heading, for the bins of all tasks: {0: "1", 1: "2", 2: "3–4"}."""
    octaves = sorted({_octave(row) for row in words})
    return {octave: f"{2**octave}" if octave < 2 else f"{2 ** (octave - 1) + 1}–{2**octave}" for octave in octaves}


def _octave(row: dict) -> int:
    return max(0, int(row["longest"]) - 1).bit_length()


def build_table(path: str | Path) -> Table:
    """The formatted table of reach.csv: a row per modality, task and measure."""
    data = read_table(path, TEXT, NUMBERS)
    headings = bins(records(data[(data["quantity"] == "share") & (data["unit"] == "words")]))
    columns = [Column("modality", text=True), Column("task", text=True), Column("measure", text=True)]
    columns += [Column(heading, "accuracy at a distance of so many words, %") for heading in headings.values()]
    columns += [Column("across an attractor"), Column("words", "down to 75% at", text=True)]
    columns += [Column("seconds", "down to 75% at", text=True)]
    rows = []
    for (modality, task, measure), group in grouped(data, "modality", "task", "measure").items():
        at = {_octave(row): row for row in group if row["quantity"] == "share" and row["unit"] == "words"}
        probe = next((row for row in group if row["quantity"] == "attractor"), None)
        ends = {row["unit"]: row["text"] for row in group if row["quantity"] == "threshold"}
        rows.append(
            [display_name(modality), display_name(task), MEASURE_LABELS[measure]]
            + [share_cell(at.get(octave)) for octave in headings]
            + [share_cell(probe), *(ends.get(unit, NO_VALUE) for unit in ("words", "seconds"))]
        )
    notes = [
        "Distance: from the word that decides an item to the word that is decided, 1 for neighbours. 75% lies midway"
        " between chance and a perfect score. The threshold is read from a fitted falling curve with a floor at chance;"
        " brackets: 95% bootstrap interval over couples. Items with an attractor between the two words lie outside the"
        " curve."
    ]
    return Table("reach", "Reach", columns, rows, notes if rows else ["No task has distances."])


def main() -> None:
    """Command line of rule report_table_reach."""
    write_from_command_line(__doc__, "reach", (TEXT, NUMBERS), COLUMNS, build_table)


if __name__ == "__main__":
    run(main)
