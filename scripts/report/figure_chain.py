"""The evolution chain: accuracy of every task at each step from text to speech, with the loss at each step.

A modality stands as far to the right as the factors of the configuration lead to it; an arrow is a factor, with the
change from the one modality to the other in points. Left: items right, with the paper's values as hollow markers;
right: mirrored couples right (level_curves.py), where a task has couples. Intervals resample couples of items, the same
ones in both modalities of a change.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from scripts.common.cli import run
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Factor, parse_factors
from scripts.evaluation.level_curves import Unit, couple_units, item_units, percentiles, resample, tabulate
from scripts.evaluation.score_rows import Row
from scripts.report.labels import display_name
from scripts.report.paper_values import Paper, read_paper
from scripts.report.result_files import read_table
from scripts.report.style import GREY, modality_styles, new_figure, save

COLUMNS = (
    *("task", "measure", "kind", "factor", "baseline", "modality", "step"),
    *("value", "ci_low", "ci_high", "n", "paper"),
)
TEXT = COLUMNS[:6]
TITLE_LETTERS = 40  # as many as fit over a panel
TITLES = {"accuracy": "pairs right, %", "couples": "mirrored couples right, %"}
TOP, BOTTOM = 107.0, 35.0  # limits of the accuracy, %
PANEL_HEIGHT = 2.05  # inches
ASIDE = 0.16  # between modalities of the same step
STEEP = 8.0  # points of change from which on an arrow is steep
PAPER_ASIDE = 0.13  # from our marker to the paper's


def read(path: str | Path) -> pd.DataFrame:
    """The drawn data, as they stand in the figure's csv."""
    return read_table(path, TEXT, COLUMNS[len(TEXT) :])


def steps(modalities: Sequence[str], factors: Sequence[Factor]) -> dict[str, int]:
    """How many factors lead to each modality at most, of those that a factor names, in the given order.

    Raises:
        ValueError: the factors form a circle.
    """
    step = {name: 0 for name in modalities if any(name in factor.pair for factor in factors)}
    for _ in step:
        for factor in factors:
            step[factor.to] = max(step[factor.to], step[factor.from_] + 1)
    if step and max(step.values()) >= len(step):
        circle = ", ".join(" -> ".join(factor.pair) for factor in factors)
        raise ValueError(f"config: factors lead from a modality back to it ({circle}); the chain needs a beginning")
    return step


def scores(rows: Sequence[Row], measure: str, score_normalization: str) -> list[Unit]:
    """Units of a measure, all at one level."""
    placed = [{**row, "level": "1"} for row in rows]
    return item_units(placed, "level") if measure == "accuracy" else couple_units(placed, "level", score_normalization)


def chain(
    rows_of: dict[tuple[str, str], list[Row]],
    tasks: Sequence[str],
    step: dict[str, int],
    factors: Sequence[Factor],
    paper: Paper,
    score_normalization: str,
    samples: int,
    seed: int,
) -> pd.DataFrame:
    """Rows of COLUMNS: `score` of a modality and `change` of a factor, as shares; the paper's scores too.

    Args:
        rows_of: (task, modality) -> rows of the common items.
        tasks: in the order in which they are drawn.
        step: modality -> its place in the chain.
        factors: of the configuration.
        paper: published values.
        score_normalization: of the scores whose differences add up to a couple's.
        samples: number of resamples.
        seed: of the resamples.
    """
    found: list[dict[str, Any]] = []
    for task in tasks:
        for measure in TITLES:
            units = {name: scores(rows_of[task, name], measure, score_normalization) for name in step}
            if not all(units.values()):
                continue
            tables = {name: tabulate(each) for name, each in units.items()}
            drawn = {name: _means(*resample(table, samples, seed, task)) for name, table in tables.items()}
            means = {name: float(table.right.sum() / table.total.sum()) for name, table in tables.items()}
            place = {"task": task, "measure": measure}
            for name in step:
                published = paper.accuracy(name, task) if measure == "accuracy" else None
                numbers = _numbers(means[name], drawn[name], len(units[name]))
                shown = np.nan if published is None else published / 100
                found.append({**place, "kind": "score", "factor": "", "baseline": "", "modality": name,
                              "step": step[name], **numbers, "paper": shown})  # fmt: skip
            for factor in factors:
                base, new = factor.pair
                numbers = _numbers(means[new] - means[base], drawn[new] - drawn[base], len(units[new]))
                found.append({**place, "kind": "change", "factor": factor.name, "baseline": base, "modality": new,
                              "step": step[new], **numbers, "paper": np.nan})  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS))


def _means(right: np.ndarray, count: np.ndarray) -> np.ndarray:
    return right[:, 0] / count[:, 0]


def _numbers(value: float, resampled: np.ndarray, count: int) -> dict[str, float]:
    low, high = percentiles(resampled)
    return {"value": value, "ci_low": low, "ci_high": high, "n": count}


def positions(step: dict[str, int]) -> dict[str, float]:
    """Where each modality stands on the axis: modalities of one step beside each other."""
    place: dict[str, float] = {}
    for number in set(step.values()):
        names = [name for name in step if step[name] == number]
        place |= {name: number + ASIDE * (i - (len(names) - 1) / 2) for i, name in enumerate(names)}
    return place


def draw(data: pd.DataFrame, modalities: Sequence[str], prefix: Path, formats: Sequence[str]) -> None:
    """A row of panels per task, a column per measure."""
    tasks = list(dict.fromkeys(data["task"]))
    measures = [measure for measure in TITLES if (data["measure"] == measure).any()]
    scored = data[data["kind"] == "score"]
    step = dict(zip(scored["modality"], scored["step"].astype(int), strict=True))
    styles, place = modality_styles(modalities), positions(step)
    height = 0.75 + PANEL_HEIGHT * len(tasks)
    with new_figure(len(tasks), len(measures), height, sharex=True, sharey=True) as (figure, axes):
        for row, task in enumerate(tasks):
            for column, measure in enumerate(measures):
                panel = axes[row, column]
                part = data[(data["task"] == task) & (data["measure"] == measure)]
                title = panel.set_title(f"{display_name(task)}: {TITLES[measure]}", loc="left")
                title.set_fontsize(title.get_fontsize() * min(1.0, TITLE_LETTERS / len(title.get_text())))
                if part.empty:
                    panel.text(0.5, 0.5, "no couples", transform=panel.transAxes, ha="center", color=GREY)
                    continue
                _draw_changes(panel, part, place, styles)
                _draw_scores(panel, part[part["kind"] == "score"], place, styles)
        _label_axes(axes, step)
        handles = dict(zip(*axes[0, 0].get_legend_handles_labels()[::-1], strict=True))
        handles = dict(sorted(handles.items(), key=lambda entry: entry[0] == "paper"))  # the paper last
        figure.legend(
            handles.values(), handles.keys(), loc="outside upper center", ncols=min(7, len(handles)),
            columnspacing=1.0, handletextpad=0.3,
        )  # fmt: skip
        save(figure, prefix, formats, data)


def _draw_scores(panel: Axes, scored: pd.DataFrame, place: dict[str, float], styles: dict) -> None:
    for row in scored.to_dict("records"):
        x, style = place[row["modality"]], styles[row["modality"]]
        panel.vlines(x, 100 * row["ci_low"], 100 * row["ci_high"], color=style["color"], linewidth=1.8, zorder=3)
        panel.plot(x, 100 * row["value"], **style, linestyle="none", markersize=5.5, zorder=4)
        if not np.isnan(row["paper"]):
            panel.plot(
                x + PAPER_ASIDE, 100 * row["paper"], marker=style["marker"], linestyle="none", markersize=4.5,
                fillstyle="none", color="#777777", zorder=2,
                label="paper" if row["modality"] == scored["modality"].iloc[0] else None,
            )  # fmt: skip
    panel.axhline(50, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)


def _draw_changes(panel: Axes, part: pd.DataFrame, place: dict[str, float], styles: dict) -> None:
    """An arrow per factor, its letter and its change in points beside it; grey where the interval holds zero."""
    height = {row["modality"]: 100 * row["value"] for row in part[part["kind"] == "score"].to_dict("records")}
    changes = part[part["kind"] == "change"].to_dict("records")
    middle = {
        (row["baseline"], row["modality"]): (height[row["baseline"]] + height[row["modality"]]) / 2 for row in changes
    }
    for row in changes:
        ends = row["baseline"], row["modality"]
        beside = [other for other in changes if other["step"] == row["step"] and other is not row]
        # Of two arrows of one step the upper one has its text above, the lower one below.
        upper = all(
            (middle[ends], ends) >= (middle[key], key)
            for key in ((other["baseline"], other["modality"]) for other in beside)
        )
        shows = row["ci_low"] > 0 or row["ci_high"] < 0
        color = styles[row["modality"]]["color"] if shows else "#8f8f8f"
        panel.annotate(
            "", (place[ends[1]], height[ends[1]]), (place[ends[0]], height[ends[0]]),
            arrowprops={"arrowstyle": "-|>,head_length=0.35,head_width=0.18", "color": color, "linewidth": 1.1,
                        "shrinkA": 5, "shrinkB": 5, "alpha": 0.85}, zorder=2,
        )  # fmt: skip
        points = f"{abs(100 * row['value']):.1f}"
        sign = "" if float(points) == 0 else "−" if row["value"] < 0 else "+"
        rise = height[ends[1]] - height[ends[0]]
        # Beside a steep arrow rather than on it.
        side = 0 if abs(rise) < STEEP else (-1 if rise > 0 else 1) * (1 if upper else -1)
        panel.annotate(
            f"{row['factor']}  {sign}{points}", ((place[ends[0]] + place[ends[1]]) / 2, middle[ends]),
            xytext=(3 * side, (3 if side else 5) * (1 if upper else -1)), textcoords="offset points",
            ha=("center", "left", "right")[side], va="bottom" if upper else "top", fontsize=7.5,
            fontweight="bold" if shows else "normal", color=color, zorder=5,
        )  # fmt: skip


def _label_axes(axes: Any, step: dict[str, int]) -> None:
    last = max(step.values())
    at = [[display_name(name) for name in step if step[name] == number] for number in range(last + 1)]
    names = ["\n".join(each) if len(each) > 1 else each[0].replace("-", "-\n", 1) for each in at]
    for panel in axes.flat:
        panel.set_xlim(-0.45, last + 0.45)
        panel.set_ylim(BOTTOM, TOP)
        panel.set_yticks([40, 50, 60, 70, 80, 90, 100])
        panel.set_xticks(range(last + 1), names)
        panel.tick_params(axis="x", length=0)
        panel.grid(axis="x", visible=False)
    axes[0, -1].annotate(
        "chance", (1, 50), xycoords=("axes fraction", "data"), xytext=(0, -2), textcoords="offset points",
        ha="right", va="top", color="#666666", fontsize=7,
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluation", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--config", required=True, help='JSON: {"factors": [...]} of the config')
    parser.add_argument("--score-normalization", required=True)
    parser.add_argument("--samples", type=int, required=True, help="bootstrap resamples")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    dropped = Dropped.read(args.dropped)
    factors = parse_factors(args.config)
    step = steps(args.modalities, factors)
    rows_of = {
        (task, name): dropped.common_rows(args.evaluation / task / f"{name}.csv")
        for task in args.tasks
        for name in step
    }
    data = chain(
        rows_of, args.tasks, step, factors, read_paper(args.paper), args.score_normalization, args.samples, args.seed
    )
    draw(data, args.modalities, args.output, args.formats)


if __name__ == "__main__":
    run(main)
