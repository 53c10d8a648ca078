"""Objective of the k-means after each iteration of the initialisation that was kept."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.common.files import read_json
from scripts.report.style import new_figure, save


def curve(path: str | Path) -> pd.DataFrame:
    """Iteration (from 1) and the mean squared distance of the frames from their centroids after it."""
    about = read_json(path)
    for key in ("objective", "frames", "layer", "clusters"):
        if key not in about:
            raise ValueError(f"{path}: no key {key!r}; found {', '.join(about)}")
    distances = [value / about["frames"] for value in about["objective"]]
    return pd.DataFrame({"iteration": range(1, len(distances) + 1), "mean_squared_distance": distances}).assign(
        layer=about["layer"], clusters=about["clusters"]
    )


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """One line."""
    with new_figure(1, 1, 2.4, width=3.4) as (figure, axes):
        panel = axes[0, 0]
        panel.plot(data["iteration"], data["mean_squared_distance"], color="#7e4fa8", marker="o")
        panel.set_xlabel("iteration")
        panel.set_ylabel("mean squared distance")
        panel.set_title(f"k-means of layer {data['layer'].iloc[0]}, K = {data['clusters'].iloc[0]}")
        save(figure, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--about", required=True, help="units/kmeans.json")
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(curve(args.about), args.output, args.formats)


if __name__ == "__main__":
    run(main)
