"""Cells of the tables of accuracy by level."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from scripts.report.labels import display_name
from scripts.report.render import NO_VALUE, format_interval
from scripts.report.result_files import grouped

MEASURE_LABELS = {"accuracy": "pairs", "couples": "couples"}


def share_cell(row: Mapping[str, Any] | None) -> str:
    """`85.1 [82.0, 88.2]` of a share in %; a dash without one."""
    return (
        NO_VALUE if row is None else format_interval(100 * row["value"], 100 * row["ci_low"], 100 * row["ci_high"], 0)
    )


def lines(data: pd.DataFrame, column: str, levels: Sequence[float]) -> list[list[str]]:
    """A row per modality, task and measure: names, the share at each level, the threshold as text."""
    rows = []
    for (modality, task, measure), group in grouped(data, "modality", "task", "measure").items():
        at = {row[column]: row for row in group if row["quantity"] == "share"}
        threshold = next((row["text"] for row in group if row["quantity"] == "threshold"), NO_VALUE)
        rows.append(
            [display_name(modality), display_name(task), MEASURE_LABELS[measure]]
            + [share_cell(at.get(level)) for level in levels]
            + [threshold]
        )
    return rows
