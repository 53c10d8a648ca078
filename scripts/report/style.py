"""How every figure looks, and how it is written so that the same data give the same bytes.

Colours walk from blue (text) over purple to amber (speech) in the config's order and differ in lightness
between neighbours, so that colour-blind readers can tell them apart; markers differ as well.
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
from scripts.report.names import display
from scripts.report.read import records

WIDTH = 7.0  # inches, both columns of a paper; one panel is about a column's half
GREY = "#8a8a8a"
HUES = ("#14235c", "#2f7fd0", "#6a2c91", "#c4559f", "#e2571e", "#f0aa00")  # between them, interpolated
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
# What a writer would date or sign of itself, taken out.
METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}


def looks(modalities: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour, marker and label of each modality, as keyword arguments of `Axes.plot`."""
    colours = matplotlib.colors.LinearSegmentedColormap.from_list("evolution", HUES)
    last = max(1, len(modalities) - 1)
    return {
        modality: {
            "color": matplotlib.colors.to_hex(colours(at / last)),
            "marker": MARKERS[at % len(MARKERS)],
            "label": display(modality),
        }
        for at, modality in enumerate(modalities)
    }


@contextmanager
def figure(
    rows: int, columns: int, height: float, *, width: float = WIDTH, **options: Any
) -> Iterator[tuple[Figure, Any]]:
    """A figure and its axes [rows, columns] in the house style; closed at the end."""
    with matplotlib.rc_context(SETTINGS):
        drawn, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, **options)
        try:
            yield drawn, axes
        finally:
            plt.close(drawn)


def log_axis(axes: Axes) -> None:
    """A logarithmic x axis of what is drawn, its ticks written short (2k, 0.5): few enough not to touch each other, and
    some within a decade too.
    """
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    subs = (1.0, 2.0, 5.0) if high < 100 * low else (1.0, 3.0) if high < 1000 * low else (1.0,)
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=6))
    axes.xaxis.set_major_formatter(EngFormatter(sep="") if low >= 1 else StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def chance_line(axes: Axes, chance: float, *, label: bool = False) -> None:
    """A dashed line at what a guess is worth, a share."""
    axes.axhline(100 * chance, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    if label:
        axes.annotate(
            "chance", (1, 100 * chance), xycoords=("axes fraction", "data"), xytext=(0, -2), textcoords="offset points",
            ha="right", va="top", color="#666666", fontsize=7,
        )  # fmt: skip


def legend_above(drawn: Figure, axes: Axes) -> None:
    """One legend for all panels, in a row above them, in the order the lines were drawn."""
    handles, labels = axes.get_legend_handles_labels()
    drawn.legend(handles, labels, loc="outside upper center", ncols=min(6, len(labels)), columnspacing=1.2)


def save(drawn: Figure, prefix: str | Path, formats: Sequence[str], data: pd.DataFrame) -> None:
    """Write `<prefix>.<format>` for each format and the drawn data as `<prefix>.csv`."""
    for form in formats:
        if form not in METADATA:
            raise ValueError(f"report.formats: {form!r} is not one of {', '.join(METADATA)}")
        with atomic_path(f"{prefix}.{form}") as aside:
            drawn.savefig(aside, format=form, metadata=METADATA[form])
    rows = [{name: _plain(value) for name, value in row.items()} for row in records(data)]
    write_csv(f"{prefix}.csv", [str(column) for column in data.columns], rows)


def _plain(value: Any) -> Any:
    """A number without needless digits (3.0 -> 3), a missing one blank; anything else as it is."""
    if not isinstance(value, float):
        return value
    if value != value:
        return ""
    return int(value) if value.is_integer() else round(value, 8)
