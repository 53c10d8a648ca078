"""Accuracy by the distance between two words that depend on each other, and how far back a modality still sees.

For every modality and task whose items carry `distance` (words) or `distance_seconds`: `share` per octave of the
distance (1, 2, 3-4, 5-8, ... words) of the measures `accuracy` and `couples` (level_curves.py), the falling curve
through them (psychometric.py: `midpoint`, `slope` per doubling, `lapse`, `floor`), and its `threshold`, the distance at
which it falls to 75%. A threshold of inf lies beyond the longest distance; one of 0 says that not even the shortest one
is bridged. Items whose group starts with "attractor" lie outside the curve: another noun stands between their words.
They have one row, quantity `attractor`.
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
from scripts.evaluation.config import Summarising
from scripts.evaluation.level_curves import Estimate, Levels, Passing, Unit, number, rounded
from scripts.evaluation.score_rows import Row

COLUMNS = (
    *("modality", "task", "measure", "unit", "quantity", "distance", "shortest", "longest"),
    *("value", "ci_low", "ci_high", "n", "text"),
)
UNITS = {"words": "distance", "seconds": "distance_seconds"}  # unit -> column of the scores
ATTRACTOR = "attractor"


def octave(distance: float) -> float:
    """The bin of a distance: 0 for up to 1, 1 for up to 2, 2 for up to 4, -1 for up to a half."""
    return float(np.ceil(np.log2(distance) - 1e-9))


def word_octave(distance: float) -> float:
    """The octave of a number of words; a couple whose items differ by one word counts as the shorter."""
    return octave(max(1.0, np.floor(distance)))


def words(value: float, table: Levels, unit: str) -> str:
    """A distance as text, without its unit: "5.2", "beyond 12", "not even adjacent"."""
    nearest, farthest = table.low[0], table.high[-1]
    if value == np.inf:
        return f"beyond {farthest:.3g}"
    if value == 0:
        return "not even adjacent" if unit == "words" and nearest == 1 else f"not even {nearest:.2g}"
    return number(value)


def threshold_estimate(found: Passing, table: Levels, unit: str) -> Estimate:
    """The threshold with its interval, as numbers and as text."""
    low, high = level_curves.percentiles(found.resampled)
    shown = [words(value, table, unit) for value in (found.level, low, high)]
    text = shown[0] if len(set(shown)) == 1 else f"{shown[0]} [{shown[1]}, {shown[2]}]"
    return Estimate(found.level, low, high, int(table.total.sum()), text)


def measures(rows: Sequence[Row], column: str, score_normalization: str) -> Iterator[tuple[str, list[Unit], float]]:
    """(measure, its units, accuracy by chance) of the measures that there are units of."""
    if items := level_curves.item_units(rows, column):
        yield "accuracy", items, level_curves.floor_of(rows)
    if couples := level_curves.couple_units(rows, column, score_normalization):
        yield "couples", couples, 0.5  # a sum has two outcomes, whatever the number of sides


def reach(name: str, task: str, rows: Sequence[Row], config: Summarising, seed: int) -> Iterator[dict[str, Any]]:
    """The rows of a modality and task in words and in seconds."""
    for unit, column in UNITS.items():
        placed = level_curves.with_level(rows, column)
        near = [row for row in placed if not row["group"].startswith(ATTRACTOR)]
        place = {**dict.fromkeys(COLUMNS, ""), "modality": name, "task": task, "unit": unit}
        for measure, units, floor in measures(near, column, config.score_normalization):
            yield from ({**place, "measure": measure, **row} for row in _curve(units, floor, unit, task, config, seed))
        if unit == "words":
            probes = [row for row in placed if row["group"].startswith(ATTRACTOR)]
            for measure, units, _ in measures(probes, column, config.score_normalization):
                table = level_curves.tabulate(units, lambda distance: 0.0)
                drawn = level_curves.resample(table, config.bootstrap_samples, seed, task, ATTRACTOR)
                [estimate] = level_curves.shares(table, *drawn)
                yield {**place, "measure": measure, "quantity": ATTRACTOR, **_bin(table, 0), **rounded(estimate)}


def _curve(
    units: Sequence[Unit], floor: float, unit: str, task: str, config: Summarising, seed: int
) -> Iterator[dict[str, Any]]:
    """quantity, the bin's columns and the estimate's columns of every share and of the curve."""
    table = level_curves.tabulate(units, word_octave if unit == "words" else octave)
    drawn = level_curves.resample(table, config.bootstrap_samples, seed, task, unit)
    for level, estimate in enumerate(level_curves.shares(table, *drawn)):
        yield {"quantity": "share", **_bin(table, level), **rounded(estimate)}
    if reason := level_curves.why_no_curve(table):
        estimate = Estimate(np.nan, np.nan, np.nan, len(units), reason)
        yield {"quantity": "threshold", **rounded(estimate)}
        return
    found = level_curves.passing(table, *drawn, floor, falls=True)
    for quantity, value in {**level_curves.parameters(found), "floor": floor}.items():
        yield {"quantity": quantity, **rounded(Estimate(value, np.nan, np.nan, len(units)))}
    yield {"quantity": "threshold", **rounded(threshold_estimate(found, table, unit))}


def _bin(table: Levels, level: int) -> dict[str, float]:
    bounds = {"distance": table.level[level], "shortest": table.low[level], "longest": table.high[level]}
    return {name: round(float(value), 4) for name, value in bounds.items()}


def main() -> None:
    """Command line of rule evaluation_reach."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluation", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--out", type=Path, required=True, help="csv to write")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    dropped = Dropped.read(args.dropped)
    config = parse(Summarising, args.config, "evaluation")
    table_rows = [
        row
        for task in args.tasks
        for name in args.modalities
        for row in reach(name, task, dropped.common_rows(args.evaluation / task / f"{name}.csv"), config, args.seed)
    ]
    write_csv(args.out, COLUMNS, table_rows)
    if not table_rows:
        print("evaluation/reach: no task has distances", file=sys.stderr)
    for row in table_rows:
        if row["quantity"] == "threshold":
            print(f"{row['task']}/{row['modality']}: {row['measure']} to {row['text']}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
