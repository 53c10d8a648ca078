"""Experiments side by side: the accuracy of every task and the bits per second, a line per modality and experiment.

Each panel is a task. A modality has a line for every experiment, the names of which stand in the panel's first block;
a missing point says why it is missing. Hollow: the paper's values. Dashed: chance of pairs.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from scripts.common.cli import run
from scripts.report.experiment_scores import NOT_PUBLISHED, PAPER, SCORE_NUMBERS, SCORE_TEXT
from scripts.report.labels import display_name
from scripts.report.result_files import read_table, records
from scripts.report.style import GREY, modality_styles, new_figure, save

DRAWN = ("accuracy", "bits_per_second")
COLUMNS = (*SCORE_TEXT[:4], *SCORE_NUMBERS[:4], "blank")
LINE_HEIGHT, GAP, MARGINS = 0.135, 0.8, 0.75  # inches; lines; inches
PANELS_BESIDE = 2
LONGEST = 22  # letters of an experiment's name
PAPER_STYLE = {"color": "#777777", "marker": "o", "fillstyle": "none"}


def read(path: str | Path) -> pd.DataFrame:
    """The accuracies and bits per second of scores.csv."""
    data = read_table(path, SCORE_TEXT, SCORE_NUMBERS)
    return data[data["metric"].isin(DRAWN)][list(COLUMNS)].reset_index(drop=True)


def short(name: str) -> str:
    """A name cut to LONGEST letters."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def heights(modalities: Sequence[str], experiments: Sequence[str]) -> dict[tuple[str, str], float]:
    """Line of every modality and experiment, from 0 downwards; GAP lines between modalities."""
    block = len(experiments) + GAP
    return {(m, e): i * block + j for i, m in enumerate(modalities) for j, e in enumerate(experiments)}


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """A panel per task, PANELS_BESIDE in a row."""
    experiments = list(dict.fromkeys(data["experiment"]))
    tasks = list(dict.fromkeys(data["task"]))
    ours = [name for name in experiments if name != PAPER]
    styles: dict[str, Mapping[str, Any]] = {**modality_styles(ours), PAPER: PAPER_STYLE}
    panels = {task: list(dict.fromkeys(data[data["task"] == task]["modality"])) for task in tasks}
    most = max(len(modalities) for modalities in panels.values())
    rows = -(-len(tasks) // PANELS_BESIDE)
    height = rows * (MARGINS + LINE_HEIGHT * most * (len(experiments) + GAP))
    with new_figure(rows, min(PANELS_BESIDE, len(tasks)), height) as (figure, axes):
        for panel, task in zip(axes.flat, tasks, strict=False):
            _draw_panel(panel, data[data["task"] == task], task, panels[task], experiments, styles)
        for panel in list(axes.flat)[len(tasks) :]:
            panel.set_visible(False)
        save(figure, prefix, formats, data)


def _draw_panel(
    panel: Axes,
    part: pd.DataFrame,
    task: str,
    modalities: Sequence[str],
    experiments: Sequence[str],
    styles: Mapping[str, Mapping[str, Any]],
) -> None:
    in_bits = (part["metric"] == "bits_per_second").all()
    drawn = [name for name in experiments if name != PAPER or not in_bits]
    place, scale = heights(modalities, drawn), 1 if in_bits else 100
    named: set[str] = set()
    for row in records(part):
        name = row["experiment"]
        if name not in drawn:
            continue
        y, style = place[row["modality"], name], styles[name]
        if row["value"] != row["value"]:
            if row["blank"] != NOT_PUBLISHED:
                _note(panel, 0, y, f"{short(name)}: {row['blank']}", ("axes fraction", "data"))
            continue
        panel.hlines(y, scale * row["ci_low"], scale * row["ci_high"], color=style["color"], linewidth=1.6)
        shape = {key: value for key, value in style.items() if key != "label"}
        panel.plot(scale * row["value"], y, **shape, linestyle="none", markersize=4.5, zorder=3)
        if name not in named:
            named.add(name)
            right = row["ci_high"] if row["ci_high"] == row["ci_high"] else row["value"]
            _note(panel, scale * right, y, short(name), ("data", "data"))
    if not in_bits:
        panel.axvline(50, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    panel.margins(x=0.12)
    blocks = [sum(place[name, each] for each in drawn) / len(drawn) for name in modalities]
    panel.set_yticks(blocks, [display_name(name) for name in modalities])
    panel.set_ylim(max(place.values()) + 0.7, -0.7)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="y", visible=False)
    panel.set_title("Bits per second of dev" if in_bits else f"{display_name(task)}: pairs right, %", loc="left")


def _note(panel: Axes, x: float, y: float, text: str, coordinates: tuple[str, str]) -> None:
    panel.annotate(
        text, (x, y), xycoords=coordinates, xytext=(4, 0), textcoords="offset points", va="center", color="#444444",
        fontsize=6.5, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip


def main() -> None:
    """Command line of rule compare_figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=Path, required=True, help="scores.csv of the comparison")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(read(args.scores), args.output, args.formats)


if __name__ == "__main__":
    run(main)
