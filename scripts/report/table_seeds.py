"""Scores and changes over several training seeds: mean, standard deviation, and an interval over seeds and items.

Every seed has a model of each modality, trained on the same tokens. A factor's change compares models of the same
seed. The interval resamples seeds and couples of items together, the same ones in both modalities of a change; with few
seeds it is rough, so the standard deviation over seeds is given as well. A change in points is tested by random sign
flips of the couples' differences, each the mean over seeds, and corrected by Holm's procedure for all changes of its
metric; the test holds the seeds fixed.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.common.seeds import generator
from scripts.evaluation.accuracy import by_group
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Factor, parse_factors
from scripts.evaluation.significance import holm, sign_flip
from scripts.lm.seed_replicas import replica_name
from scripts.report.labels import display_name
from scripts.report.render import NO_VALUE, Column, Table, format_interval, format_number, format_p_value, write_formats
from scripts.report.result_files import grouped, item_scores, read_table
from scripts.report.table_factors import decided_couples

TEXT = ("metric", "factor", "baseline", "modality", "task")
NUMBERS = ("mean", "sd", "lowest", "highest", "ci_low", "ci_high", "seeds", "n")
TESTS = ("p_value", "p_holm")  # of changes in points
COLUMNS = (*TEXT, *NUMBERS, *TESTS)
ACCURACY, COUPLES = "accuracy", "couples"
# What a row shows, by its metric: of a modality, then of a factor.
SCORES = {"accuracy_percent": "accuracy in %", "couples_percent": "couples right, %"}
CHANGES = {
    "change_percent": "change in %",
    "change_points": "change in points",
    "couples_change_points": "change in points of couples",
}
Sums = tuple[np.ndarray, np.ndarray]


def _files(folder: Path, modality: str, seeds: Sequence[int]) -> list[Path]:
    """Score files of a modality's models, that of the configuration's seed first."""
    return [folder / f"{name}.csv" for name in (modality, *(replica_name(modality, seed) for seed in seeds[1:]))]


def read_scores(folder: Path, dropped: Dropped, modality: str, seeds: Sequence[int]) -> Sums:
    """Sums of the scores over the common items of each couple, by seed, float64 [S, C], and numbers of items [C].

    Args:
        folder: of a task's score files.
        dropped: items that are not compared.
        modality: whose models are read.
        seeds: that of the configuration first.

    Raises:
        ValueError: the files hold different items.
    """
    files = _files(folder, modality, seeds)
    scores = [item_scores(file, dropped) for file in files]
    for file, column in zip(files, scores, strict=True):
        if not column.index.equals(scores[0].index):
            raise ValueError(f"{file}: holds other items than {modality}.csv")
    columns = np.stack([column["correct"].to_numpy() for column in scores], axis=1)
    sums, counts = by_group(scores[0]["couple"].to_numpy(dtype=np.str_), columns)
    return sums.T, counts


def read_couples(
    folder: Path, dropped: Dropped, modality: str, seeds: Sequence[int], score_normalization: str
) -> Sums | None:
    """The same of mirrored couples, each decided by the sum of its items' differences; None where items have none."""
    decided = []
    for file in _files(folder, modality, seeds):
        names, values = decided_couples(dropped.common_rows(file), score_normalization)
        decided.append(dict(zip(names, values.tolist(), strict=True)))
    if not decided[0]:
        return None
    return np.array([[values[name] for name in decided[0]] for values in decided]), np.ones(len(decided[0]))


def resampled(
    scores: np.ndarray, counts: np.ndarray, samples: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Means [B, S] of every seed's scores over resampled couples, and the resampled seeds' weights [B, S].

    Args:
        scores: sums of the scores by seed and couple, [S, C].
        counts: numbers of items of the couples, [C].
        samples: resamples B.
        rng: draws seeds, then couples.
    """
    seeds, couples = scores.shape
    weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=samples) / seeds
    draws = (rng.integers(couples, size=couples) for _ in range(samples))
    return np.array([scores[:, drawn].sum(axis=1) / counts[drawn].sum() for drawn in draws]), weights


def _numbers(values: np.ndarray, resamples: np.ndarray, items: int) -> dict[str, Any]:
    """The columns NUMBERS from a value per seed [S] and resampled values [B]."""
    low, high = np.quantile(resamples, [0.025, 0.975])
    statistics = {
        "mean": values.mean(),
        "sd": values.std(ddof=1),
        "lowest": values.min(),
        "highest": values.max(),
        "ci_low": low,
        "ci_high": high,
    }
    return {**{key: round(float(value), 6) for key, value in statistics.items()}, "seeds": len(values), "n": items}


def rows(
    evaluation: Path,
    dropped: Dropped,
    modalities: Sequence[str],
    factors: Sequence[Factor],
    tasks: Sequence[str],
    seeds: Sequence[int],
    samples: int,
    score_normalization: str,
) -> list[dict[str, Any]]:
    """The rows of SCORES for every modality and task, then those of CHANGES for every factor and task."""
    scores: dict[tuple[str, str, str], Sums] = {}
    for modality in modalities:
        for task in tasks:
            scores[modality, task, ACCURACY] = read_scores(evaluation / task, dropped, modality, seeds)
            couples = read_couples(evaluation / task, dropped, modality, seeds, score_normalization)
            if couples is not None:
                scores[modality, task, COUPLES] = couples
    # One generator per task: all modalities have the same resamples, so a change is paired.
    drawn = {
        key: resampled(sums, counts, samples, generator(seeds[0], "report/seeds", key[1]))
        for key, (sums, counts) in scores.items()
    }
    means_of = {key: sums.sum(axis=1) / counts.sum() for key, (sums, counts) in scores.items()}  # [S] each
    table_rows: list[dict[str, Any]] = []
    no_test = dict.fromkeys(TESTS, "")

    def add(metric: str, about: Sequence[str], values: np.ndarray, resamples: np.ndarray, items: float) -> None:
        key = dict(zip(TEXT, (metric, *about), strict=True))
        table_rows.append({**key, **_numbers(values, resamples, int(items)), **no_test})

    for (modality, task, measure), values in means_of.items():
        means, weights = drawn[modality, task, measure]
        items = scores[modality, task, measure][1].sum()
        about = ("", "", modality, task)
        add(f"{measure}_percent", about, 100 * values, 100 * (means * weights).sum(1), items)
    for factor in factors:
        for task in tasks:
            for measure in (ACCURACY, COUPLES):
                base, new = ((name, task, measure) for name in factor.pair)
                if base not in scores or new not in scores:
                    continue
                about, items = (*factor.key, task), scores[new][1].sum()
                (before, weights), (after, _) = drawn[base], drawn[new]
                if measure == ACCURACY:
                    with np.errstate(divide="ignore", invalid="ignore"):  # a resample without a correct item
                        percent = 100 * (means_of[new] / means_of[base] - 1)
                        percents = (100 * (after / before - 1) * weights).sum(1)
                    add("change_percent", about, percent, percents, items)
                points, resamples = 100 * (means_of[new] - means_of[base]), (100 * (after - before) * weights).sum(1)
                metric = "change_points" if measure == ACCURACY else "couples_change_points"
                add(metric, about, points, resamples, items)
                differences = (scores[new][0] - scores[base][0]).mean(axis=0)  # [C]
                rng = generator(seeds[0], "report/seeds", *factor.key, task, measure)
                table_rows[-1]["p_value"] = sign_flip(differences, rng)
    for metric in dict.fromkeys(row["metric"] for row in table_rows if row["p_value"] != ""):
        tested = [row for row in table_rows if row["metric"] == metric]
        for row, p_value in zip(tested, holm([row["p_value"] for row in tested]), strict=True):
            row["p_value"], row["p_holm"] = round(row["p_value"], 6), round(p_value, 6)
    return table_rows


def build_table(path: str | Path) -> Table:
    """The formatted table of seeds.csv: one row per modality, then one per factor."""
    data: pd.DataFrame = read_table(path, TEXT, (*NUMBERS, *TESTS))
    tasks = list(dict.fromkeys(data["task"]))
    columns = [Column("modality or factor", text=True)]
    columns += [Column(name, display_name(task)) for task in tasks for name in ("mean", "sd", "p")]
    lines = []
    for (metric, factor, baseline, modality), group in grouped(data, *TEXT[:4]).items():
        change = metric in CHANGES
        name = f"{factor}: {display_name(baseline)} → {display_name(modality)}" if change else display_name(modality)
        cells = {row["task"]: row for row in group}
        line = [f"{name}, {CHANGES[metric] if change else SCORES[metric]}"]
        for task in tasks:
            row = cells.get(task)
            if row is None:  # a task without couples
                line += [NO_VALUE] * 3
                continue
            mean = format_interval(row["mean"], row["ci_low"], row["ci_high"], sign=change)
            line += [mean, format_number(row["sd"]), format_p_value(row["p_holm"])]
        lines.append(line)
    count = int(data["seeds"].max()) if len(data) else 0
    notes = [
        f"Mean and standard deviation over {count} training seeds; data, alignment, units and tokens are the same."
        " Brackets: 95% bootstrap interval over seeds and couples of items together. A change compares models of the"
        " same seed. p: changes in points, random sign flips of the couples' differences (mean over seeds), corrected"
        " by Holm's procedure for all changes of the measure; it holds the seeds fixed."
    ]
    return Table("seeds", "Variation over training seeds", columns, lines, notes)


def main() -> None:
    """Command line of rule report_table_seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluation", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--config", required=True, help='JSON: {"factors": [...]} of the config')
    parser.add_argument("--seeds", nargs="+", type=int, required=True, help="the configuration's seed first")
    parser.add_argument("--samples", type=int, required=True, help="bootstrap resamples")
    parser.add_argument("--score-normalization", required=True, help="what decides a couple")
    parser.add_argument("--output", type=Path, required=True, help="folder for seeds.{csv,md,tex,html}")
    args = parser.parse_args()
    table_rows = rows(
        args.evaluation,
        Dropped.read(args.dropped),
        args.modalities,
        parse_factors(args.config),
        args.tasks,
        args.seeds,
        args.samples,
        args.score_normalization,
    )
    write_csv(args.output / "seeds.csv", COLUMNS, table_rows)
    write_formats(args.output, build_table(args.output / "seeds.csv"))


if __name__ == "__main__":
    run(main)
