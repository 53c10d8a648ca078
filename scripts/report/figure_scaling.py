"""The paper's Figure 1: accuracy against training data seen, from checkpoints inside the first epoch.

The x axis of the upper row is in tokens, as in the paper; that of the lower row in hours of speech, on which the
checkpoints of all modalities coincide.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.common.cli import run
from scripts.common.files import read_json
from scripts.report.labels import display_name
from scripts.report.result_files import read_table
from scripts.report.style import chance_line, legend_above, log_axis, modality_styles, new_figure, save

NUMBERS = ("tokens", "hours", "value", "ci_low", "ci_high", "n", "chance")
AXES = {"tokens": "training tokens seen", "hours": "hours of speech seen"}


def points(scaling: Path, modalities: Sequence[str], tasks: Sequence[str]) -> pd.DataFrame:
    """Accuracy (a share) of every checkpoint and the fitted value, `intercept + slope * log10(tokens)`."""
    tables = []
    for task in tasks:
        for modality in modalities:
            path = scaling / task / f"{modality}.csv"
            data = read_table(path, [], NUMBERS).sort_values("tokens", kind="stable")
            fit_path = path.with_suffix(".fit.json")
            fit = read_json(fit_path)
            if not {"slope", "intercept"} <= set(fit):
                raise ValueError(f"{fit_path}: no key 'slope' or 'intercept'; found {', '.join(fit)}")
            line = fit["intercept"] + fit["slope"] * np.log10(data["tokens"])
            tables.append(data.assign(task=task, modality=modality, fit=line))
    return pd.concat(tables, ignore_index=True)[["task", "modality", *NUMBERS, "fit"]]


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """One column of panels per task, one colour per modality."""
    tasks, modalities = (list(dict.fromkeys(data[name])) for name in ("task", "modality"))
    styles = modality_styles(modalities)
    with new_figure(2, len(tasks), 4.8, sharey=True) as (figure, axes):
        for column, task in enumerate(tasks):
            for row, (x, x_label) in enumerate(AXES.items()):
                panel = axes[row, column]
                for modality in modalities:
                    part = data[(data["task"] == task) & (data["modality"] == modality)]
                    style = styles[modality]
                    panel.plot(part[x], 100 * part["fit"], color=style["color"], linewidth=1.2)
                    panel.vlines(
                        part[x],
                        100 * part["ci_low"],
                        100 * part["ci_high"],
                        color=style["color"],
                        alpha=0.3,
                        linewidth=0.9,
                    )
                    panel.plot(part[x], 100 * part["value"], **style, linestyle="none", markersize=3.5)
                chance_line(panel, part["chance"].iloc[0], label=column == len(tasks) - 1)
                log_axis(panel)
                panel.set_xlabel(x_label)
            axes[0, column].set_title(display_name(task))
        for panel in axes[:, 0]:
            panel.set_ylabel("accuracy, %")
        legend_above(figure, axes[0, 0])
        save(figure, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scaling", type=Path, required=True, help="folder with {task}/{modality}.csv and .fit.json")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(points(args.scaling, args.modalities, args.tasks), args.output, args.formats)


if __name__ == "__main__":
    run(main)
