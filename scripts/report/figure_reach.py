"""Accuracy against the distance between two words, and how far back each modality still sees."""

from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.level_panels import COLUMNS, Words, draw_from_command_line
from scripts.report.result_files import read_table

WORDS = Words(
    axis="distance, words (1: adjacent)",
    threshold="distance at which 75% is reached (95% interval)",
    none="no task has distances",
    falls=True,
)


def read(path: Path) -> pd.DataFrame:
    """The rows of evaluation/reach.csv in words, with the columns of level_panels.COLUMNS."""
    text = ["unit", "task", "modality", "measure", "quantity", "text"]
    table = read_table(path, text, ["distance", "value", "ci_low", "ci_high", "n"])
    drawn = table[(table["unit"] == "words") & (table["quantity"] != "attractor")]
    return drawn.rename(columns={"distance": "level"}).reset_index(drop=True)[list(COLUMNS)]


def main() -> None:
    draw_from_command_line(__doc__, "reach", read, WORDS)


if __name__ == "__main__":
    run(main)
