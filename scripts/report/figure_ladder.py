"""Ladders: what each step changes in each task, with its interval, the whole below."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.labels import display_name
from scripts.report.result_files import grouped, read_table
from scripts.report.style import GREY, new_figure, save
from scripts.report.table_ladder import NUMBERS, TEXT

STEP, WHOLE = "#3b1f8f", "#c8501e"  # distinguishable in grey too
ROW_HEIGHT = 0.26  # inches


def read(path: str | Path) -> pd.DataFrame:
    """Steps and wholes of ladder.csv; of a task that has couples, the couples alone of the two measures."""
    data = read_table(path, TEXT, NUMBERS)
    data = data[data["quantity"] != "share"]
    mirrored = set(data.loc[data["metric"] == "couples", "task"])
    return data[~((data["metric"] == "accuracy") & data["task"].isin(mirrored))].reset_index(drop=True)


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """A row of panels per ladder, a panel per task."""
    ladders = list(grouped(data, "ladder"))
    tasks = list(dict.fromkeys(data["task"]))
    longest = int(data.groupby(["ladder", "task"]).size().max())
    height = len(ladders) * (0.8 + ROW_HEIGHT * longest)
    with new_figure(len(ladders), len(tasks), height) as (figure, axes):
        for row, (ladder,) in enumerate(ladders):
            for column, task in enumerate(tasks):
                panel = axes[row, column]
                part = data[(data["ladder"] == ladder) & (data["task"] == task)].reset_index(drop=True)
                colors = [WHOLE if quantity == "whole" else STEP for quantity in part["quantity"]]
                panel.axvline(0, color=GREY, linewidth=0.9)
                panel.hlines(part.index, part["ci_low"], part["ci_high"], color=colors, linewidth=1.6)
                panel.scatter(part["value"], part.index, color=colors, s=16, zorder=3)
                names = [step or "the whole" for step in part["step"]]
                panel.set_yticks(range(len(part)), names if column == 0 else [""] * len(part))
                panel.set_ylim(len(part) - 0.5, -0.5)
                panel.tick_params(axis="y", length=0)
                panel.grid(axis="y", visible=False)
                panel.set_title(f"{ladder}: {display_name(task)}" if column == 0 else display_name(task))
                bits = (part["metric"] == "bits_per_second").any()
                panel.set_xlabel("bits per second" if bits else "change, points")
        save(figure, prefix, formats, data)


def main() -> None:
    """Command line of rule report_figure_ladder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ladder", type=Path, required=True, help="evaluation/ladder.csv")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(read(args.ladder), args.output, args.formats)


if __name__ == "__main__":
    run(main)
