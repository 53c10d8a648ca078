"""The paper's Figure 3: accuracy of the lexical task by layer, one panel per modality.

A panel shows one modality in colour with its interval, by the plain lens and (dashed) by the tuned lens, the other
modalities in grey, and the best baseline, so that a reader sees from which layer on the model exceeds it.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.ticker import MaxNLocator

from scripts.common.cli import run
from scripts.report.layer_scores import read_layers
from scripts.report.result_files import read_table
from scripts.report.style import chance_line, legend_above, modality_styles, new_figure, save

BASELINE = "baseline_"


def with_baseline(data: pd.DataFrame, summary: str | Path, task: str) -> pd.DataFrame:
    """`data` with the name and accuracy (a share) of each modality's best baseline on the task."""
    scores = read_table(summary, ["modality", "task", "metric"], ["value"])
    scores = scores[(scores["task"] == task) & scores["metric"].str.startswith(BASELINE)]
    best = scores.loc[scores.groupby("modality")["value"].idxmax()]
    best = best.assign(baseline=best["metric"].str.removeprefix(BASELINE), baseline_value=best["value"])
    return data.merge(best[["modality", "baseline", "baseline_value"]], on="modality", how="left")


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """One panel per modality, three in a row."""
    modalities = list(dict.fromkeys(data["modality"]))
    styles = modality_styles(modalities)
    columns = min(3, len(modalities))
    rows = -(-len(modalities) // columns)
    with new_figure(rows, columns, 0.2 + 2.1 * rows, sharex=True, sharey=True) as (figure, axes):
        for panel in axes.flat[len(modalities) :]:
            panel.set_axis_off()
        for panel, modality in zip(axes.flat, modalities, strict=False):
            plain = data[data["lens"] == "plain"]
            for _, part in plain[plain["modality"] != modality].groupby("modality"):
                panel.plot(part["layer"], 100 * part["value"], color="#d9d9d9", linewidth=1)
            part, style = plain[plain["modality"] == modality], styles[modality]
            name, score = part["baseline"].iloc[0], 100 * part["baseline_value"].iloc[0]
            if score == score:  # there is a baseline
                panel.axhline(score, color="#444444", linewidth=0.9, linestyle=(0, (1, 1.5)))
                panel.annotate(
                    name, (0, score), xycoords=("axes fraction", "data"), xytext=(3, 2), textcoords="offset points",
                    color="#444444", fontsize=7,
                )  # fmt: skip
            panel.fill_between(
                part["layer"], 100 * part["ci_low"], 100 * part["ci_high"], color=style["color"], alpha=0.2, linewidth=0
            )
            panel.plot(part["layer"], 100 * part["value"], color=style["color"], marker=style["marker"], label="plain")
            tuned = data[(data["lens"] == "tuned") & (data["modality"] == modality)]
            panel.vlines(
                tuned["layer"], 100 * tuned["ci_low"], 100 * tuned["ci_high"], color=style["color"], alpha=0.4,
                linewidth=0.9,
            )  # fmt: skip
            panel.plot(
                tuned["layer"], 100 * tuned["value"], color=style["color"], marker=style["marker"], fillstyle="none",
                linestyle=(0, (3, 1.5)), linewidth=1, label="tuned lens",
            )  # fmt: skip
            chance_line(panel, part["chance"].iloc[0], label=True)
            panel.set_title(f"{style['label']}, n = {part['n'].max():.0f}")
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        for panel in axes[:, 0]:
            panel.set_ylabel("accuracy, %")
        for panel in axes[-1]:
            panel.set_xlabel("layer (0: embeddings)")
        legend_above(figure, axes[0, 0])
        save(figure, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--tuned-lens", type=Path, required=True, help="the same by the tuned lens")
    parser.add_argument("--summary", required=True, help="evaluation/summary.csv, for the baselines")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--task", required=True, help="the lexical task")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    layers = read_layers({"plain": args.layers, "tuned": args.tuned_lens}, args.modalities, [args.task])
    draw(with_baseline(layers, args.summary, args.task), args.output, args.formats)


if __name__ == "__main__":
    run(main)
