"""Crossed factors: what each changes before and after the others, their interaction, and their Shapley values.

The paper's chain adds its factors in one order. Where a factor's change depends on what was added before it, that order
decides which factor the common part is counted to. `crossings` of the configuration names modalities that have some
factors and lack others; orders.py finds the orders that pass through them.

Rows of evaluation/crossing.csv, per crossing, task and metric, in points (accuracy, couples) or bits per second:

cell: the value of the modality that has the factors `given`.
change: what `factor` changes where the factors `given` are there before.
interaction: what one factor changes after the other minus what it changes before it; 0 if the factors add up.
shapley: the mean of what a factor changes over all orders; these add up to the whole.
share: that mean in % of the whole; blank if the interval of the whole contains 0.
whole: from the cell without a factor to that with all.

`at_chance` lists the row's cells whose interval does not lie above chance: what would lie below it is not seen there,
so that a change that ends there is a lower bound, and an interaction may be the floor's.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_csv
from scripts.evaluation.config import Summarising
from scripts.evaluation.dial_config import Crossing, parse_designs
from scripts.evaluation.joint_scores import (
    JointScores,
    add_reader_arguments,
    cells,
    estimate,
    not_above_chance,
    reader_of,
)
from scripts.evaluation.orders import Cell, Contrast, contrasts, label, named_cells

COLUMNS = (
    *("crossing", "task", "metric", "quantity", "factor", "given", "modality"),
    *("value", "ci_low", "ci_high", "n", "seeds", "at_chance"),
)


class Crossed:
    """One metric over the cells of a crossing.

    Args:
        name: of the crossing.
        modality_of: cell -> modality; `scores` has these modalities in this order.
        scores: of the modalities.
        samples: bootstrap resamples.
        seed: of the resamples.
    """

    def __init__(self, name: str, modality_of: Mapping[Cell, str], scores: JointScores, samples: int, seed: int):
        self.name, self.modality_of, self.scores = name, modality_of, scores
        self.values, self.resampled = scores.values, scores.resampled(samples, seed)
        low = not_above_chance(scores, self.resampled)
        self.at_chance = {cell: name for (cell, name), at in zip(modality_of.items(), low, strict=True) if at}

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows of COLUMNS: cells, changes, interactions, Shapley values and shares, the whole."""
        for place, (cell, modality) in enumerate(self.modality_of.items()):
            found = estimate(self.values[place], self.resampled[:, place])
            yield self._row("cell", "", label(cell), found, [cell], modality=modality)
        every = contrasts(self.modality_of.keys())
        whole = next(contrast for contrast in every if contrast.quantity == "whole")
        for contrast in every:
            found = estimate(self._of(self.values, contrast), self._of(self.resampled, contrast))
            cells_of = list(contrast.weights)
            yield self._row(contrast.quantity, contrast.factor, contrast.given, found, cells_of)
            if contrast.quantity == "shapley":
                yield self._share(contrast, whole)

    def _of(self, table: np.ndarray, contrast: Contrast) -> Any:
        """A contrast of values [M] or resampled values [B, M]."""
        weights = [float(contrast.weights.get(cell, Fraction(0))) for cell in self.modality_of]
        return table @ np.array(weights)

    def _share(self, shapley: Contrast, whole: Contrast) -> dict[str, Any]:
        """The row of a factor's share of the whole; blank if the interval of the whole contains 0."""
        total = estimate(self._of(self.values, whole), self._of(self.resampled, whole))
        shown = total.ci_low > 0 or total.ci_high < 0
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio, ratios = (
                100 * np.divide(self._of(table, shapley), self._of(table, whole))
                for table in (self.values, self.resampled)
            )
        found = estimate(ratio if shown else np.nan, ratios if shown else np.full(1, np.nan))
        return self._row("share", shapley.factor, "", found, list(shapley.weights))

    def _row(self, quantity: str, factor: str, given: str, found: Any, used: list[Cell], **more: str) -> dict[str, Any]:
        names = {"crossing": self.name, "task": self.scores.task, "metric": self.scores.metric, "quantity": quantity}
        at_chance = ", ".join(name for cell, name in self.at_chance.items() if cell in used)
        counted = {"n": self.scores.n, "seeds": len(self.scores.sums), "at_chance": at_chance}
        keys = {**names, "factor": factor, "given": given, **more}
        return {**dict.fromkeys(COLUMNS, ""), **keys, **cells(found), **counted}


def main() -> None:
    """Command line of rule evaluation_crossing."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_reader_arguments(parser)
    parser.add_argument("--crossings", required=True, help='JSON: {"crossings": [...]} of the config')
    parser.add_argument("--out", type=Path, required=True, help="csv to write")
    args = parser.parse_args()
    config = parse(Summarising, args.config, "evaluation")
    reader = reader_of(args, config.score_normalization)
    table_rows: list[dict[str, Any]] = []
    for crossing in parse_designs(Crossing, args.crossings):
        sets = named_cells(crossing.cells)
        ordered = sorted(sets, key=lambda name: (len(sets[name]), label(sets[name])))
        modality_of = {sets[name]: crossing.cells[name] for name in ordered}
        for scores in reader.metrics(args.tasks, list(modality_of.values())):
            crossed = Crossed(crossing.name, modality_of, scores, config.bootstrap_samples, args.seeds[0])
            table_rows += crossed.rows()
    write_csv(args.out, COLUMNS, table_rows)
    for row in table_rows:
        if row["quantity"] == "interaction":
            where = f"{row['crossing']}/{row['task']}: {row['metric']} {row['factor']}"
            print(f"{where}: interaction {row['value']} [{row['ci_low']}, {row['ci_high']}]", file=sys.stderr)


if __name__ == "__main__":
    run(main)
