"""Dose and response: how each task changes with the dose of one cause, over the modalities of a dial.

Rows of evaluation/dials.csv, per dial, task, metric and modality, by rising dose:

accuracy, couples: in %, with `change` from the modality of the lowest dose, over the same resamples.
bits_per_second: of dev, likewise.
threshold: the exposures at which the curve of couples (or of items, without couples) passes 75%, from exposures.csv;
    inf is above the highest exposure, 0 below the lowest. It is of the first training seed alone, without `change`.

`tokens_per_second` is that of the modality's train split, and `at_chance` is `yes` where the interval of a value does
not lie above chance.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import read_csv, read_json, write_csv
from scripts.evaluation.config import Summarising
from scripts.evaluation.dial_config import Dial, parse_designs
from scripts.evaluation.joint_scores import (
    JointScores,
    add_reader_arguments,
    cells,
    estimate,
    not_above_chance,
    reader_of,
)

KEY = ("dial", "factor", "dose", "unit", "modality", "tokens_per_second", "task", "metric")
CHANGE = ("change", "change_ci_low", "change_ci_high")
COLUMNS = (*KEY, "value", "ci_low", "ci_high", *CHANGE, "n", "seeds", "at_chance", "text")
THRESHOLD_MEASURES = ("couples", "accuracy")  # the first that a task has


def metric_rows(dial: Dial, scores: JointScores, samples: int, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Modality and row (without KEY but for task and metric) of each point, lowest dose first.

    Args:
        dial: an entry of `dials`.
        scores: of its modalities, in order.
        samples: bootstrap resamples.
        seed: of the resamples.
    """
    values, resampled = scores.values, scores.resampled(samples, seed)
    low = not_above_chance(scores, resampled)
    for place, point in enumerate(dial.points):
        found = cells(estimate(values[place], resampled[:, place]))
        change: dict[str, Any] = {}
        if place:
            change = cells(estimate(values[place] - values[0], resampled[:, place] - resampled[:, 0]))
        yield (
            point.modality,
            {
                "task": scores.task,
                "metric": scores.metric,
                **found,
                **dict(zip(CHANGE, change.values(), strict=False)),
                "n": scores.n,
                "seeds": len(scores.sums),
                "at_chance": "yes" if low[place] else "",
            },
        )


def threshold_rows(exposures: Sequence[Mapping[str, str]], dial: Dial) -> Iterator[tuple[str, dict]]:
    """The same of the thresholds in exposures.csv, of the first of THRESHOLD_MEASURES that a task has."""
    found = {(row["task"], row["measure"], row["modality"]): row for row in exposures if row["quantity"] == "threshold"}
    for task in dict.fromkeys(task for task, _, _ in found):
        measure = next(name for name in THRESHOLD_MEASURES if any(key[:2] == (task, name) for key in found))
        for point in dial.points:
            if row := found.get((task, measure, point.modality)):
                kept = {name: row[name] for name in ("value", "ci_low", "ci_high", "n", "text")}
                yield point.modality, {"task": task, "metric": "threshold", **kept, "seeds": 1}


def labelled(dial: Dial, modality: str, rate: float, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with all of COLUMNS."""
    dose = next(point.dose for point in dial.points if point.modality == modality)
    key = {"dial": dial.name, "factor": dial.factor, "dose": f"{dose:g}", "unit": dial.unit}
    return {**dict.fromkeys(COLUMNS, ""), **key, "modality": modality, "tokens_per_second": round(rate, 4), **row}


def rate_of(path: Path) -> float:
    """Tokens per second of train in a modality's stats.json.

    Raises:
        ValueError: names the file that has no such number.
    """
    try:
        return float(read_json(path)["splits"]["train"]["tokens_per_second"])
    except (KeyError, TypeError):
        raise ValueError(f"{path}: no number 'splits.train.tokens_per_second'") from None


def main() -> None:
    """Command line of rule evaluation_dials."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_reader_arguments(parser)
    parser.add_argument("--tokens", type=Path, required=True, help="folder with {modality}/stats.json")
    parser.add_argument("--exposures", type=Path, nargs="?", help="evaluation/exposures.csv, if there are tasks")
    parser.add_argument("--dials", required=True, help='JSON: {"dials": [...]} of the config')
    parser.add_argument("--out", type=Path, required=True, help="csv to write")
    args = parser.parse_args()
    config = parse(Summarising, args.config, "evaluation")
    reader = reader_of(args, config.score_normalization)
    wanted = ["modality", "task", "measure", "quantity", "value", "ci_low", "ci_high", "n", "text"]
    exposures = read_csv(args.exposures, wanted) if args.exposures else []
    table_rows: list[dict[str, Any]] = []
    dials = parse_designs(Dial, args.dials)
    for dial in dials:
        rates = {name: rate_of(args.tokens / name / "stats.json") for name in dial.modalities}
        rows = [
            row
            for scores in reader.metrics(args.tasks, dial.modalities)
            for row in metric_rows(dial, scores, config.bootstrap_samples, args.seeds[0])
        ]
        rows += threshold_rows(exposures, dial)
        table_rows += [labelled(dial, name, rates[name], row) for name, row in rows]
    write_csv(args.out, COLUMNS, table_rows)
    print(f"evaluation/dials: {len(table_rows)} rows of {len(dials)} dials", file=sys.stderr)


if __name__ == "__main__":
    run(main)
