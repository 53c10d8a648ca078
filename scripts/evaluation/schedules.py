"""Accuracy of models with complete schedules on shares of the data, and its gain per tenfold data.

A checkpoint inside epoch 1 has seen less data, but at a learning rate that is still high. The models of
`lm.data_shares` and the modality's own, which has all of train, were each trained to the end of a schedule. Each has a
row of quantity `accuracy`, over all common items. From three models on `fit` holds the binomial curve through them,
`middle_slope` its gain per tenfold data in the middle, and `slope` that of a least-squares line (scaling.py); else
`text` says what lacks.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import read_json, write_csv
from scripts.evaluation.accuracy import by_item
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Resampling
from scripts.evaluation.level_curves import Estimate, Levels, floor_of, resample, rounded, shares
from scripts.evaluation.psychometric import fit_line
from scripts.evaluation.scaling import by_couple, fit, hours_seen
from scripts.evaluation.score_rows import Row, number_column

COLUMNS = (
    *("modality", "task", "quantity", "share", "tokens", "hours"),
    *("value", "ci_low", "ci_high", "n", "chance", "fit", "text"),
)
MODELS_NEEDED = 3  # for a curve of two parameters that can be wrong


def train_tokens(stats: Path) -> tuple[int, float]:
    """Tokens of one epoch, EOS counted, and hours of speech of the train split that a stats.json describes."""
    train = read_json(stats)["splits"]["train"]
    tokens = train["tokens"] + train["utterances"]
    return tokens, float(hours_seen(np.array(tokens), train))


def by_model(rows_of: Mapping[str, list[Row]], tokens: list[int]) -> Levels:
    """Sums by couple and model; ValueError if the models were scored on different items."""
    ids: list[str] = []
    couples: dict[str, str] = {}
    columns = []
    for name, rows in rows_of.items():
        own = [row["id"] for row in rows]
        if ids and sorted(set(own)) != ids:
            raise ValueError(f"{name} was scored on other items than {next(iter(rows_of))}; score both again")
        ids = sorted(set(own))
        couples |= {row["id"]: row["couple"] for row in rows}
        columns.append(by_item(own, number_column(rows, "correct")))
    return by_couple(np.array(tokens, dtype=float), np.stack(columns, axis=1), [couples[name] for name in ids])


def schedules(
    modality: str,
    task: str,
    models: Mapping[str, float],
    rows_of: Mapping[str, list[Row]],
    trained: Mapping[str, tuple[int, float]],
    samples: int,
    seed: int,
) -> Iterator[dict[str, Any]]:
    """The rows of COLUMNS of a modality and task.

    Args:
        modality: name.
        task: name.
        models: model -> its share of the data, rising.
        rows_of: model -> its rows of the common items.
        trained: model -> tokens of an epoch and hours.
        samples: number of resamples.
        seed: of the resamples.
    """
    table = by_model(rows_of, [trained[name][0] for name in models])
    drawn = resample(table, samples, seed, task)
    floor = floor_of(rows_of[modality])
    place = {**dict.fromkeys(COLUMNS, ""), "modality": modality, "task": task, "chance": round(floor, 6)}
    enough = len(models) >= MODELS_NEEDED
    fitted: list[Any] = [""] * len(models)
    if enough:
        x = np.log10(table.level)
        curve = fit_line(x, table.right.sum(axis=0)[None], table.total.sum(axis=0)[None], floor)
        fitted = [round(value, 6) for value in curve.accuracy(x, floor)[0].tolist()]
    for (name, share), estimate, value in zip(models.items(), shares(table, *drawn), fitted, strict=True):
        tokens, hours = trained[name]
        sizes = {"share": share, "tokens": tokens, "hours": round(hours, 6), "fit": value}
        yield {**place, "quantity": "accuracy", **sizes, **rounded(estimate)}
    n = int(table.total[:, 0].sum())
    if not enough:
        text = f"{len(models)} model{'s' * (len(models) != 1)}; a curve needs {MODELS_NEEDED} (lm.data_shares)"
        yield {**place, "quantity": "middle_slope", **rounded(Estimate(np.nan, np.nan, np.nan, n, text))}
        return
    found = fit(table, *drawn, floor)
    for name in ("middle_slope", "slope"):
        estimate = Estimate(found[name], found[f"{name}_ci_low"], found[f"{name}_ci_high"], n)
        yield {**place, "quantity": name, **rounded(estimate)}


def main() -> None:
    """Command line of rule evaluation_schedules."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluation", type=Path, required=True, help="folder with {task}/{model}.csv")
    parser.add_argument("--tokens", type=Path, required=True, help="folder with {model}/stats.json")
    parser.add_argument("--models", type=json.loads, required=True, help="JSON: modality -> model -> share of train")
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--out", type=Path, required=True, help="csv to write")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", type=int, required=True)
    args = parser.parse_args()
    dropped = Dropped.read(args.dropped)
    samples = parse(Resampling, args.config, "evaluation").bootstrap_samples
    table_rows: list[dict[str, Any]] = []
    for modality, unsorted in args.models.items():
        models = dict(sorted(unsorted.items(), key=lambda model: model[1]))
        trained = {name: train_tokens(args.tokens / name / "stats.json") for name in models}
        for task in args.tasks:
            rows_of = {name: dropped.common_rows(args.evaluation / task / f"{name}.csv") for name in models}
            table_rows += schedules(modality, task, models, rows_of, trained, samples, args.seed)
    write_csv(args.out, COLUMNS, table_rows)
    for row in table_rows:
        if row["quantity"] == "middle_slope":
            said = row["text"] or f"{100 * row['value']:+.1f} points per tenfold data"
            print(f"{row['modality']}/{row['task']}: {said}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
