"""Accuracy of the checkpoints inside epoch 1, with a curve and the paper's straight line over log10 of tokens.

Within the first epoch no token is seen twice, so the checkpoints represent models trained on less data; the first one
lies behind the warm-up of the learning rate. Two fits over log10(tokens):

- a binomial model with its floor at chance, accuracy = chance + (1 - chance) * logistic(height + slope * x)
  (psychometric.py); `middle_slope` is its gain per tenfold data in the middle of the checkpoints,
- the paper's line by least squares, accuracy = intercept + slope * x; `slope` is its gain per tenfold data.

Intervals resample couples of items, the same ones at every checkpoint, and fit each resample.
Every checkpoint scores every task; `scaling_items` limits the number of items per task.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Item
from scripts.common.files import read_json, write_csv, write_json
from scripts.evaluation.accuracy import by_item, chance, decide_sides, normalise, percentiles
from scripts.evaluation.config import Scaling
from scripts.evaluation.items import Task, add_task_arguments, cut_ids, cut_seconds, read_tasks, scorable
from scripts.evaluation.level_curves import Levels, resample, shares
from scripts.evaluation.psychometric import fit_line

COLUMNS = ("tokens", "hours", "value", "ci_low", "ci_high", "n", "chance")


def checkpoints(folder: Path) -> dict[int, Path]:
    """Checkpoint folders `tokens-<n>` by tokens seen, in increasing order.

    Raises:
        ValueError: there are fewer than two, which is too few for a line.
    """
    folders = {int(path.name[7:]): path for path in folder.glob("tokens-*") if re.fullmatch(r"tokens-\d+", path.name)}
    if len(folders) < 2 or min(folders) < 1:
        raise ValueError(
            f"{folder}: holds {len(folders)} checkpoints named tokens-<n>; a line needs at least 2"
            " (lm.training.checkpoints_in_epoch_1)"
        )
    return dict(sorted(folders.items()))


def hours_seen(tokens: np.ndarray, train: dict[str, Any]) -> np.ndarray:
    """Hours of speech of a number of training tokens, by the counts of train in stats.json.

    Training counts EOS, stats.json does not: one token more per utterance.
    """
    return tokens * train["seconds"] / (train["tokens"] + train["utterances"]) / 3600


def line(tokens: np.ndarray, accuracy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares slope and intercept over log10(tokens [C]) of each row of accuracy [..., C]."""
    x = np.log10(tokens)
    centred = x - x.mean()
    slope = (accuracy * centred).sum(axis=-1) / (centred**2).sum()
    return slope, accuracy.mean(axis=-1) - slope * x.mean()


def by_couple(tokens: np.ndarray, correct: np.ndarray, couples: list[str]) -> Levels:
    """Sums of correct [N, C], items by checkpoints or models, over the items of each couple [N]."""
    names, couple = np.unique(couples, return_inverse=True)
    right = np.zeros((len(names), len(tokens)))
    np.add.at(right, couple, correct)
    count = np.repeat(np.bincount(couple)[:, None], len(tokens), axis=1).astype(float)
    return Levels(tokens, tokens, tokens, right, count)


def fit(table: Levels, right: np.ndarray, count: np.ndarray, floor: float) -> dict[str, Any]:
    """Both fits through the accuracies at tokens `table.level`, given the resampled sums [B, C].

    Returns:
        slope (per tenfold tokens) with slope_ci_low and slope_ci_high, intercept, r2 (null if the accuracy does not
        vary), height, logit_slope and centre of the binomial model, its middle_slope with interval, checkpoints, n.
    """
    x = np.log10(table.level)
    own, all_items = table.right.sum(axis=0), table.total.sum(axis=0)
    accuracy = own / all_items
    slope, intercept = line(table.level, accuracy)
    low, high = percentiles(line(table.level, right / count)[0])
    residual = ((accuracy - intercept - slope * x) ** 2).sum()
    total = ((accuracy - accuracy.mean()) ** 2).sum()
    curve = fit_line(x, np.vstack([own, right]), np.vstack([all_items, count]), floor)
    middle = curve.slope_at_middle(floor)
    middle_low, middle_high = percentiles(middle[1:])
    return {
        "slope": float(slope),
        "slope_ci_low": low,
        "slope_ci_high": high,
        "intercept": float(intercept),
        "r2": float(1 - residual / total) if total > 0 else None,
        "middle_slope": round(float(middle[0]), 8),
        "middle_slope_ci_low": round(middle_low, 8),
        "middle_slope_ci_high": round(middle_high, 8),
        "centre": curve.centre,
        "height": float(curve.height[0]),
        "logit_slope": float(curve.slope[0]),
        "checkpoints": len(table.level),
        "n": int(all_items[0]),
    }


def complete_couples(items: list[Item]) -> list[list[str]]:
    """Ids of the items of each couple, in the order of the file; without couples that lack a half."""
    couples: dict[str, list[str]] = defaultdict(list)
    for item in items:
        names = couples[str(item.get("couple", item["id"]))]
        if item["id"] not in names:
            names.append(item["id"])
    size = max(map(len, couples.values()))
    return [names for names in couples.values() if len(names) == size]


def sample(task: Task, count: int | None) -> Task:
    """The task with `count` of its items (all voices of each), or all of them for None or a large count.

    Items are taken evenly over the file. A couple is kept together, so that length and unigrams stay uninformative; an
    item whose mirror was dropped is not taken.
    """
    if count is None or count >= len({item["id"] for item in task.items}):
        return task
    groups = complete_couples(task.items)
    num_groups = min(count // len(groups[0]), len(groups))
    kept = {
        name for index in np.linspace(0, len(groups), num_groups, endpoint=False).astype(int) for name in groups[index]
    }
    items = [item for item in task.items if item["id"] in kept]
    return task._replace(items=items, tokens={cut: task.tokens[cut] for cut in cut_ids(items)})


def correct_by_item(
    items: list[Item], tokens: dict[str, np.ndarray], logprobs: list[dict[str, float]], score_normalization: str
) -> np.ndarray:
    """Score of each item (mean over voices) at each checkpoint, float64 [N, C]."""
    seconds = cut_seconds(items)
    scores = {
        cut: normalise(np.array([scored[cut] for scored in logprobs]), len(ids) - 1, seconds[cut], score_normalization)
        for cut, ids in tokens.items()
    }
    return by_item([item["id"] for item in items], decide_sides(items, scores))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--checkpoints", required=True, type=Path, help="folder of tokens-<n> folders")
    parser.add_argument("--stats", required=True, type=Path, help="stats.json of the modality's tokens")
    add_task_arguments(parser)
    parser.add_argument("--fits", nargs="+", required=True, type=Path, help="json with the line to write per task")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    arguments.config = parse(Scaling, arguments.config, "evaluation")
    config, folders = arguments.config, checkpoints(arguments.checkpoints)
    seen = np.array(list(folders))
    hours = hours_seen(seen, read_json(arguments.stats)["splits"]["train"])
    context = read_json(next(iter(folders.values())) / "config.json")["max_position_embeddings"]
    tasks = [sample(scorable(task, context), config.scaling_items) for task in read_tasks(arguments)]
    from scripts.evaluation.logprobs import score
    from scripts.evaluation.precision import resolve_precision
    from scripts.lm.model.load import load_model

    cpu.prepare(config.threads)
    logprobs: dict[str, list[dict[str, float]]] = {task.name: [] for task in tasks}
    for folder in folders.values():
        model = load_model(folder)
        precision = resolve_precision(config.precision, model.device)
        for task in tasks:
            name = f"{arguments.modality}/{folder.name}/{task.name}"
            logprobs[task.name].append(score(model, task.tokens, config.batch_tokens, name, precision))
    for task, file in zip(tasks, arguments.fits, strict=True):
        correct = correct_by_item(task.items, task.tokens, logprobs[task.name], config.score_normalization)
        couple_of = {item["id"]: str(item.get("couple", item["id"])) for item in task.items}
        table = by_couple(seen, correct, [couple_of[name] for name in sorted(couple_of)])
        drawn = resample(table, config.bootstrap_samples, arguments.seed, task.name)
        floor = chance(task.items)
        rows = [
            {"tokens": n, "hours": h, **dict(zip(COLUMNS[2:6], estimate, strict=False)), "chance": floor}
            for n, h, estimate in zip(seen.tolist(), hours.tolist(), shares(table, *drawn), strict=True)
        ]
        write_csv(task.out, COLUMNS, rows)
        fitted = fit(table, *drawn, floor)
        write_json(file, fitted)
        print(
            f"{arguments.modality}/{task.name}: {100 * fitted['middle_slope']:+.1f} points per tenfold tokens"
            f" [{100 * fitted['middle_slope_ci_low']:+.1f}, {100 * fitted['middle_slope_ci_high']:+.1f}],"
            f" by a straight line {100 * fitted['slope']:+.1f}, {len(seen)} checkpoints",
            file=sys.stderr,
        )


if __name__ == "__main__":
    run(main)
