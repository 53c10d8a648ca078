"""The paper's Figure 2: accuracy of each task by layer of the language model.

The hidden states of each layer are passed through the model's final norm and output head, and items are decided by the
resulting log-probabilities. Upper row: the states unchanged ("plain"). Lower row: after an affine map per layer, fitted
on dev ("tuned").
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.ticker import MaxNLocator

from scripts.common.cli import run
from scripts.report.labels import display_name
from scripts.report.layer_scores import read_layers
from scripts.report.style import chance_line, legend_above, modality_styles, new_figure, save

DODGE = 0.05  # layers; offset between modalities, so that their intervals do not overlap


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """One panel per task and lens, one line per modality, with intervals."""
    tasks, modalities, lenses = (list(dict.fromkeys(data[name])) for name in ("task", "modality", "lens"))
    styles = modality_styles(modalities)
    with new_figure(len(lenses), len(tasks), 0.5 + 2.3 * len(lenses), sharex=True, sharey=True) as (figure, axes):
        for panels, lens in zip(axes, lenses, strict=True):
            for panel, task in zip(panels, tasks, strict=True):
                for i, modality in enumerate(modalities):
                    rows = (data["task"] == task) & (data["modality"] == modality) & (data["lens"] == lens)
                    part, style = data[rows], styles[modality]
                    x = part["layer"] + DODGE * (i - (len(modalities) - 1) / 2)
                    panel.vlines(
                        x, 100 * part["ci_low"], 100 * part["ci_high"], color=style["color"], alpha=0.4, linewidth=0.9
                    )
                    panel.plot(x, 100 * part["value"], **style)
                chance_line(panel, data[data["task"] == task]["chance"].iloc[0], label=task == tasks[-1])
                panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            panels[0].set_ylabel(f"{lens}: accuracy, %")
        for panel, task in zip(axes[0], tasks, strict=True):
            panel.set_title(f"{display_name(task)}, n = {data[data['task'] == task]['n'].max():.0f}")
        for panel in axes[-1]:
            panel.set_xlabel("layer (0: embeddings)")
        legend_above(figure, axes[0, 0])
        save(figure, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--tuned-lens", type=Path, required=True, help="the same by the tuned lens")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    data = read_layers({"plain": args.layers, "tuned": args.tuned_lens}, args.modalities, args.tasks)
    draw(data, args.output, args.formats)


if __name__ == "__main__":
    run(main)
