"""Table 3 as a figure: the change of accuracy by factor and task, with its interval and the paper's value."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.labels import display_name
from scripts.report.paper_values import Paper, read_paper
from scripts.report.result_files import read_table
from scripts.report.style import GREY, new_figure, save
from scripts.report.table_factors import CHANGE, KEY, accuracies

OURS, PAPER = "#3b1f8f", "#c8501e"  # distinguishable in grey too


def changes(factors: str | Path, paper: Paper) -> pd.DataFrame:
    """Changes and intervals of factors.csv with a column `paper_percent`, NaN where the paper has no value."""
    data = accuracies(read_table(factors, KEY, CHANGE))
    keys = data[["factor", "baseline", "modality", "task"]].itertuples(index=False, name=None)
    return data.assign(paper_percent=pd.Series([paper.change(*key) for key in keys], dtype="float64"))


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """One panel per task, one line per factor and pair of modalities."""
    tasks = list(dict.fromkeys(data["task"]))
    steps = list(dict.fromkeys(data[["factor", "baseline", "modality"]].itertuples(index=False, name=None)))
    names = [f"{display_name(base)} → {display_name(new)}   {factor}" for factor, base, new in steps]
    with new_figure(1, len(tasks), 1.2 + 0.32 * len(steps), sharey=True, sharex=True) as (figure, axes):
        for panel, task in zip(axes[0], tasks, strict=True):
            part = data[data["task"] == task]
            position = pd.Series(range(len(part)), index=part.index)
            if part["paper_percent"].notna().any():
                panel.plot(
                    part["paper_percent"],
                    position + 0.24,
                    "D",
                    color=PAPER,
                    fillstyle="none",
                    markersize=4,
                    label="paper",
                )
            panel.axvline(0, color=GREY, linewidth=0.9)
            panel.hlines(position, part["ci_low"], part["ci_high"], color=OURS, linewidth=1.6)
            panel.plot(part["change_percent"], position, "o", color=OURS, label="ours, with 95% interval")
            panel.set_title(display_name(task))
            panel.set_xlabel("change of accuracy, %")
        axes[0, 0].set_yticks(range(len(steps)), names)
        axes[0, 0].set_ylim(len(steps) - 0.4, -0.5)
        for panel in axes[0]:
            panel.tick_params(axis="y", length=0)
            panel.grid(axis="y", visible=False)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2)
        save(figure, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--factors", required=True, help="report/tables/factors.csv")
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(changes(args.factors, read_paper(args.paper)), args.output, args.formats)


if __name__ == "__main__":
    run(main)
