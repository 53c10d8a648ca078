"""Every score of the experiment in one tidy table: modality, task, metric, value, interval, n.

Metrics of a pair task: `accuracy` (as evaluation.score_normalization says), the same pairs decided the other ways
(`accuracy_total`, `accuracy_per_token`, `accuracy_per_second`), `accuracy_voices` (the same value with an interval
over items and voices, where a task has several), `chance` (1/k of an item with k sides) and `baseline_<name>`.
Of dev: bits per second, word, token.
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
from scripts.evaluation.rows import Row, can_decide, choices, decided, numbers

COLUMNS = ("modality", "task", "metric", "value", "ci_low", "ci_high", "n")


def accuracies(rows: list[Row], config: Summarising, seed: int) -> dict[str, Interval]:
    """`accuracy`, those of the other normalisations, `chance`, and with several voices `accuracy_voices`."""
    ids = [row["id"] for row in rows]
    others = [way for way in SCORE_NORMALIZATIONS if way != config.score_normalization and can_decide(rows, way)]
    values = {
        "accuracy": numbers(rows, "correct"),
        **{f"accuracy_{way}": decided(rows, way) for way in others},
        "chance": 1 / choices(rows),
    }
    samples = config.bootstrap_samples
    intervals = {metric: interval(by_item(ids, each), samples, seed) for metric, each in values.items()}
    voices = [row["voice"] for row in rows]
    if len(set(voices)) > 1 and len(set(ids)) < len(ids):
        intervals["accuracy_voices"] = voices_interval(ids, voices, values["accuracy"], samples, seed)
    return intervals


def baselines(rows: list[dict[str, str]], config: Summarising, seed: int) -> dict[str, Interval]:
    """`baseline_<name>` of every baseline in the rows that baselines.py wrote."""
    intervals = {}
    for name in dict.fromkeys(row["baseline"] for row in rows):
        own = [row for row in rows if row["baseline"] == name]
        values = by_item([row["id"] for row in own], numbers(own, "correct"))
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
    parser.add_argument("--dropped", type=Dropped.read, required=True, help="csv of the items that are not compared")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    arguments.config = parse(Summarising, arguments.config, "evaluation")
    config, seed = arguments.config, arguments.seed
    rows: list[dict[str, Any]] = []
    for path in arguments.scores:
        rows += _rows(path.stem, path.parent.name, accuracies(arguments.dropped.common_rows(path), config, seed))
    for path in arguments.baselines:
        rows += _rows(path.stem, path.parent.name, baselines(arguments.dropped.common_rows(path), config, seed))
    for path in arguments.bits:
        rows += ({"modality": path.stem, "task": "dev", **row} for row in read_csv(path))
    write_csv(arguments.out, COLUMNS, rows)
    print(f"evaluation: {len(rows)} figures of {len(arguments.bits)} modalities", file=sys.stderr)


if __name__ == "__main__":
    run(main)
