"""The paper's Figure 1: accuracy against training data, from checkpoints inside the first epoch.

Open markers are checkpoints inside epoch 1, filled ones models with complete schedules on a share of the data or on
all of it (evaluation/schedules.csv). The upper row, over tokens, has the paper's straight lines through the
checkpoints. The lower row, over hours of speech, on which the checkpoints of all modalities coincide, has the binomial
curves with their floor at chance: through the complete schedules where there are enough of them, else through the
checkpoints.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from scripts.common.cli import run
from scripts.common.files import read_json
from scripts.report.labels import display_name
from scripts.report.result_files import read_table
from scripts.report.style import chance_line, legend_above, log_axis, modality_styles, new_figure, save

NUMBERS = ("tokens", "hours", "value", "ci_low", "ci_high", "n", "chance")
FITTED = ("slope", "intercept", "centre", "height", "logit_slope")
AXES = {"tokens": "training tokens seen", "hours": "hours of speech seen"}
CHECKPOINT, COMPLETE = "checkpoint", "complete"


def checkpoints(scaling: Path, modalities: Sequence[str], tasks: Sequence[str]) -> pd.DataFrame:
    """Accuracy (a share) of every checkpoint, with the fitted `line` and `curve` over log10(tokens)."""
    tables = []
    for task in tasks:
        for modality in modalities:
            path = scaling / task / f"{modality}.csv"
            data = read_table(path, [], NUMBERS).sort_values("tokens", kind="stable")
            fit_path = path.with_suffix(".fit.json")
            fit = read_json(fit_path)
            if missing := [key for key in FITTED if key not in fit]:
                raise ValueError(f"{fit_path}: no key {', '.join(map(repr, missing))}; found {', '.join(fit)}")
            x = np.log10(data["tokens"])
            logit = fit["height"] + fit["logit_slope"] * (x - fit["centre"])
            curve = data["chance"] + (1 - data["chance"]) / (1 + np.exp(-logit))
            line = fit["intercept"] + fit["slope"] * x
            tables.append(data.assign(task=task, modality=modality, model=CHECKPOINT, line=line, curve=curve))
    return pd.concat(tables, ignore_index=True)


def complete(schedules: Path, modalities: Sequence[str], tasks: Sequence[str]) -> pd.DataFrame:
    """Accuracy of the models with complete schedules, with the fitted `curve` where there are enough of them."""
    table = read_table(schedules, ["task", "modality", "quantity"], [*NUMBERS, "fit"])
    known = table["task"].isin(tasks) & table["modality"].isin(modalities) & (table["quantity"] == "accuracy")
    return table[known].rename(columns={"fit": "curve"}).assign(model=COMPLETE, line=np.nan)


def points(scaling: Path, schedules: Path, modalities: Sequence[str], tasks: Sequence[str]) -> pd.DataFrame:
    """All that is drawn, a row per model and task."""
    tables = [checkpoints(scaling, modalities, tasks), complete(schedules, modalities, tasks)]
    columns = ["task", "modality", "model", *NUMBERS, "line", "curve"]
    return pd.concat([table[columns] for table in tables], ignore_index=True)


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
                    _draw_modality(panel, part, x, "line" if x == "tokens" else "curve", styles[modality])
                chance_line(panel, part["chance"].iloc[0], label=column == len(tasks) - 1)
                log_axis(panel)
                panel.set_xlabel(x_label)
            axes[0, column].set_title(display_name(task))
        axes[0, 0].set_ylabel("accuracy, %\nstraight lines, checkpoints")
        axes[1, 0].set_ylabel("accuracy, %\nbinomial curves")
        legend_above(figure, axes[0, 0])
        save(figure, prefix, formats, data)


def _draw_modality(panel: Axes, part: pd.DataFrame, x: str, fitted: str, style: dict[str, Any]) -> None:
    color = style["color"]
    ends = part[part["model"] == COMPLETE]
    inside = part[part["model"] == CHECKPOINT]
    through = ends if fitted == "curve" and ends["curve"].notna().any() else inside
    panel.plot(through[x], 100 * through[fitted], color=color, linewidth=1.2)
    for models, face, width, size in ((inside, "white", 0.8, 3.2), (ends, color, 1.2, 4.5)):
        panel.vlines(
            models[x], 100 * models["ci_low"], 100 * models["ci_high"], color=color, alpha=0.3, linewidth=width
        )
        panel.plot(
            models[x], 100 * models["value"], color=color, marker=style["marker"], markerfacecolor=face,
            markeredgewidth=0.8, linestyle="none", markersize=size, label=style["label"] if models is ends else None,
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scaling", type=Path, required=True, help="folder with {task}/{modality}.csv and .fit.json")
    parser.add_argument("--schedules", type=Path, required=True, help="evaluation/schedules.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(points(args.scaling, args.schedules, args.modalities, args.tasks), args.output, args.formats)


if __name__ == "__main__":
    run(main)
