"""Accuracy of words against their exposures in train, and the exposures that each modality needs for 75%."""

from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.level_panels import COLUMNS, Words, draw_from_command_line
from scripts.report.result_files import read_table

WORDS = Words(
    axis="occurrences of the word in train",
    threshold="exposures needed for 75% (95% interval)",
    none="no task has exposures",
    falls=False,
)


def read(path: Path) -> pd.DataFrame:
    """The rows of evaluation/exposures.csv that are drawn, with the columns of level_panels.COLUMNS."""
    text = ["factor", "task", "modality", "measure", "quantity", "text"]
    table = read_table(path, text, ["exposure", "value", "ci_low", "ci_high", "n"])
    return table[table["factor"] == ""].rename(columns={"exposure": "level"}).reset_index(drop=True)[list(COLUMNS)]


def main() -> None:
    draw_from_command_line(__doc__, "exposures", read, WORDS)


if __name__ == "__main__":
    run(main)
