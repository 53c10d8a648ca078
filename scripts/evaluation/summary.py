"""All scores of the experiment in one table: modality, task, metric, value, interval, n.

Metrics of a task:

accuracy: with evaluation.score_normalization; accuracy_<normalization>: with each other one (`ALL_NORMALIZATIONS`).
couples: the share of couples of two pairs that are right together (couples.py), if the task has any.
accuracy_voices: the accuracy with an interval over couples and voices, if a task has several voices.
chance: 1/k of an item with k sides.
p_above_chance: p-value of a paired randomisation test of the accuracy against chance, two-sided, by couple.
baseline_<name>: the baselines of baselines.py, and `untrained`: the mean over untrained models (controls.py), on the
    items that the controls are scored on, with an interval over couples and models.
over_best_baseline: the accuracy minus that of the best baseline, in points, over the items of both;
    p_over_best_baseline: p-value of the same test of that difference. The best baseline has the highest accuracy; of
    these, `untrained` counts only if its interval lies above chance, since it is over fewer items.

Metrics of dev: bits per second, word and token.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import read_csv, write_csv
from scripts.common.seeds import generator
from scripts.evaluation.accuracy import ALL_NORMALIZATIONS, Interval, by_item, crossed_interval, interval, item_interval
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Summarising
from scripts.evaluation.couples import decide_couples
from scripts.evaluation.paired import Paired, changes, difference_test
from scripts.evaluation.score_rows import Row, can_decide, couple_column, decide_rows, num_sides, number_column

COLUMNS = ("modality", "task", "metric", "value", "ci_low", "ci_high", "n")
UNTRAINED = "untrained"


def _ids(rows: Sequence[Row]) -> list[str]:
    return [row["id"] for row in rows]


def accuracies(rows: list[Row], config: Summarising, seed: int) -> dict[str, Interval]:
    """`accuracy`, that of each other normalization, `couples`, `chance`, and with several voices `accuracy_voices`."""
    ids, couples, samples = _ids(rows), couple_column(rows), config.bootstrap_samples
    others = [name for name in ALL_NORMALIZATIONS if name != config.score_normalization and can_decide(rows, name)]
    values = {
        "accuracy": number_column(rows, "correct"),
        **{f"accuracy_{name}": decide_rows(rows, name) for name in others},
        "chance": 1 / num_sides(rows),
    }
    intervals = {name: item_interval(ids, couples, correct, samples, seed) for name, correct in values.items()}
    normalization = config.score_normalization if can_decide(rows, config.score_normalization) else "total"
    _, couple_scores = decide_couples(rows, normalization)
    if len(couple_scores):
        intervals["couples"] = interval(couple_scores, samples, seed)
    voices = [row["voice"] for row in rows]
    if len(set(voices)) > 1 and len(set(ids)) < len(ids):
        intervals["accuracy_voices"] = crossed_interval(ids, couples, voices, values["accuracy"], samples, seed)
    return intervals


def baselines(rows: list[dict[str, str]], config: Summarising, seed: int) -> dict[str, Interval]:
    """`baseline_<name>` of every baseline in rows of baselines.py."""
    intervals = {}
    for name in dict.fromkeys(row["baseline"] for row in rows):
        chosen = [row for row in rows if row["baseline"] == name]
        correct = number_column(chosen, "correct")
        intervals[f"baseline_{name}"] = item_interval(
            _ids(chosen), couple_column(chosen), correct, config.bootstrap_samples, seed
        )
    return intervals


def untrained(rows: list[dict[str, str]], config: Summarising, seed: int) -> dict[str, Interval]:
    """`baseline_untrained` of the rows of one modality and task in untrained.csv of controls.py."""
    if not rows:
        return {}
    draws, correct = [row["draw"] for row in rows], number_column(rows, "correct")
    found = crossed_interval(_ids(rows), couple_column(rows), draws, correct, config.bootstrap_samples, seed)
    return {f"baseline_{UNTRAINED}": found}


def best_baseline(intervals: dict[str, Interval], chance: float) -> str | None:
    """The baseline with the highest accuracy; the untrained model only if its interval lies above chance."""
    names = [
        name
        for name, found in intervals.items()
        if name.startswith("baseline_") and (name != f"baseline_{UNTRAINED}" or found.ci_low > chance)
    ]
    best = max(names, key=lambda name: intervals[name].value, default=None)
    return best and best.removeprefix("baseline_")


def compared(rows: list[Row], reference: list[dict[str, str]]) -> Paired:
    """The model (`new`) and a baseline (`base`), each a mean over the rows of an item, on the items of both."""
    shared = {row["id"] for row in reference}
    rows = [row for row in rows if row["id"] in shared]
    by_id = {row["id"]: couple for row, couple in zip(rows, couple_column(rows), strict=True)}
    reference = [row for row in reference if row["id"] in by_id]
    new = by_item(_ids(rows), number_column(rows, "correct"))
    base = by_item(_ids(reference), number_column(reference, "correct"))
    chance = by_item(_ids(rows), 1 / num_sides(rows))
    names = sorted(by_id)
    return Paired.of_items(names, [by_id[name] for name in names], base, new, chance)


def comparisons(
    rows: list[Row], references: dict[str, list[dict[str, str]]], best: str | None, config: Summarising, seed: int
) -> dict[str, Interval]:
    """The tests of the accuracy against chance and, with its difference in points, against the best baseline.

    Args:
        rows: scores of the common items.
        references: rows of each baseline, by its name.
        best: the name of the best baseline, if there is one.
        config: keys of the configuration.
        seed: of resamples and sign flips.
    """

    def test(paired: Paired, name: str) -> Interval:
        p_value = difference_test(paired, generator(seed, "evaluation", "summary", name))
        return Interval(p_value, np.nan, np.nan, paired.n)

    against_chance = Paired.of_items(
        _ids(rows), couple_column(rows), *(1 / num_sides(rows), number_column(rows, "correct"), 1 / num_sides(rows))
    )
    found = {"p_above_chance": test(against_chance, "chance")}
    if best:
        paired = compared(rows, references[best])
        points = changes(paired, config.bootstrap_samples, seed).points
        found["over_best_baseline"] = Interval(*points, paired.n)
        found["p_over_best_baseline"] = test(paired, "baseline")
    return found


def task_metrics(
    rows: list[Row],
    baseline_rows: list[dict[str, str]],
    untrained_rows: list[dict[str, str]],
    config: Summarising,
    seed: int,
) -> dict[str, Interval]:
    """All metrics of one modality and task, given the rows of the common items."""
    intervals = {
        **accuracies(rows, config, seed),
        **baselines(baseline_rows, config, seed),
        **untrained(untrained_rows, config, seed),
    }
    references = {UNTRAINED: untrained_rows}
    for row in baseline_rows:
        references.setdefault(row["baseline"], []).append(row)
    best = best_baseline(intervals, intervals["chance"].value)
    return {**intervals, **comparisons(rows, references, best, config, seed)}


def _rows(modality: str, task: str, metrics: dict[str, Interval]) -> Iterator[dict[str, Any]]:
    for metric, result in metrics.items():
        numbers = {key: "" if np.isnan(value) else value for key, value in result._asdict().items()}
        yield {"modality": modality, "task": task, "metric": metric, **numbers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--baselines", nargs="*", type=Path, default=[], help="<task>/<modality>.csv, any number")
    parser.add_argument("--untrained", nargs="?", type=Path, help="untrained.csv of the controls, if there are tasks")
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
    baseline_files = {(path.parent.name, path.stem): path for path in arguments.baselines}
    untrained_rows = read_csv(arguments.untrained, ["modality", "task", "id", "correct"]) if arguments.untrained else []
    for path in arguments.scores:
        task, modality = path.parent.name, path.stem
        file = baseline_files.get((task, modality))  # another system, and a task of text alone, have no baselines
        own = [row for row in untrained_rows if (row["task"], row["modality"]) == (task, modality)]
        own = [row for row in own if row["id"] not in dropped.ids[task]]
        metrics = task_metrics(dropped.common_rows(path), dropped.common_rows(file) if file else [], own, config, seed)
        rows += _rows(modality, task, metrics)
    for path in arguments.bits:
        rows += ({"modality": path.stem, "task": "dev", **row} for row in read_csv(path, ["metric", "value"]))
    write_csv(arguments.out, COLUMNS, rows)
    print(f"evaluation: {len(rows)} scores of {len(arguments.bits)} modalities", file=sys.stderr)


if __name__ == "__main__":
    run(main)
