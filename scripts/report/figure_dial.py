"""One dial: each task, the exposures needed and the bits per second against the dose, with 95% intervals."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from scripts.common.cli import run
from scripts.report.labels import display_name
from scripts.report.result_files import read_table
from scripts.report.style import GREY, chance_line, log_axis, new_figure, save

TEXT = ("dial", "modality", "task", "metric", "text")
NUMBERS = ("dose", "value", "ci_low", "ci_high", "change", "change_ci_low", "change_ci_high", "n")
COLOR = "#3b1f8f"
COLUMNS = 3  # panels in a row
WIDE = 8.0  # ratio of the highest to the lowest dose from which the axis is logarithmic
LABELS = {
    "couples": "couples right, %",
    "accuracy": "pairs right, %",
    "threshold": "exposures for 75%",
    "bits_per_second": "bits per second",
}


def read(path: str | Path, dial: str) -> pd.DataFrame:
    """The rows of one dial in dials.csv; of a task that has couples, the couples alone of the two measures.

    Raises:
        ValueError: there is no row of this dial.
    """
    data = read_table(path, TEXT, NUMBERS)
    data = data[data["dial"] == dial]
    if data.empty:
        raise ValueError(f"{path}: no row of dial {dial!r}")
    mirrored = set(data.loc[data["metric"] == "couples", "task"])
    return data[~((data["metric"] == "accuracy") & data["task"].isin(mirrored))].reset_index(drop=True)


def draw(data: pd.DataFrame, axis: str, prefix: Path, formats: Sequence[str]) -> None:
    """A panel per task, then exposures and bits; `axis` is the label of the dose."""
    order = list(LABELS)
    panels = sorted(
        dict.fromkeys(zip(data["metric"], data["task"], strict=True)), key=lambda pair: order.index(pair[0])
    )
    rows = -(-len(panels) // COLUMNS)
    columns = min(COLUMNS, len(panels))
    doses = np.sort(data["dose"].unique())
    wide = bool(doses[0] > 0 and doses[-1] >= WIDE * doses[0])
    with new_figure(rows, columns, 2.1 * rows + 0.3) as (figure, axes):
        for place, panel in enumerate(axes.flat):
            if place >= len(panels):
                panel.set_axis_off()
                continue
            metric, task = panels[place]
            part = data[(data["metric"] == metric) & (data["task"] == task)].sort_values("dose")
            _draw_threshold(panel, part) if metric == "threshold" else _draw_values(panel, part, metric)
            panel.set_title(display_name(task))
            panel.set_ylabel(LABELS[metric])
            panel.set_xlabel(axis)
            if wide:
                log_axis(panel)
        save(figure, prefix, formats, data)


def _draw_values(panel: Axes, part: pd.DataFrame, metric: str) -> None:
    panel.vlines(part["dose"], part["ci_low"], part["ci_high"], color=COLOR, alpha=0.5)
    panel.plot(part["dose"], part["value"], "o-", color=COLOR)
    if metric in ("accuracy", "couples"):
        chance_line(panel, 0.5)
        panel.set_ylim(min(40.0, part["ci_low"].min() - 2), 102)
    else:
        panel.set_ylim(0, 1.08 * part["ci_high"].max())


def _draw_threshold(panel: Axes, part: pd.DataFrame) -> None:
    """Thresholds on a logarithmic axis; an arrow where one lies outside the exposures, words where there is none."""
    ends = part[["value", "ci_low", "ci_high"]].to_numpy(dtype=float)
    inside = ends[np.isfinite(ends) & (ends > 0)]
    low, high = (inside.min() / 1.5, inside.max() * 1.5) if inside.size else (1.0, 10.0)
    clipped = np.clip(ends, low, high)
    for dose, given, (value, lower, upper) in zip(part["dose"], ends, clipped, strict=True):
        if np.isnan(given[0]):
            panel.text(dose, low, "no curve", color=GREY, rotation=90, ha="center", va="bottom")
            continue
        marker = "^" if given[0] == np.inf else "v" if given[0] == 0 else "o"
        panel.vlines(dose, lower, upper, color=COLOR, alpha=0.5)
        panel.plot([dose], [value], marker=marker, color=COLOR, linestyle="none")
    panel.update_datalim([(dose, low) for dose in part["dose"]])  # also of points that have words alone
    panel.set_yscale("log", base=2)
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.set_ylim(low / 1.1, high * 1.1)
    panel.grid(axis="y", color=GREY, alpha=0.2)


def main() -> None:
    """Command line of the rules report_figure_dial_<name>."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dials", type=Path, required=True, help="evaluation/dials.csv")
    parser.add_argument("--dial", required=True, help="name of the dial")
    parser.add_argument("--axis", required=True, help="what a dose counts, and its unit")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(read(args.dials, args.dial), args.axis, args.output, args.formats)


if __name__ == "__main__":
    run(main)
