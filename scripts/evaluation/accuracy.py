"""From scores to an accuracy with its interval; every interval of this stage is made here.

A pair is won (1) if its positive side has the higher score, lost (0) otherwise, and 0.5 on a tie.
An item said by several voices counts once: mean over its voices, then mean over items. Intervals are
95% percentile bootstraps over items, with one generator per seed, so two statistics over the same
items are resampled alike.
Source: the ZeroSpeech 2021 scoring (Nguyen et al. 2020) for ties and voices; Efron & Tibshirani 1993,
chapter 13, for the percentile interval.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from scripts.common.cuts import Item
from scripts.common.seeds import generator

DECIDE_BY = ("total", "per_token")
BLOCK = 2_000_000  # resampled values held at a time


class Interval(NamedTuple):
    """A statistic, its 95% bootstrap interval and the number of items resampled."""

    value: float
    ci_low: float
    ci_high: float
    n: int


def normalise(logprob: np.ndarray, tokens: np.ndarray | int, decide_by: str) -> np.ndarray:
    """The score that decides: the log-probability itself, or divided by its number of tokens.

    Raises:
        ValueError: `decide_by` is neither "total" nor "per_token".
    """
    if decide_by not in DECIDE_BY:
        raise ValueError(f"evaluation.decide_by is {decide_by!r}; it must be one of {', '.join(DECIDE_BY)}")
    return logprob / tokens if decide_by == "per_token" else logprob


def decide(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """1 where the positive side scores higher, 0.5 where both score the same, else 0; float64, same shape."""
    return (positive > negative) + 0.5 * (positive == negative)


def decide_sides(items: list[Item], scores: Mapping[str, np.ndarray | float]) -> np.ndarray:
    """`decide` for task items, given a score (or an array of scores) per cut id; float64 [P, ...]."""
    sides = (np.array([scores[item[side]["id"]] for item in items]) for side in ("positive", "negative"))
    return decide(*sides)


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
    block = max(1, BLOCK // values.size)
    means = [
        values[rng.integers(len(values), size=(min(block, samples - done), len(values)))].mean(axis=1)
        for done in range(0, samples, block)
    ]
    return np.concatenate(means)


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
    low, high = percentiles(means[:, 0] / means[:, 1])
    return Interval(float(values.sum() / weights.sum()), low, high, len(values))
