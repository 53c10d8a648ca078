"""The additive account of a factor: a chain of modalities, each of which adds one cause, and what each step changes.

The steps of a ladder add up to its whole, since each starts where the one before it ends. Which cause a common part is
counted to follows from the order of the ladder (`ladders` of the configuration), which is chosen before a run.

Rows of evaluation/ladder.csv, per ladder, task and metric, in points (accuracy, couples) or bits per second:

step: the change from `baseline` to `modality`.
share: that change in % of the whole; blank if the interval of the whole contains 0.
whole: the change from the first modality to the last.

`at_chance` lists the row's modalities whose interval does not lie above chance.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_csv
from scripts.evaluation.config import Summarising
from scripts.evaluation.dial_config import Ladder, parse_designs
from scripts.evaluation.joint_scores import (
    JointScores,
    add_reader_arguments,
    cells,
    estimate,
    not_above_chance,
    reader_of,
)

COLUMNS = (
    *("ladder", "task", "metric", "quantity", "step", "baseline", "modality"),
    *("value", "ci_low", "ci_high", "n", "seeds", "at_chance"),
)


def ladder_rows(ladder: Ladder, scores: JointScores, samples: int, seed: int) -> Iterator[dict[str, Any]]:
    """The rows of COLUMNS of one metric: each step and its share, then the whole.

    Args:
        ladder: an entry of `ladders`.
        scores: of its modalities, in order.
        samples: bootstrap resamples.
        seed: of the resamples.
    """
    names, values, resampled = ladder.modalities, scores.values, scores.resampled(samples, seed)
    low = dict(zip(names, not_above_chance(scores, resampled), strict=True))

    def row(quantity: str, step: str, ends: Sequence[str], value: float, drawn: np.ndarray) -> dict[str, Any]:
        keys = {"ladder": ladder.name, "task": scores.task, "metric": scores.metric, "quantity": quantity}
        keys |= {"step": step, "baseline": ends[0], "modality": ends[1]}
        counted = {"n": scores.n, "seeds": len(scores.sums), "at_chance": ", ".join(n for n in ends if low[n])}
        return {**keys, **cells(estimate(value, drawn)), **counted}

    whole, wholes = values[-1] - values[0], resampled[:, -1] - resampled[:, 0]
    found = estimate(whole, wholes)
    shown = found.ci_low > 0 or found.ci_high < 0
    for place, (step, ends) in enumerate(zip(ladder.steps, pairwise(names), strict=True)):
        change, changes = (table[..., place + 1] - table[..., place] for table in (values, resampled))
        yield row("step", step.name, ends, change, changes)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = 100 * changes / wholes if shown else np.full(1, np.nan)
        yield row("share", step.name, ends, 100 * change / whole if shown else np.nan, shares)
    yield row("whole", "", (names[0], names[-1]), whole, wholes)


def main() -> None:
    """Command line of rule evaluation_ladder."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_reader_arguments(parser)
    parser.add_argument("--ladders", required=True, help='JSON: {"ladders": [...]} of the config')
    parser.add_argument("--out", type=Path, required=True, help="csv to write")
    args = parser.parse_args()
    config = parse(Summarising, args.config, "evaluation")
    reader = reader_of(args, config.score_normalization)
    table_rows: list[dict[str, Any]] = []
    ladders = parse_designs(Ladder, args.ladders)
    for ladder in ladders:
        for scores in reader.metrics(args.tasks, ladder.modalities):
            table_rows += ladder_rows(ladder, scores, config.bootstrap_samples, args.seeds[0])
    write_csv(args.out, COLUMNS, table_rows)
    print(f"evaluation/ladder: {len(table_rows)} rows of {len(ladders)} ladders", file=sys.stderr)


if __name__ == "__main__":
    run(main)
