"""Panels of accuracy by level, with the fitted curves, and below them the level at which each curve passes 75%.

The figures of exposures and of reach are drawn from them: a pair of rows per task, a column per measure.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from scripts.report.labels import display_name
from scripts.report.style import GREY, modality_styles, new_figure, save

COLUMNS = ("task", "modality", "measure", "quantity", "level", "value", "ci_low", "ci_high", "n", "text")
MEASURES = {"accuracy": "pairs right, %", "couples": "mirrored couples right, %"}
CRITERION = 75
TOP, BOTTOM = 104.0, 36.0  # limits of the accuracy, %
DODGE = 0.09  # between the modalities' points at one level, in steps of `_stretch`
CURVE_HEIGHT, ROW_HEIGHT = 2.5, 0.16  # inches: of a panel of curves, and of a modality in the panel below


@dataclass(frozen=True)
class Words:
    """What differs between the figures.

    Attributes:
        axis: label of the level.
        threshold: label of the panels below.
        none: what an empty figure says.
        falls: whether accuracy falls with the level.
    """

    axis: str
    threshold: str
    none: str
    falls: bool


def draw(data: pd.DataFrame, words: Words, modalities: Sequence[str], prefix: Path, formats: Sequence[str]) -> None:
    """Draw and save the rows of COLUMNS; a table without rows gives a figure that says so."""
    tasks = list(dict.fromkeys(data["task"]))
    measures = [measure for measure in MEASURES if (data["measure"] == measure).any()]
    if not tasks:
        _draw_nothing(data, words.none, prefix, formats)
        return
    below = 0.3 + ROW_HEIGHT * len(modalities)
    height = len(tasks) * (CURVE_HEIGHT + below + 0.75)
    styles = modality_styles(modalities)
    ratios = [CURVE_HEIGHT, below] * len(tasks)
    with new_figure(2 * len(tasks), len(measures), height, gridspec_kw={"height_ratios": ratios}) as (figure, axes):
        for row, task in enumerate(tasks):
            for column, measure in enumerate(measures):
                part = data[(data["task"] == task) & data["measure"].isin([measure, "baseline_tokens"])]
                curves, thresholds = axes[2 * row, column], axes[2 * row + 1, column]
                if not (part["measure"] == measure).any():
                    curves.set_axis_off()
                    thresholds.set_axis_off()
                    continue
                _draw_curves(curves, part, measure, styles, words)
                _draw_thresholds(thresholds, part[part["measure"] == measure], styles, words, names=column == 0)
                curves.set_title(f"{display_name(task)}: {MEASURES[measure]}", loc="left")
                thresholds.set_xlim(curves.get_xlim())
                thresholds.set_xlabel(words.axis)
        save(figure, prefix, formats, data)


def _draw_nothing(data: pd.DataFrame, sentence: str, prefix: Path, formats: Sequence[str]) -> None:
    with new_figure(1, 1, 1.2) as (figure, axes):
        axes[0, 0].set_axis_off()
        axes[0, 0].text(0.5, 0.5, sentence, ha="center", va="center", color="#555555", fontsize=10)
        save(figure, prefix, formats, data)


def _draw_curves(panel: Axes, part: pd.DataFrame, measure: str, styles: dict, words: Words) -> None:
    ends = []
    own = part[part["measure"] == measure]
    shares = own[own["quantity"] == "share"]
    levels = np.sort(shares["level"].unique())
    grid = np.geomspace(levels[0], levels[-1], 100)
    for position, (modality, style) in enumerate(styles.items()):
        points = shares[shares["modality"] == modality].sort_values("level")
        if points.empty:
            continue
        aside = points["level"] * _stretch(levels, DODGE * (position - (len(styles) - 1) / 2))
        fitted = own[(own["modality"] == modality)].set_index("quantity")["value"]
        color = style["color"]
        if "midpoint" in fitted:
            panel.plot(grid, 100 * _curve(grid, fitted, falls=words.falls), color=color, linewidth=1.5)
        panel.vlines(aside, 100 * points["ci_low"], 100 * points["ci_high"], color=color, alpha=0.4, linewidth=1.1)
        panel.plot(aside, 100 * points["value"], color=color, marker=style["marker"], linestyle="none")
        ends.append((100 * points["value"].iloc[-1], style["label"], color))
        if measure == "accuracy":
            _draw_baseline(panel, part[(part["measure"] == "baseline_tokens") & (part["modality"] == modality)], color)
    floors = own.loc[own["quantity"] == "floor", "value"]
    chance = 100 * (floors.max() if len(floors) else 0.5)
    for height, dashes in ((CRITERION, "-"), (chance, (0, (4, 3)))):  # not below the names at the right
        panel.plot(levels[[0, -1]], [height] * 2, color=GREY, linewidth=0.9, linestyle=dashes, zorder=1)
    panel.annotate(
        "chance", (levels[0], chance), xytext=(0, -2), textcoords="offset points", va="top", color="#666666", fontsize=7
    )
    panel.set_ylim(BOTTOM, TOP)
    panel.set_yticks([40, 50, 60, 75, 90, 100])
    panel.grid(axis="y", visible=False)
    _level_axis(panel, levels, room=2.6)
    panel.tick_params(axis="x", labelbottom=False)
    _label_ends(panel, levels, ends)


def _draw_baseline(panel: Axes, points: pd.DataFrame, color: str) -> None:
    """The token-count baseline, where it is not at chance at every level."""
    if ((points["ci_low"] <= 0.5) & (points["ci_high"] >= 0.5)).all():
        return
    points = points.sort_values("level")
    panel.plot(points["level"], 100 * points["value"], color=color, linewidth=1.0, linestyle=(0, (1, 1.6)))
    panel.annotate(
        "token count", (points["level"].iloc[-1], 100 * points["value"].iloc[-1]), xytext=(-4, -4),
        textcoords="offset points", ha="right", va="top", fontsize=6.5, color=color,
    )  # fmt: skip


def _curve(levels: np.ndarray, fitted: pd.Series, *, falls: bool) -> np.ndarray:
    """The fitted accuracy at these levels (psychometric.py)."""
    doublings = (-1 if falls else 1) * np.log2(levels / fitted["midpoint"])
    return fitted["floor"] + (1 - fitted["floor"] - fitted["lapse"]) / (1 + np.exp(-fitted["slope"] * doublings))


def _level_axis(panel: Axes, levels: np.ndarray, room: float) -> None:
    """A logarithmic axis with ticks at powers of four or two, and room for labels on the right (a factor)."""
    panel.set_xscale("log")
    panel.set_xlim(levels[0] / 1.35, levels[-1] * (levels[-1] / levels[0]) ** 0.02 * _stretch(levels, room))
    step = 4 if levels[-1] > 60 * levels[0] else 2
    first = np.floor(np.log2(levels[0]) / np.log2(step))
    ticks = [t for t in float(step) ** np.arange(first, first + 24) if levels[0] / 1.1 <= t <= levels[-1] * 1.1]
    panel.xaxis.set_major_locator(FixedLocator(ticks))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _stretch(levels: np.ndarray, room: float) -> float:
    """A factor that adds the same share of the axis on the right, whatever the range of the levels."""
    return float((levels[-1] / levels[0]) ** (0.15 * room))


def _label_ends(panel: Axes, levels: np.ndarray, ends: list[tuple[float, str, str]]) -> None:
    """The names of the lines at their right ends, moved apart so that they do not overlap."""
    gap = (TOP - BOTTOM) / 17
    ordered = sorted(ends)
    places = _apart([min(value, TOP - 2) for value, _, _ in ordered], gap, BOTTOM + 2, TOP - 1)
    for place, (value, label, color) in zip(places, ordered, strict=True):
        panel.annotate(
            label, (levels[-1], value), xytext=(levels[-1] * _stretch(levels, 0.5), place),
            textcoords="data", va="center", fontsize=7.5, color=color,
            arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.5, "alpha": 0.6, "shrinkA": 0, "shrinkB": 3},
        )  # fmt: skip


def _apart(values: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Rising values moved so that neighbours are at least `gap` apart and none is above `high`."""
    places: list[float] = []
    for value in values:
        places.append(max(value, low, places[-1] + gap) if places else max(value, low))
    limit = high
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], limit)
        limit = places[index] - gap
    return places


def _draw_thresholds(panel: Axes, own: pd.DataFrame, styles: dict, words: Words, *, names: bool) -> None:
    """The threshold of each modality with its interval; an arrow where it lies outside the levels."""
    levels = np.sort(own.loc[own["quantity"] == "share", "level"].unique())
    _level_axis(panel, levels, room=2.6)
    left, right = levels[0] / 1.2, levels[-1] * _stretch(levels, 0.12)
    rows = {row["modality"]: row for row in own[own["quantity"] == "threshold"].to_dict("records")}
    place: Callable[[float], float] = lambda value: float(np.clip(value, left, right))  # noqa: E731
    for position, (modality, style) in enumerate(styles.items()):
        row = rows.get(modality)
        if row is None or np.isnan(row["value"]):
            said = "no curve" if row is not None else ""
            panel.text(levels[0], position, said, va="center", fontsize=7, color=GREY)
            continue
        low, value, high = (place(row[key]) for key in ("ci_low", "value", "ci_high"))
        panel.hlines(position, low, high, color=style["color"], linewidth=1.6)
        marker = ">" if row["value"] == np.inf else "<" if row["value"] == 0 else style["marker"]
        panel.plot([value], [position], color=style["color"], marker=marker, linestyle="none")
        for end, arrow, outside in ((low, "<", row["ci_low"] == 0), (high, ">", row["ci_high"] == np.inf)):
            if outside:
                panel.plot([end], [position], color=style["color"], marker=arrow, markersize=3.5, linestyle="none")
        said = row["text"].split(" [")[0]
        panel.text(levels[-1] * _stretch(levels, 0.5), position, said, va="center", fontsize=7.5, color=style["color"])
    panel.set_ylim(len(styles) - 0.4, -0.6)
    panel.set_yticks(range(len(styles)), [style["label"] for style in styles.values()] if names else [""] * len(styles))
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="y", visible=False)
    panel.set_title(words.threshold, fontsize=7.5, fontweight="normal", loc="left", pad=2)


def draw_from_command_line(description: str, table: str, read: Callable[[Path], pd.DataFrame], words: Words) -> None:
    """Command line of a figure: `--<table>` is the csv of evaluation/ that `read` reads."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(f"--{table}", dest="table", type=Path, required=True, help=f"evaluation/{table}.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(read(args.table), words, args.modalities, args.output, args.formats)
