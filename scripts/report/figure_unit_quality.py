"""Phone information in the discrete units, beside that of untrained features (not in the paper)."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.labels import column_words, display_name
from scripts.report.result_files import read_table
from scripts.report.style import new_figure, save

METRICS = ("pnmi", "phone_purity", "cluster_purity")


def quality(path: str | Path) -> pd.DataFrame:
    """Column `encoder` (the source of the clustered features) and the three metrics, shares between 0 and 1."""
    data = read_table(path, ["encoder"], METRICS)
    if data.empty:
        raise ValueError(f"{path}: holds no rows")
    return data


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """One panel per metric, one bar per encoder."""
    with new_figure(1, len(METRICS), 0.9 + 0.3 * len(data), sharey=True) as (figure, axes):
        for panel, metric in zip(axes[0], METRICS, strict=True):
            bars = panel.barh(range(len(data)), data[metric], color="#7e4fa8", height=0.62)
            panel.bar_label(bars, fmt="%.2f", padding=3, fontsize=8)
            panel.set_xlim(0, 1)
            panel.set_title(column_words(metric))
            panel.grid(axis="y", visible=False)
            panel.tick_params(axis="y", length=0)
        axes[0, 0].set_yticks(range(len(data)), [display_name(name) for name in data["encoder"]])
        axes[0, 0].invert_yaxis()
        save(figure, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quality", required=True, help="units/quality.csv")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(quality(args.quality), args.output, args.formats)


if __name__ == "__main__":
    run(main)
