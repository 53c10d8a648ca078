"""Accuracy against the distance between two words, and how far back each modality still sees."""

import argparse
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.level_panels import COLUMNS, Words, draw
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reach", type=Path, required=True, help="evaluation/reach.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(read(args.reach), WORDS, args.modalities, args.output, args.formats)


if __name__ == "__main__":
    run(main)
