"""Accuracy by the number of times that a word occurs in train, and the exposures that a modality needs for 75%.

For every modality and task whose items carry `exposure`: `share` per exposure of the measures `accuracy` and
`couples` (level_curves.py) and of the baseline `tokens`, which a BPE modality cannot cancel; the curve through
them (psychometric.py: `midpoint`, `slope` per doubling of the exposures, `lapse`, `floor`); and its `threshold`, the
exposures at which it passes 75%. A threshold of inf lies above the highest exposure, one of 0 below the lowest.
`times_more_data` of a factor is the ratio of the thresholds of its two modalities, on the same resamples.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_csv
from scripts.evaluation import level_curves
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Summarising, parse_factors
from scripts.evaluation.level_curves import Estimate, Levels, Passing, Unit, number, rounded
from scripts.evaluation.score_rows import Row

COLUMNS = (
    *("factor", "baseline", "modality", "task", "measure", "quantity", "exposure"),
    *("value", "ci_low", "ci_high", "n", "text"),
)
MEASURES = ("accuracy", "couples")


def words(value: float, lowest: float, highest: float) -> str:
    """A threshold as text: "31", "> 256", "< 1"."""
    return f"> {highest:g}" if value == np.inf else f"< {lowest:g}" if value == 0 else number(value)


def threshold_estimate(found: Passing, table: Levels) -> Estimate:
    """The threshold with its interval, as numbers and as text."""
    low, high = level_curves.percentiles(found.resampled)
    shown = [words(value, table.low[0], table.high[-1]) for value in (found.level, low, high)]
    text = shown[0] if len(set(shown)) == 1 else f"{shown[0]} [{shown[1]}, {shown[2]}]"
    return Estimate(found.level, low, high, int(table.total.sum()), text)


class Curves:
    """The rows of one task, and what its factors need: the thresholds by modality and measure."""

    def __init__(self, task: str, config: Summarising, seed: int):
        self.task, self.config, self.seed = task, config, seed
        self.found: dict[tuple[str, str], Passing] = {}
        self.tables: dict[str, Levels] = {}

    def modality(self, name: str, rows: Sequence[Row], baseline_rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
        """The rows of a modality.

        Args:
            name: of the modality.
            rows: its scores of the items with an exposure.
            baseline_rows: rows of baselines.py of the same items.
        """
        units = {
            "accuracy": level_curves.item_units(rows, "exposure"),
            "couples": level_curves.couple_units(rows, "exposure", self.config.score_normalization),
        }
        floor = level_curves.floor_of(rows)
        for measure in MEASURES:
            if units[measure]:
                # A sum over a couple has two outcomes, whatever the number of sides.
                yield from self._measure(name, measure, units[measure], 0.5 if measure == "couples" else floor)
        labels = {row["id"]: {"couple": row["couple"], "exposure": row["exposure"]} for row in rows}
        tokens = [
            {**row, **labels[row["id"]]} for row in baseline_rows if row["baseline"] == "tokens" and row["id"] in labels
        ]
        if tokens:
            yield from self._shares(name, "baseline_tokens", level_curves.item_units(tokens, "exposure"))[0]

    def _shares(self, name: str, measure: str, units: Sequence[Unit]) -> tuple[list[dict[str, Any]], Levels, Any]:
        table = level_curves.tabulate(units)
        drawn = level_curves.resample(table, self.config.bootstrap_samples, self.seed, self.task)
        rows = [
            self._row(name, measure, "share", estimate, exposure=f"{level:g}")
            for level, estimate in zip(table.level.tolist(), level_curves.shares(table, *drawn), strict=True)
        ]
        return rows, table, drawn

    def _measure(self, name: str, measure: str, units: Sequence[Unit], floor: float) -> Iterator[dict[str, Any]]:
        rows, table, (right, count) = self._shares(name, measure, units)
        yield from rows
        if reason := level_curves.why_no_curve(table):
            yield self._row(name, measure, "threshold", Estimate(np.nan, np.nan, np.nan, len(units), reason))
            return
        found = level_curves.passing(table, right, count, floor)
        self.found[name, measure], self.tables[measure] = found, table
        for quantity, value in {**level_curves.parameters(found), "floor": floor}.items():
            yield self._row(name, measure, quantity, Estimate(value, np.nan, np.nan, len(units)))
        yield self._row(name, measure, "threshold", threshold_estimate(found, table))

    def factor(self, letter: str, baseline: str, modality: str) -> Iterator[dict[str, Any]]:
        """The ratio of the thresholds of a factor's modalities, a row per measure that both have a curve of."""
        for measure in MEASURES:
            if (baseline, measure) not in self.found or (modality, measure) not in self.found:
                continue
            table = self.tables[measure]
            new, base = self.found[modality, measure], self.found[baseline, measure]
            ratio = level_curves.ratio(new, base, table.low[0], table.high[-1])
            ratio = ratio._replace(n=int(table.total.sum()))
            yield self._row(modality, measure, "times_more_data", ratio, factor=letter, baseline=baseline)

    def _row(self, name: str, measure: str, quantity: str, estimate: Estimate, **labels: str) -> dict[str, Any]:
        row = {**dict.fromkeys(COLUMNS, ""), "modality": name, "task": self.task, "measure": measure}
        return {**row, "quantity": quantity, **labels, **rounded(estimate)}


def main() -> None:
    """Command line of rule evaluation_exposures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--evaluation", type=Path, required=True, help="folder with {task}/{modality}.csv and baselines/"
    )
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--factors", required=True, help='JSON: {"factors": [...]} of the config')
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--out", type=Path, required=True, help="csv to write")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    dropped = Dropped.read(args.dropped)
    config, factors = parse(Summarising, args.config, "evaluation"), parse_factors(args.factors)
    table_rows: list[dict[str, Any]] = []
    for task in args.tasks:
        curves = Curves(task, config, args.seed)
        for name in args.modalities:
            rows = level_curves.with_level(dropped.common_rows(args.evaluation / task / f"{name}.csv"), "exposure")
            if rows:
                baselines = dropped.common_rows(args.evaluation / "baselines" / task / f"{name}.csv")
                table_rows += curves.modality(name, rows, baselines)
        for factor in factors:
            table_rows += curves.factor(*factor.key)
    write_csv(args.out, COLUMNS, table_rows)
    if not table_rows:
        print("evaluation/exposures: no task has exposures", file=sys.stderr)
    for row in table_rows:
        if row["quantity"] in ("threshold", "times_more_data"):
            name = f"{row['baseline']} -> {row['modality']}" if row["baseline"] else row["modality"]
            print(f"{row['task']}/{name}: {row['measure']} {row['quantity']} {row['text']}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
