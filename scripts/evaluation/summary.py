"""All scores of the experiment in one table: modality, task, metric, value, interval, n.

Metrics of a task: `accuracy` (with evaluation.score_normalization), the accuracies with the other normalizations
(`accuracy_total`, `accuracy_per_token`, `accuracy_per_second`), `accuracy_voices` (the same value with an interval over
items and voices, if a task has several voices), `chance` (1/k of an item with k sides) and `baseline_<name>`. Metrics
of dev: bits per second, word and token.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import read_csv, write_csv
from scripts.evaluation.accuracy import SCORE_NORMALIZATIONS, Interval, by_item, interval, voices_interval
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Summarising
from scripts.evaluation.score_rows import Row, can_decide, decide_rows, num_sides, number_column

COLUMNS = ("modality", "task", "metric", "value", "ci_low", "ci_high", "n")


def accuracies(rows: list[Row], config: Summarising, seed: int) -> dict[str, Interval]:
    """`accuracy`, that of each other normalization, `chance`, and with several voices `accuracy_voices`."""
    ids = [row["id"] for row in rows]
    others = [name for name in SCORE_NORMALIZATIONS if name != config.score_normalization and can_decide(rows, name)]
    values = {
        "accuracy": number_column(rows, "correct"),
        **{f"accuracy_{name}": decide_rows(rows, name) for name in others},
        "chance": 1 / num_sides(rows),
    }
    samples = config.bootstrap_samples
    intervals = {metric: interval(by_item(ids, correct), samples, seed) for metric, correct in values.items()}
    voices = [row["voice"] for row in rows]
    if len(set(voices)) > 1 and len(set(ids)) < len(ids):
        intervals["accuracy_voices"] = voices_interval(ids, voices, values["accuracy"], samples, seed)
    return intervals


def baselines(rows: list[dict[str, str]], config: Summarising, seed: int) -> dict[str, Interval]:
    """`baseline_<name>` of every baseline in rows of baselines.py."""
    intervals = {}
    for name in dict.fromkeys(row["baseline"] for row in rows):
        baseline_rows = [row for row in rows if row["baseline"] == name]
        values = by_item([row["id"] for row in baseline_rows], number_column(baseline_rows, "correct"))
        intervals[f"baseline_{name}"] = interval(values, config.bootstrap_samples, seed)
    return intervals


def _rows(modality: str, task: str, metrics: dict[str, Interval]) -> Iterator[dict[str, Any]]:
    for metric, result in metrics.items():
        yield {"modality": modality, "task": task, "metric": metric, **result._asdict()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--baselines", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--bits", nargs="+", type=Path, required=True, help="<modality>.csv, any number")
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    arguments.config = parse(Summarising, arguments.config, "evaluation")
    dropped = Dropped.read(arguments.dropped)
    config, seed = arguments.config, arguments.seed
    rows: list[dict[str, Any]] = []
    for path in arguments.scores:
        rows += _rows(path.stem, path.parent.name, accuracies(dropped.common_rows(path), config, seed))
    for path in arguments.baselines:
        rows += _rows(path.stem, path.parent.name, baselines(dropped.common_rows(path), config, seed))
    for path in arguments.bits:
        rows += ({"modality": path.stem, "task": "dev", **row} for row in read_csv(path, ["metric", "value"]))
    write_csv(arguments.out, COLUMNS, rows)
    print(f"evaluation: {len(rows)} scores of {len(arguments.bits)} modalities", file=sys.stderr)


if __name__ == "__main__":
    run(main)
