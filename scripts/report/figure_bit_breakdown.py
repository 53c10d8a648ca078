"""Bit breakdown: one bar of bits per second of speech per modality, divided by part."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.labels import display_name
from scripts.report.result_files import read_table
from scripts.report.style import new_figure, save
from scripts.report.table_bit_breakdown import NUMBERS, PARTS, TEXT

METRIC = "bits_per_second"
# Parts of words in blue, repeated frames in yellow, tokens outside words in grey.
COLOURS = {
    "word": "#14235c",
    "initial": "#2f5fb3",
    "internal": "#7aa6dc",
    "final": "#c3d9f2",
    "repeated": "#f0aa00",
    "between": "#8a8a8a",
    "repeated-between": "#f7d98a",
    "unplaced": "#c4559f",
    "end": "#333333",
}


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """Stacked bars, the first modality at the top, each labelled with its total."""
    modalities = list(dict.fromkeys(data["modality"]))
    parts = [part for part in PARTS if part in set(data["part"])]
    values = data.pivot_table(index="modality", columns="part", values="value").fillna(0.0)
    with new_figure(1, 1, 1.1 + 0.32 * len(modalities)) as (figure, axes):
        panel = axes[0, 0]
        left = pd.Series(0.0, index=modalities)
        for part in parts:
            width = values[part].reindex(modalities)
            panel.barh(
                range(len(modalities)), width, left=left, height=0.68, color=COLOURS[part], label=PARTS[part],
                edgecolor="white", linewidth=0.4,
            )  # fmt: skip
            left = left + width
        for row, total in enumerate(left):
            panel.annotate(f"{total:.1f}", (total, row), xytext=(3, 0), textcoords="offset points", va="center")
        panel.set_yticks(range(len(modalities)), [display_name(modality) for modality in modalities])
        panel.set_ylim(len(modalities) - 0.4, -0.6)
        panel.set_xlim(0, 1.08 * left.max())
        panel.set_xlabel(f"bits per second of speech, {data['n'].max():,.0f} utterances of dev")
        panel.tick_params(axis="y", length=0)
        panel.grid(axis="y", visible=False)
        handles, labels = panel.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=4, columnspacing=1.2, handlelength=1.2)
        save(figure, prefix, formats, data)


def main() -> None:
    """Command line of rule report_figure_bit_breakdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bit-breakdown", required=True, help="report/tables/bit_breakdown.csv")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    data = read_table(args.bit_breakdown, TEXT, NUMBERS)
    draw(data[data["metric"] == METRIC], args.output, args.formats)


if __name__ == "__main__":
    run(main)
