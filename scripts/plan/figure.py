"""The figure of the plan: core-hours, GPU-hours and gigabytes of each stage."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt

from scripts.common.files import atomic_path
from scripts.plan.costs import Cost, peak_gb
from scripts.report import style

SETTINGS: dict[str, Any] = {
    **style.SETTINGS,
    "axes.spines.bottom": False,
    "axes.grid": False,
    "svg.hashsalt": "plan",
    "svg.fonttype": "none",  # text as text: a third of the size, and searchable
}
CORES, GPUS, DISK, TEMPORARY = "#2f7fd0", "#e2571e", "#6a2c91", "#c9b3d6"


def draw(stages: Sequence[Cost], prefix: Path, formats: Sequence[str]) -> None:
    """Up to three panels, one bar per stage; the lighter part of a disk bar is temporary."""
    names = [stage.name for stage in stages]
    gpus = sum(stage.gpu_hours for stage in stages)
    panels = [("core-hours", [stage.core_hours for stage in stages], CORES)]
    if gpus:
        panels.append(("GPU-hours", [stage.gpu_hours for stage in stages], GPUS))
    panels.append(("GB written", [stage.written_gb for stage in stages], DISK))
    with matplotlib.rc_context(SETTINGS):
        figure, axes = plt.subplots(1, len(panels), figsize=(7.0, 0.7 + 0.24 * len(names)), sharey=True)
        for panel, (title, values, colour) in zip(axes, panels, strict=True):
            bars = panel.barh(range(len(names)), values, color=colour, height=0.64)
            if title.startswith("GB"):
                kept = [stage.written_gb - stage.temporary_gb for stage in stages]
                temporary_gb = [stage.temporary_gb for stage in stages]
                panel.barh(range(len(names)), temporary_gb, left=kept, color=TEMPORARY, height=0.64)
                title = f"GB written, {_digits(peak_gb(stages))} at once"
            else:
                title = f"{_digits(sum(values))} {title}"
            panel.bar_label(bars, labels=[_digits(value) if value else "" for value in values], padding=3, fontsize=7)
            panel.set_xlim(0, 1.28 * max([*values, 1e-9]))
            panel.set_title(title, loc="left")
            panel.set_xticks([])
            panel.tick_params(axis="y", length=0)
        axes[0].set_yticks(range(len(names)), names)
        axes[0].invert_yaxis()
        for form in formats:
            with atomic_path(prefix.with_suffix(f".{form}")) as temporary:
                figure.savefig(temporary, metadata=style.METADATA.get(form))
        plt.close(figure)


def _digits(value: float) -> str:
    """Two significant digits."""
    short = float(f"{value:.2g}")
    return f"{short:,.0f}" if short >= 10 else f"{short:.4g}"
