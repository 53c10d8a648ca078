"""From scores to an accuracy with its interval; all intervals of this stage are computed here.

An item scores 1 if its positive side has the highest score, 0 if a negative side has it, and 1/k if k sides, the
positive one among them, share it: 0.5 for a tie of a pair. An item spoken by several voices counts once: mean over its
voices, then mean over items.

Intervals are 95% percentile bootstraps over couples: the items of a couple (mirrored pairs) are drawn together, since
what helps one of them often harms the other. An item without a couple is a couple of its own. One seed gives one set of
resamples, so two statistics over the same items have the same ones. If many couples take few values (an accuracy of
100,000 pairs), the counts of the values are drawn from a multinomial: the same distribution without drawing the couples
one by one.

Source: the ZeroSpeech 2021 scoring (Nguyen et al. 2020) for ties and voices; Efron & Tibshirani 1993, chapter 13, for
the percentile interval; Field & Welsh 2007 (J. R. Statist. Soc. B 69, 369-390) for the cluster bootstrap; Owen 2007
(arXiv:0712.1111) for couples resampled together with voices or draws.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from scripts.common.cuts import Item, sides
from scripts.common.seeds import generator

SCORE_NORMALIZATIONS = ("total", "per_token", "per_second")
WITHOUT_EOS = "_no_eos"  # behind the name of a normalization: the log-probability of EOS, and its token, are left out
ALL_NORMALIZATIONS = tuple(f"{name}{ending}" for ending in ("", WITHOUT_EOS) for name in SCORE_NORMALIZATIONS)
BLOCK = 2_000_000  # resampled values in memory at a time
MANY_DRAWS = 50_000_000  # items times samples, above which counts of values are drawn instead of items
FEW_VALUES = 1_000


class Interval(NamedTuple):
    """A statistic, its 95% bootstrap interval and the number of items (or utterances) that it is over."""

    value: float
    ci_low: float
    ci_high: float
    n: int


def normalise(
    logprob: np.ndarray, tokens: np.ndarray | int, seconds: np.ndarray | float, score_normalization: str
) -> np.ndarray:
    """The normalized score: the log-probability itself, or divided by its number of tokens or seconds of speech.

    Raises:
        ValueError: `score_normalization` is not in SCORE_NORMALIZATIONS.
    """
    if score_normalization not in SCORE_NORMALIZATIONS:
        known = ", ".join(SCORE_NORMALIZATIONS)
        raise ValueError(f"evaluation.score_normalization is {score_normalization!r}; it must be one of {known}")
    if score_normalization == "total":
        return logprob
    return logprob / (tokens if score_normalization == "per_token" else seconds)


def pad_sides(values: Sequence[Sequence[Any] | np.ndarray]) -> np.ndarray:
    """Values of N items, [K_i, ...] each, as float64 [N, K, ...], padded with NaN to the largest K."""
    lengths = np.array([len(each) for each in values], dtype=np.int64)
    flat = np.array([value for each in values for value in each], dtype=np.float64)
    table = np.full((len(values), lengths.max(initial=1), *flat.shape[1:]), np.nan)
    table[np.arange(table.shape[1]) < lengths[:, None]] = flat
    return table


def decide(positive: np.ndarray, negatives: np.ndarray) -> np.ndarray:
    """Score of each item, float64 [N, ...], given the scores of its positive side [N, ...] and of its negative sides
    [N, K, ...] from `pad_sides`: 1 if the positive side is the highest, 1/k if k sides share the highest score with it
    among them, else 0.
    """
    above = np.all(np.isnan(negatives) | (positive[:, None] >= negatives), axis=1)
    return above / (1.0 + np.sum(positive[:, None] == negatives, axis=1))


def decide_sides(items: list[Item], scores: Mapping[str, np.ndarray | float]) -> np.ndarray:
    """`decide` for task items, given a score (or an array of scores) per cut id; float64 [P, ...]."""
    side_scores = [[scores[cut["id"]] for cut in sides(item)] for item in items]
    return decide(np.array([row[0] for row in side_scores]), pad_sides([row[1:] for row in side_scores]))


def chance(items: list[Item]) -> float:
    """Expected accuracy of random decisions: the mean over items of 1/k for an item with k sides."""
    return float(by_item([item["id"] for item in items], np.array([1 / len(sides(item)) for item in items])).mean())


def by_item(ids: list[str], correct: np.ndarray) -> np.ndarray:
    """Mean over the rows of each id, ids in sorted order; rows [P, ...] become float64 [N, ...]."""
    _, inverse = np.unique(np.array(ids, dtype=np.str_), return_inverse=True)
    sums = np.zeros((inverse.max() + 1, *correct.shape[1:]))
    np.add.at(sums, inverse, correct)
    counts = np.bincount(inverse).reshape(-1, *[1] * (correct.ndim - 1))
    return sums / counts


def by_couple(ids: Sequence[str], couples: Sequence[str], correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the items of each couple of their mean over rows, and numbers of items; couples in sorted order.

    Args:
        ids: item of each row.
        couples: couple of each row.
        correct: [rows, ...].

    Returns:
        (sums float64 [C, ...], counts float64 [C]).

    Raises:
        ValueError: an item belongs to two couples.
    """
    names, first, inverse = np.unique(np.array(ids, dtype=np.str_), return_index=True, return_inverse=True)
    named = np.array(couples, dtype=np.str_)
    if (mixed := np.flatnonzero(named != named[first][inverse])).size:
        raise ValueError(f"item {ids[mixed[0]]!r} belongs to two couples; an item belongs to one")
    return by_group(named[first], by_item(list(ids), correct)) if len(names) else (correct, np.zeros(0))


def by_group(groups: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of values [N, ...] and number of them for each group of `groups` [N], groups in sorted order."""
    _, group = np.unique(groups, return_inverse=True)
    sums = np.zeros((group.max(initial=-1) + 1, *values.shape[1:]))
    np.add.at(sums, group, values)
    return sums, np.bincount(group).astype(np.float64)


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
    """Column means [B, C] of the rows of values [N, C] indexed by each row of drawn [B, N]."""
    return values[drawn].mean(axis=1)


def _means_by_column(values: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """`_means` up to rounding, several times faster: one column at a time, constant columns without resampling."""
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
    means = means[means[:, 1] > 0]  # a resample of weight zero has no ratio
    low, high = percentiles(means[:, 0] / means[:, 1])
    return Interval(float(values.sum() / weights.sum()), low, high, len(values))


def item_interval(ids: Sequence[str], couples: Sequence[str], correct: np.ndarray, samples: int, seed: int) -> Interval:
    """Mean over items of their mean over rows, with its interval over couples; `n` counts the items.

    Args:
        ids: item of each row.
        couples: couple of each row.
        correct: [rows].
        samples: resamples of the couples.
        seed: of the resamples.
    """
    sums, counts = by_couple(ids, couples, correct)
    return interval(sums, samples, seed, counts)._replace(n=int(counts.sum()))


def crossed_interval(
    ids: Sequence[str], couples: Sequence[str], levels: Sequence[str], correct: np.ndarray, samples: int, seed: int
) -> Interval:
    """Mean over items of their mean over levels, with an interval over resamples of couples and of levels.

    A level is a voice, or a draw of random weights. The interval covers the choice of items and of levels; it is wide
    if there are few levels. An item of which no level is drawn is left out of that resample.

    Args:
        ids: item of each row.
        couples: couple of each row.
        levels: level of each row.
        correct: [rows].
        samples: resamples.
        seed: of the resamples.
    """
    _, first, item = np.unique(np.array(ids, dtype=np.str_), return_index=True, return_inverse=True)
    _, couple = np.unique(np.array(couples, dtype=np.str_)[first], return_inverse=True)  # of each item, [N]
    names, level = np.unique(np.array(levels, dtype=np.str_), return_inverse=True)
    counts = np.zeros((len(first), len(names)))  # [N, L]
    won = np.zeros_like(counts)
    np.add.at(counts, (item, level), 1.0)
    np.add.at(won, (item, level), correct)
    num_couples = int(couple.max()) + 1
    rng = generator(seed, "evaluation", "bootstrap", "levels")
    means: list[float] = []
    while len(means) < samples:
        drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))  # count of each level, [L]
        weights = counts @ drawn
        times = np.bincount(rng.integers(num_couples, size=num_couples), minlength=num_couples)[couple] * (weights > 0)
        if times.any():
            means.append(float((times * (won @ drawn) / np.maximum(weights, 1)).sum() / times.sum()))
    low, high = percentiles(np.array(means))
    return Interval(float(by_item(list(ids), correct).mean()), low, high, len(counts))
