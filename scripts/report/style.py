"""The style of the figures, and how they are saved: the same data give the same bytes.

Colours go from blue (text) over purple to amber (speech) in the order of the configuration. Neighbours differ in
lightness and in their markers, so that colour-blind readers can distinguish them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter, StrMethodFormatter

from scripts.common.files import atomic_path, write_csv
from scripts.report.labels import display_name
from scripts.report.result_files import records

WIDTH = 7.0  # inches, two columns of a paper
GREY = "#8a8a8a"
HUES = ("#14235c", "#2f7fd0", "#6a2c91", "#c4559f", "#e2571e", "#f0aa00")  # interpolated
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 200,
    "svg.hashsalt": "report",
    "pdf.fonttype": 42,
}
# Metadata that differ between runs or versions and are therefore not written.
METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}


def modality_styles(modalities: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour, marker and label of each modality, as keyword arguments of `Axes.plot`."""
    colours = matplotlib.colors.LinearSegmentedColormap.from_list("evolution", HUES)
    last = max(1, len(modalities) - 1)
    return {
        modality: {
            "color": matplotlib.colors.to_hex(colours(i / last)),
            "marker": MARKERS[i % len(MARKERS)],
            "label": display_name(modality),
        }
        for i, modality in enumerate(modalities)
    }


@contextmanager
def new_figure(
    rows: int, columns: int, height: float, *, width: float = WIDTH, **options: Any
) -> Iterator[tuple[Figure, Any]]:
    """A figure and its axes [rows, columns] in the style of SETTINGS; closed at the end."""
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, **options)
        try:
            yield figure, axes
        finally:
            plt.close(figure)


def log_axis(axes: Axes) -> None:
    """Make the x axis logarithmic after drawing; short tick labels (2k, 0.5), at most six, some within a decade."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    subs = (1.0, 2.0, 5.0) if high < 100 * low else (1.0, 3.0) if high < 1000 * low else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=6))
    axes.xaxis.set_major_formatter(EngFormatter(sep="") if low >= 1 else StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def chance_line(axes: Axes, chance: float, *, label: bool = False) -> None:
    """Draw a dashed line at `chance`, a share."""
    axes.axhline(100 * chance, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    if label:
        axes.annotate(
            "chance", (1, 100 * chance), xycoords=("axes fraction", "data"), xytext=(0, -2), textcoords="offset points",
            ha="right", va="top", color="#666666", fontsize=7,
        )  # fmt: skip


def legend_above(figure: Figure, axes: Axes) -> None:
    """One legend for all panels, in a row above them, in the order the lines were drawn."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(6, len(labels)), columnspacing=1.2)


def save(figure: Figure, prefix: str | Path, formats: Sequence[str], data: pd.DataFrame) -> None:
    """Write `<prefix>.<format>` for each format and the drawn data as `<prefix>.csv`."""
    for file_format in formats:
        if file_format not in METADATA:
            raise ValueError(f"report.formats: {file_format!r} is not one of {', '.join(METADATA)}")
        with atomic_path(f"{prefix}.{file_format}") as temporary:
            figure.savefig(temporary, format=file_format, metadata=METADATA[file_format])
    rows = [{name: _plain(value) for name, value in row.items()} for row in records(data)]
    write_csv(f"{prefix}.csv", [str(column) for column in data.columns], rows)


def _plain(value: Any) -> Any:
    """A float rounded to 8 digits (3.0 -> 3) or blank if NaN; any other value unchanged."""
    if not isinstance(value, float):
        return value
    if value != value:
        return ""
    return int(value) if value.is_integer() else round(value, 8)
