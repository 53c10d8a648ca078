"""Every score of the experiment in one tidy table: modality, task, metric, value, interval, n.

Metrics of a pair task: `accuracy` (as evaluation.decide_by says), the same pairs decided the other ways
(`accuracy_total`, `accuracy_per_token`, `accuracy_per_second`), `accuracy_voices` (the same value with an interval
over items and voices, where a task has several) and `baseline_<name>`. Of dev: bits per second, word, token.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv
from scripts.evaluation.accuracy import DECIDE_BY, Interval, by_item, decide, interval, normalise, voices_interval

COLUMNS = ("modality", "task", "metric", "value", "ci_low", "ci_high", "n")


@dataclass(frozen=True)
class Config:
    """Keys of config.yaml's `evaluation` that this step reads."""

    decide_by: str
    bootstrap_samples: int


def accuracies(rows: list[dict[str, str]], config: Config, seed: int) -> dict[str, Interval]:
    """`accuracy`, those of the other normalisations, and with several voices `accuracy_voices`; rows are score.py's."""
    ids = [row["id"] for row in rows]
    others = {f"accuracy_{way}": decided(rows, way) for way in DECIDE_BY if way != config.decide_by and told(rows, way)}
    correct = {"accuracy": _column(rows, "correct"), **others}
    found = {
        metric: interval(by_item(ids, values), config.bootstrap_samples, seed) for metric, values in correct.items()
    }
    voices = [row["voice"] for row in rows]
    if len(set(voices)) > 1 and len(set(ids)) < len(ids):
        samples = config.bootstrap_samples
        found["accuracy_voices"] = voices_interval(ids, voices, correct["accuracy"], samples, seed)
    return found


def told(rows: list[dict[str, str]], way: str) -> bool:
    """Whether the rows hold what this way to decide needs: texts have no seconds, choices no one negative side."""
    needed = {"total": ["logprob"], "per_token": ["logprob", "tokens"], "per_second": ["logprob", "seconds"]}[way]
    return all(row[f"{what}_{side}"] != "" for row in rows for what in needed for side in ("positive", "negative"))


def decided(rows: list[dict[str, str]], way: str) -> np.ndarray:
    """1, 0 or 0.5 for each row that score.py wrote, decided in one of the ways of DECIDE_BY."""

    def side(name: str) -> np.ndarray:
        divisor = _column(rows, f"{'seconds' if way == 'per_second' else 'tokens'}_{name}")
        return normalise(_column(rows, f"logprob_{name}"), divisor, divisor, way)

    return decide(side("positive"), side("negative"))


def baselines(rows: list[dict[str, str]], config: Config, seed: int) -> dict[str, Interval]:
    """`baseline_<name>` of every baseline in the rows that baselines.py wrote."""
    found = {}
    for name in dict.fromkeys(row["baseline"] for row in rows):
        own = [row for row in rows if row["baseline"] == name]
        values = by_item([row["id"] for row in own], _column(own, "correct"))
        found[f"baseline_{name}"] = interval(values, config.bootstrap_samples, seed)
    return found


def _column(rows: list[dict[str, str]], name: str) -> np.ndarray:
    return np.array([float(row[name]) for row in rows])


def _rows(modality: str, task: str, metrics: dict[str, Interval]) -> Iterator[dict[str, Any]]:
    for metric, found in metrics.items():
        yield {"modality": modality, "task": task, "metric": metric, **found._asdict()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--baselines", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--bits", nargs="+", type=Path, required=True, help="<modality>.csv, any number")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--config", required=True, type=lambda text: Config(**json.loads(text)))
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    config, seed = arguments.config, arguments.seed
    rows: list[dict[str, Any]] = []
    for path in arguments.scores:
        rows += _rows(path.stem, path.parent.name, accuracies(read_csv(path), config, seed))
    for path in arguments.baselines:
        rows += _rows(path.stem, path.parent.name, baselines(read_csv(path), config, seed))
    for path in arguments.bits:
        rows += ({"modality": path.stem, "task": "dev", **row} for row in read_csv(path))
    write_csv(arguments.out, COLUMNS, rows)
    print(f"evaluation: {len(rows)} figures of {len(arguments.bits)} modalities", file=sys.stderr)


if __name__ == "__main__":
    run(main)
