"""Bits per second of dev before and after each factor: an arrow per factor, with its change in % and its interval."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.labels import display_name
from scripts.report.render import format_interval
from scripts.report.result_files import read_table
from scripts.report.style import log_axis, modality_styles, new_figure, save
from scripts.report.table_bit_factors import CHANGE, KEY, NUMBERS

ROW_HEIGHT = 0.3  # inches


def read(path: str | Path) -> pd.DataFrame:
    """The rows of bit_factors.csv."""
    return read_table(path, KEY, NUMBERS)


def draw(data: pd.DataFrame, modalities: Sequence[str], prefix: str | Path, formats: Sequence[str]) -> None:
    """Factors from top to bottom in their order; the axis is logarithmic, so equal lengths are equal ratios."""
    styles = modality_styles(modalities)
    with new_figure(1, 1, 0.75 + ROW_HEIGHT * len(data)) as (figure, axes):
        panel = axes[0, 0]
        rows = data.to_dict("records")
        for place, row in enumerate(rows):
            ends = {row["baseline"]: row["baseline_bits_per_second"], row["modality"]: row["bits_per_second"]}
            before, after = ends.values()
            color = styles[row["modality"]]["color"]
            panel.annotate(
                "", (after, place), (before, place), zorder=2,
                arrowprops={"arrowstyle": "-|>,head_length=0.35,head_width=0.18", "color": color, "linewidth": 1.4,
                            "shrinkA": 3, "shrinkB": 3},
            )  # fmt: skip
            for name, value in ends.items():
                style = {key: styles[name][key] for key in ("color", "marker")}
                panel.plot(value, place, **style, linestyle="none", markersize=5, zorder=3)
            change, low, high = (row[name] for name in CHANGE)
            shown = format_interval(change, low, high, 0, sign=True).replace(" [", "% [")
            panel.annotate(
                shown, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize=8, fontweight="bold",
                color=color,
            )  # fmt: skip
        log_axis(panel)
        labels = [
            f"{row['factor']}   {display_name(row['baseline'])} → {display_name(row['modality'])}" for row in rows
        ]
        panel.set_yticks(range(len(rows)), labels)
        panel.tick_params(axis="y", length=0)
        panel.set_ylim(len(rows) - 0.5, -0.5)
        panel.set_xlabel("bits per second of speech (dev)")
        panel.annotate(
            "change [95% interval]", (1.02, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points",
            fontsize=7, color="#666666",
        )  # fmt: skip
        save(figure, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bit-factors", required=True, help="report/tables/bit_factors.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(read(args.bit_factors), args.modalities, args.output, args.formats)


if __name__ == "__main__":
    run(main)
