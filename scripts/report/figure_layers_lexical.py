"""The paper's Figure 3: the word task layer by layer, one modality at a time.

A panel shows one modality in colour with its interval, plain and (dashed) through maps fitted on dev, the
others in grey behind it, and the best score that needs no language model, so that a reader sees at which
layer the model begins to add something.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.ticker import MaxNLocator

from scripts.common.cli import run
from scripts.report.layers import read_layers
from scripts.report.read import read_table
from scripts.report.style import chance_line, figure, legend_above, looks, save

BASELINE = "baseline_"


def with_baseline(data: pd.DataFrame, summary: str | Path, task: str) -> pd.DataFrame:
    """The layers' rows with the name and score (a share) of the modality's best baseline on the task."""
    scores = read_table(summary, ["modality", "task", "metric"], ["value"])
    scores = scores[(scores["task"] == task) & scores["metric"].str.startswith(BASELINE)]
    best = scores.loc[scores.groupby("modality")["value"].idxmax()]
    best = best.assign(baseline=best["metric"].str.removeprefix(BASELINE), baseline_value=best["value"])
    return data.merge(best[["modality", "baseline", "baseline_value"]], on="modality", how="left")


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """Three panels a row, one per modality."""
    modalities = list(dict.fromkeys(data["modality"]))
    style = looks(modalities)
    columns = min(3, len(modalities))
    rows = -(-len(modalities) // columns)
    with figure(rows, columns, 0.2 + 2.1 * rows, sharex=True, sharey=True) as (drawn, axes):
        for panel in axes.flat[len(modalities) :]:
            panel.set_axis_off()
        for panel, modality in zip(axes.flat, modalities, strict=False):
            plain = data[data["lens"] == "plain"]
            for _, part in plain[plain["modality"] != modality].groupby("modality"):
                panel.plot(part["layer"], 100 * part["value"], color="#d9d9d9", linewidth=1)
            part, look = plain[plain["modality"] == modality], style[modality]
            name, score = part["baseline"].iloc[0], 100 * part["baseline_value"].iloc[0]
            if score == score:  # there is a baseline
                panel.axhline(score, color="#444444", linewidth=0.9, linestyle=(0, (1, 1.5)))
                panel.annotate(
                    name, (0, score), xycoords=("axes fraction", "data"), xytext=(3, 2), textcoords="offset points",
                    color="#444444", fontsize=7,
                )  # fmt: skip
            panel.fill_between(
                part["layer"], 100 * part["ci_low"], 100 * part["ci_high"], color=look["color"], alpha=0.2, linewidth=0
            )
            panel.plot(part["layer"], 100 * part["value"], color=look["color"], marker=look["marker"], label="plain")
            tuned = data[(data["lens"] == "tuned") & (data["modality"] == modality)]
            panel.vlines(
                tuned["layer"], 100 * tuned["ci_low"], 100 * tuned["ci_high"], color=look["color"], alpha=0.4,
                linewidth=0.9,
            )  # fmt: skip
            panel.plot(
                tuned["layer"], 100 * tuned["value"], color=look["color"], marker=look["marker"], fillstyle="none",
                linestyle=(0, (3, 1.5)), linewidth=1, label="through fitted maps",
            )  # fmt: skip
            chance_line(panel, part["chance"].iloc[0], label=True)
            panel.set_title(f"{look['label']}, n = {part['n'].max():.0f}")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        for panel in axes[:, 0]:
            panel.set_ylabel("accuracy, %")
        for panel in axes[-1]:
            panel.set_xlabel("layer (0: embeddings)")
        legend_above(drawn, axes[0, 0])
        save(drawn, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--tuned-lens", type=Path, required=True, help="the same through fitted maps")
    parser.add_argument("--summary", required=True, help="evaluation/summary.csv, for the baselines")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--task", required=True, help="the task about words")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    layers = read_layers({"plain": args.layers, "tuned": args.tuned_lens}, args.modalities, [args.task])
    draw(with_baseline(layers, args.summary, args.task), args.output, args.formats)


if __name__ == "__main__":
    run(main)
