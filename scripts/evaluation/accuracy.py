"""From scores to an accuracy with its interval; every interval of this stage is made here.

An item is won (1) if its positive side has the highest score, lost (0) if a negative one has it, and worth 1/k if k
sides share it with the positive one among them: 0.5 for a pair that ties. An item said by several voices counts once:
mean over its voices, then mean over items. Intervals are 95% percentile bootstraps over items, with one generator per
seed, so two statistics over the same items are resampled alike. Where many items take few values (an accuracy of
100,000 pairs), how often each value is drawn is a multinomial draw: the same distribution without drawing the items
one by one.
Source: the ZeroSpeech 2021 scoring (Nguyen et al. 2020) for ties and voices; Efron & Tibshirani 1993,
chapter 13, for the percentile interval; Owen 2007 (arXiv:0712.1111) for items and voices resampled together.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from scripts.common.cuts import Item, sides
from scripts.common.seeds import generator

SCORE_NORMALIZATIONS = ("total", "per_token", "per_second")
BLOCK = 2_000_000  # resampled values held at a time
MANY_DRAWS = 50_000_000  # items times samples, above which values are drawn instead of items if they are few
FEW_VALUES = 1_000


class Interval(NamedTuple):
    """A statistic, its 95% bootstrap interval and the number of items resampled."""

    value: float
    ci_low: float
    ci_high: float
    n: int


def normalise(
    logprob: np.ndarray, tokens: np.ndarray | int, seconds: np.ndarray | float, score_normalization: str
) -> np.ndarray:
    """The score that decides: the log-probability itself, or divided by its number of tokens or seconds of speech.

    Raises:
        ValueError: `score_normalization` is none of SCORE_NORMALIZATIONS.
    """
    if score_normalization not in SCORE_NORMALIZATIONS:
        known = ", ".join(SCORE_NORMALIZATIONS)
        raise ValueError(f"evaluation.score_normalization is {score_normalization!r}; it must be one of {known}")
    if score_normalization == "total":
        return logprob
    return logprob / (tokens if score_normalization == "per_token" else seconds)


def padded(values: Sequence[Sequence[Any] | np.ndarray]) -> np.ndarray:
    """Values of N items, [K_i, ...] each, as float64 [N, K, ...] with K the most; NaN where an item has fewer."""
    lengths = np.array([len(each) for each in values], dtype=np.int64)
    flat = np.array([value for each in values for value in each], dtype=np.float64)
    table = np.full((len(values), lengths.max(initial=1), *flat.shape[1:]), np.nan)
    table[np.arange(table.shape[1]) < lengths[:, None]] = flat
    return table


def decide(positive: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """What each item is worth, float64 [N, ...], given the scores of its positive side [N, ...] and of its negative
    sides [N, K, ...], as `padded` gives them: 1 where the positive one is above all of them, 1/k where k share the top
    with it among them, else 0.
    """
    above = np.all(np.isnan(negatives) | (positive[:, None] >= negatives), axis=1)
    return above / (1.0 + np.sum(positive[:, None] == negatives, axis=1))


def decide_sides(items: list[Item], scores: Mapping[str, np.ndarray | float]) -> np.ndarray:
    """`decide` for task items, given a score (or an array of scores) per cut id; float64 [P, ...]."""
    sides_ = [[scores[cut["id"]] for cut in sides(item)] for item in items]
    return decide(np.array([each[0] for each in sides_]), padded([each[1:] for each in sides_]))


def chance(items: list[Item]) -> float:
    """What a guess is worth: the mean over items, as of accuracies, of one in as many as an item has sides."""
    return float(by_item([item["id"] for item in items], np.array([1 / len(sides(item)) for item in items])).mean())


def by_item(ids: list[str], correct: np.ndarray) -> np.ndarray:
    """Mean over the rows of each id, ids in sorted order; rows [P, ...] become float64 [N, ...]."""
    _, inverse = np.unique(np.array(ids, dtype=np.str_), return_inverse=True)
    sums = np.zeros((inverse.max() + 1, *correct.shape[1:]))
    np.add.at(sums, inverse, correct)
    counts = np.bincount(inverse).reshape(-1, *[1] * (correct.ndim - 1))
    return sums / counts


def bootstrap_means(values: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """Column means of `samples` resamples, with replacement, of the rows of values [N, C]; float64 [samples, C]."""
    rng = generator(seed, "evaluation", "bootstrap")
    if len(values) * samples > MANY_DRAWS:
        distinct, counts = np.unique(values, axis=0, return_counts=True)
        if len(distinct) <= FEW_VALUES:
            return rng.multinomial(len(values), counts / len(values), size=samples) @ distinct / len(values)
    block = max(1, BLOCK // values.size)
    mean = _means_by_column if len(values) * samples > MANY_DRAWS else _means
    means = [
        mean(values, rng.integers(len(values), size=(min(block, samples - done), len(values))))
        for done in range(0, samples, block)
    ]
    return np.concatenate(means)


def _means(values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Column means [B, C] of the rows of values [N, C] that each of drawn [B, N] names."""
    return values[drawn].mean(axis=1)


def _means_by_column(values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """`_means` but for the rounding of sums, several times faster: one column at a time, constant ones not at all."""
    columns = [
        np.full(len(drawn), column[0]) if (column == column[0]).all() else column.take(drawn).mean(axis=1)
        for column in np.ascontiguousarray(values.T)
    ]
    return np.stack(columns, axis=1)


def percentiles(resampled: np.ndarray) -> tuple[float, float]:
    """The 2.5% and 97.5% quantiles of a resampled statistic [B]."""
    low, high = np.quantile(resampled, [0.025, 0.975])
    return float(low), float(high)


def interval(values: np.ndarray, samples: int, seed: int, weights: np.ndarray | None = None) -> Interval:
    """Mean of values [N], or the ratio sum(values) / sum(weights), with its interval over the N items.

    Raises:
        ValueError: there is no item.
    """
    if len(values) == 0:
        raise ValueError("there are no items to average; an interval needs at least one")
    weights = np.ones(len(values)) if weights is None else weights
    means = bootstrap_means(np.stack([values, weights], axis=1), samples, seed)
    means = means[means[:, 1] > 0]  # a resample without any weight has no ratio
    low, high = percentiles(means[:, 0] / means[:, 1])
    return Interval(float(values.sum() / weights.sum()), low, high, len(values))


def voices_interval(ids: list[str], voices: list[str], correct: np.ndarray, samples: int, seed: int) -> Interval:
    """Mean over items of their mean over voices, with an interval over items and voices, both resampled.

    It asks how far the accuracy would move with other items said by other voices; few voices make it wide. An item
    none of whose voices is drawn stands out of that resample.

    Args:
        ids: item of each row.
        voices: voice of each row; at least two different ones.
        correct: [rows].
        samples: resamples.
        seed: of the resamples.
    """
    _, item = np.unique(np.array(ids, dtype=np.str_), return_inverse=True)
    names, voice = np.unique(np.array(voices, dtype=np.str_), return_inverse=True)
    counts = np.zeros((item.max() + 1, len(names)))  # [N, V]
    won = np.zeros_like(counts)
    np.add.at(counts, (item, voice), 1.0)
    np.add.at(won, (item, voice), correct)
    rng = generator(seed, "evaluation", "bootstrap", "voices")
    means: list[float] = []
    while len(means) < samples:
        drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))  # how often each voice, [V]
        weights = counts @ drawn
        times = np.bincount(rng.integers(len(counts), size=len(counts)), minlength=len(counts)) * (weights > 0)
        if times.any():
            means.append(float((times * (won @ drawn) / np.maximum(weights, 1)).sum() / times.sum()))
    low, high = percentiles(np.array(means))
    return Interval(float(by_item(ids, correct).mean()), low, high, len(counts))
