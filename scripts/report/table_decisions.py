"""Dependence of each factor's change on the score normalization: total, per token, per second, with and without EOS.

Models and items are those of the table of factors; only the normalization of the log-probabilities differs. If the sign
of a change depends on it, the change reflects sequence lengths as well as language.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.evaluation.accuracy import ALL_NORMALIZATIONS, by_item
from scripts.evaluation.paired import Paired, changes
from scripts.evaluation.score_rows import couple_column, decide_rows
from scripts.report.comparison import Comparison, add_comparison_arguments, comparison_of
from scripts.report.labels import ALL_NORMALIZATION_LABELS, display_name
from scripts.report.render import Column, Table, format_interval, write_formats
from scripts.report.result_files import grouped, read_table, records

TEXT = ("factor", "baseline", "modality", "task", "score_normalization")
NUMBERS = ("change_percent", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS)


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """One row per factor, task and normalization, in the order of the configuration, over the common items."""
    table_rows = []
    scores: dict[tuple[str, str, str], np.ndarray] = {}
    items: dict[str, dict[str, str]] = {}
    for task in comparison.tasks:
        for modality in dict.fromkeys(name for factor in comparison.factors for name in factor.pair):
            file = comparison.evaluation / task / f"{modality}.csv"
            table = comparison.dropped.common_rows(file)
            ids = [row["id"] for row in table]
            couple_of = dict(sorted(zip(ids, couple_column(table), strict=True)))
            if items.setdefault(task, couple_of) != couple_of:
                raise ValueError(f"{file}: holds other items than its task's other files")
            for normalization in ALL_NORMALIZATIONS:
                scores[task, modality, normalization] = by_item(ids, decide_rows(table, normalization))
    for factor in comparison.factors:
        for task in comparison.tasks:
            ids, couples = list(items[task]), list(items[task].values())
            for normalization in ALL_NORMALIZATIONS:
                base, new = (scores[task, name, normalization] for name in factor.pair)
                paired = Paired.of_items(ids, couples, base, new, np.zeros(len(ids)))
                numbers = changes(paired, comparison.samples, comparison.seed).percent
                key = (*factor.key, task, normalization)
                line = (*key, *(round(number, 6) for number in numbers), paired.n)
                table_rows.append(dict(zip(COLUMNS, line, strict=True)))
    return table_rows


def sign_changes(cells: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one normalization shows a cost and another a gain, both with intervals that exclude zero."""
    return any(cell["ci_high"] < 0 for cell in cells) and any(cell["ci_low"] > 0 for cell in cells)


def build_table(path: str | Path) -> Table:
    """The formatted table of decisions.csv: one row per factor and normalization."""
    data = read_table(path, TEXT, NUMBERS)
    tasks = list(dict.fromkeys(data["task"]))
    columns = [Column(name, text=True) for name in ("factor", "from → to", "pairs decided by")]
    columns += [Column(display_name(task), "change in %") for task in tasks]
    lines = []
    for (factor, baseline, modality, normalization), group in grouped(data, *TEXT[:3], TEXT[4]).items():
        cells = {row["task"]: row for row in group}
        shown = [format_interval(*(cells[task][key] for key in NUMBERS[:3]), sign=True) for task in tasks]
        lines.append(
            [
                factor,
                f"{display_name(baseline)} → {display_name(modality)}",
                ALL_NORMALIZATION_LABELS[normalization],
                *shown,
            ]
        )
    groups = grouped(data, *TEXT[:4])
    changing = [f"{key[0]} on {display_name(key[3])}" for key, cells in groups.items() if sign_changes(cells)]
    finding = f"The sign of {', '.join(changing)} depends" if changing else "No sign of a change depends"
    counted = ", ".join(f"{display_name(row['task'])} {row['n']:,.0f}" for row in records(data.drop_duplicates("task")))
    notes = [
        "The models and pairs of the table of factors, decided by each score normalization; brackets: 95% paired"
        f" bootstrap interval over couples of items ({counted} items). {finding} on the normalization, among intervals"
        " that exclude 0."
    ]
    return Table("decisions", "Changes by score normalization", columns, lines, notes)


def main() -> None:
    """Command line of rule report_table_decisions."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_comparison_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="folder for decisions.{csv,md,tex,html}")
    args = parser.parse_args()
    table_rows = rows(comparison_of(args))
    write_csv(args.output / "decisions.csv", COLUMNS, table_rows)
    write_formats(args.output, build_table(args.output / "decisions.csv"))


if __name__ == "__main__":
    run(main)
