"""Scores of several models on the same items, with resamples that all of them share.

A metric of M modalities is a table of sums by couple of items; any difference between cells of it has an interval over
the same resamples of couples. With one training seed these are the resamples of the table of factors (accuracy.py: one
seed gives one set, as long as couples are drawn one by one). With further seeds a modality's value is the mean over its
models, and the resamples draw couples and seeds together, one drawn seed for all modalities at a time, since models of
one seed are compared.

Metrics: `accuracy` and `couples` (couples.py), in %; `bits_per_second` of dev, where utterances are resampled.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.files import read_csv
from scripts.common.seeds import generator
from scripts.evaluation.accuracy import bootstrap_means, by_couple, by_item, percentiles
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.couples import decide_couples
from scripts.evaluation.paired import NAN, Estimate
from scripts.evaluation.score_rows import Row, couple_column, num_sides, number_column
from scripts.lm.seed_replicas import replica_name

DEV = "dev"  # the task of bits


@dataclass(frozen=True)
class JointScores:
    """One metric of M modalities on the same couples (or utterances), by training seed.

    Attributes:
        task, metric: what is scored.
        sums: sums of the scores over each couple, float64 [S, C, M].
        counts: what they are divided by, items or seconds, float64 [C].
        n: number of items, couples or utterances.
        chance: expected value of random decisions; NaN of bits.
    """

    task: str
    metric: str
    sums: np.ndarray
    counts: np.ndarray
    n: int
    chance: float

    @property
    def values(self) -> np.ndarray:
        """The value of each modality, a mean over seeds, float64 [M]."""
        return self.sums.sum(axis=1).mean(axis=0) / self.counts.sum()

    def resampled(self, samples: int, seed: int) -> np.ndarray:
        """The values over resamples of couples, and of seeds if there are several, float64 [samples, M]."""
        seeds, couples, models = self.sums.shape
        columns = np.moveaxis(self.sums, 1, 0).reshape(couples, seeds * models)
        means = bootstrap_means(np.concatenate([columns, self.counts[:, None]], axis=1), samples, seed)
        by_seed = means[:, :-1].reshape(samples, seeds, models) / means[:, -1, None, None]
        rng = generator(seed, "evaluation", "bootstrap", "seeds")
        weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=samples) / seeds  # [samples, S]
        return np.einsum("bs,bsm->bm", weights, by_seed)


def estimate(value: float, resampled: np.ndarray) -> Estimate:
    """A value with its interval; NaN bounds if a resample has no value."""
    return Estimate(float(value), *(percentiles(resampled) if np.isfinite(resampled).all() else (NAN, NAN)))


def cells(found: Estimate) -> dict[str, Any]:
    """The columns value, ci_low and ci_high; blank where there is no number."""
    return {name: "" if np.isnan(value) else round(value, 6) for name, value in found._asdict().items()}


def not_above_chance(scores: JointScores, resampled: np.ndarray) -> list[bool]:
    """Whether the interval of each modality does not lie above chance; of bits never."""
    low = np.quantile(resampled, 0.025, axis=0)
    return [bool(value <= scores.chance) for value in low]


class Reader:
    """Reads the scores of models from the folder `evaluation`.

    Attributes:
        evaluation: folder with {task}/{modality}.csv and utterance_bits/{modality}.csv.
        dropped: items that are not compared.
        seeds: training seeds, that of the configuration first.
        score_normalization: of the couples' decisions.
    """

    def __init__(self, evaluation: Path, dropped: Dropped, seeds: Sequence[int], score_normalization: str):
        self.evaluation, self.dropped, self.seeds = evaluation, dropped, seeds
        self.score_normalization = score_normalization

    def metrics(self, tasks: Sequence[str], modalities: Sequence[str]) -> Iterator[JointScores]:
        """Every metric of these modalities: `accuracy` and `couples` of each task, then `bits_per_second`.

        Raises:
            ValueError: names the file whose items or utterances are other ones than the first model's.
        """
        for task in tasks:
            yield from self._task(task, modalities)
        yield self._bits(modalities)

    def _models(self, modalities: Sequence[str]) -> list[str]:
        """The models of the first seed, then those of the next, [S * M]."""
        return [
            modality if place == 0 else replica_name(modality, seed)
            for place, seed in enumerate(self.seeds)
            for modality in modalities
        ]

    def _task(self, task: str, modalities: Sequence[str]) -> Iterator[JointScores]:
        paths = [self.evaluation / task / f"{model}.csv" for model in self._models(modalities)]
        rows = [self._common_rows(path) for path in paths]
        couple_of = dict(zip(_ids(rows[0]), couple_column(rows[0]), strict=True))
        ids = sorted(couple_of)
        for path, own in zip(paths, rows, strict=True):
            _check_numbers(path, own, "correct")
            check_same(path, _ids(own), paths[0], ids, "items")
        scores = np.array([by_item(_ids(own), number_column(own, "correct")) for own in rows])
        chance = float(by_item(_ids(rows[0]), 1 / num_sides(rows[0])).mean())
        yield self._joint(task, "accuracy", ids, [couple_of[name] for name in ids], scores, chance)
        decided = [dict(zip(*decide_couples(own, self.score_normalization), strict=True)) for own in rows]
        if names := sorted(set.intersection(*map(set, decided))):
            yield self._joint(task, "couples", names, names, np.array([[o[n] for n in names] for o in decided]), 0.5)

    def _common_rows(self, path: Path) -> list[Row]:
        rows = self.dropped.common_rows(path)
        if not rows:
            raise ValueError(f"{path}: holds no items that all modalities can score")
        return list(rows)

    def _joint(
        self, task: str, metric: str, ids: Sequence[str], couples: Sequence[str], scores: np.ndarray, chance: float
    ) -> JointScores:
        """From the scores of the items by each model, [S * M, N], in %."""
        sums, counts = by_couple(ids, couples, 100 * scores.T)
        return JointScores(task, metric, self._by_seed(sums), counts, int(counts.sum()), 100 * chance)

    def _by_seed(self, table: np.ndarray) -> np.ndarray:
        """[C, S * M] as [S, C, M]."""
        return np.moveaxis(table.reshape(len(table), len(self.seeds), -1), 1, 0)

    def _bits(self, modalities: Sequence[str]) -> JointScores:
        paths = [self.evaluation / "utterance_bits" / f"{model}.csv" for model in self._models(modalities)]
        rows = [read_csv(path, ["id", "seconds", "bits"]) for path in paths]
        ids = sorted(_ids(rows[0]))
        for path, own in zip(paths, rows, strict=True):
            _check_numbers(path, own, "bits", "seconds")
            check_same(path, _ids(own), paths[0], ids, "utterances")
        bits = [{row["id"]: float(row["bits"]) for row in own} for own in rows]
        table = np.array([[own[name] for own in bits] for name in ids])
        seconds = {row["id"]: float(row["seconds"]) for row in rows[0]}
        counts = np.array([seconds[name] for name in ids])
        return JointScores(DEV, "bits_per_second", self._by_seed(table), counts, len(ids), NAN)


def check_same(path: Path, ids: Sequence[str], first: Path, expected: Sequence[str], what: str) -> None:
    """Check that two files hold the same items.

    Raises:
        ValueError: names both files and an item that one of them lacks.
    """
    if unmatched := sorted(set(ids) ^ set(expected)):
        raise ValueError(
            f"{path}: holds other {what} than {first} ({len(unmatched)} are in one file only, e.g. {unmatched[0]!r});"
            f" modalities are compared on the same {what}"
        )


def add_reader_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that `reader_of` reads."""
    parser.add_argument("--evaluation", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--dropped", type=Path, required=True, help="csv of the items that are not compared")
    parser.add_argument("--tasks", nargs="*", default=[])
    parser.add_argument("--seeds", nargs="+", type=int, required=True, help="the configuration's seed first")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")


def reader_of(args: argparse.Namespace, score_normalization: str) -> Reader:
    """The reader that the command line describes."""
    return Reader(args.evaluation, Dropped.read(args.dropped), args.seeds, score_normalization)


def _check_numbers(path: Path, rows: Sequence[Row], *columns: str) -> None:
    """ValueError that names the file and the item, if a column holds something else than a number."""
    for column in columns:
        for row in rows:
            try:
                float(row[column])
            except (KeyError, ValueError):
                held = repr(row[column]) if column in row else "nothing"
                raise ValueError(f"{path}: {row['id']!r} has {held} as {column!r}, expected a number") from None


def _ids(rows: Sequence[Row]) -> list[str]:
    return [row["id"] for row in rows]
