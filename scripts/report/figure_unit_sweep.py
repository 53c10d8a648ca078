"""Phone and speaker information in the units, by encoder layer and number of clusters."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.labels import column_words
from scripts.report.result_files import read_table
from scripts.report.style import legend_above, modality_styles, new_figure, save

METRICS = ("pnmi", "phone_purity", "speaker_pnmi")


def sweep(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Layer, clusters and the metrics, shares between 0 and 1, of all tables, in the tables' order."""
    tables = [read_table(path, [], ["layer", "clusters", *METRICS]) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if table.empty:
            raise ValueError(f"{path}: holds no rows")
    return pd.concat(tables, ignore_index=True).astype({"layer": int, "clusters": int})


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """One panel per metric over layers, one line per number of clusters."""
    styles = modality_styles([str(clusters) for clusters in sorted(set(data["clusters"]))])
    with new_figure(1, len(METRICS), 2.7) as (figure, axes):
        for panel, metric in zip(axes[0], METRICS, strict=True):
            for clusters, part in data.groupby("clusters"):
                line = part.sort_values("layer")
                panel.plot(line["layer"], line[metric], **{**styles[str(clusters)], "label": f"K = {clusters}"})
            panel.set_title(column_words(metric))
            panel.set_xlabel("layer")
            panel.set_xticks(sorted(set(data["layer"])))
            panel.set_ylim(0, 1)
        legend_above(figure, axes[0, 0])
        save(figure, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep", nargs="+", required=True, help="units/sweep/*.csv")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(sweep(args.sweep), args.output, args.formats)


if __name__ == "__main__":
    run(main)
