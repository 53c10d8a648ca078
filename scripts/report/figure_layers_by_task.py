"""The paper's Figure 2: at which layer of the language model each task becomes solvable.

Each layer's hidden states go through the model's final norm and output head; the accuracy is that of
the log-probabilities read there. Above as they are ("plain"), below through a small affine map per layer
that was fitted on dev ("tuned").
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.ticker import MaxNLocator

from scripts.common.cli import run
from scripts.report.layers import read_layers
from scripts.report.names import display
from scripts.report.style import chance_line, figure, legend_above, looks, save

DODGE = 0.05  # layers; keeps the intervals of the modalities from hiding one another


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """One panel per task and lens, one line per modality, with intervals."""
    tasks, modalities, lenses = (list(dict.fromkeys(data[name])) for name in ("task", "modality", "lens"))
    style = looks(modalities)
    with figure(len(lenses), len(tasks), 0.5 + 2.3 * len(lenses), sharex=True, sharey=True) as (drawn, axes):
        for row, lens in zip(axes, lenses, strict=True):
            for panel, task in zip(row, tasks, strict=True):
                for at, modality in enumerate(modalities):
                    own = (data["task"] == task) & (data["modality"] == modality) & (data["lens"] == lens)
                    part, look = data[own], style[modality]
                    x = part["layer"] + DODGE * (at - (len(modalities) - 1) / 2)
                    panel.vlines(
                        x, 100 * part["ci_low"], 100 * part["ci_high"], color=look["color"], alpha=0.4, linewidth=0.9
                    )
                    panel.plot(x, 100 * part["value"], **look)
                chance_line(panel, data[data["task"] == task]["chance"].iloc[0], label=task == tasks[-1])
                panel.xaxis.set_major_locator(MaxNLocator(integer=True))
            row[0].set_ylabel(f"{lens}: accuracy, %")
        for panel, task in zip(axes[0], tasks, strict=True):
            panel.set_title(f"{display(task)}, n = {data[data['task'] == task]['n'].max():.0f}")
        for panel in axes[-1]:
            panel.set_xlabel("layer (0: embeddings)")
        legend_above(drawn, axes[0, 0])
        save(drawn, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--tuned-lens", type=Path, required=True, help="the same through fitted maps")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    data = read_layers({"plain": args.layers, "tuned": args.tuned_lens}, args.modalities, args.tasks)
    draw(data, args.output, args.formats)


if __name__ == "__main__":
    run(main)
