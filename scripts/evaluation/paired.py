"""Two systems on the same items, compared by couple: changes, their intervals, tests, and what could be detected.

All statistics are of sums per couple, so that what is bound together is resampled (accuracy.py) and flipped
(significance.py) together. The standard error is the cluster-robust one of a ratio of sums (Field & Welsh 2007). The
smallest effect that would be found in a two-sided test at 5% with power 80% is (1.96 + 0.84) standard errors (Cohen
1988, chapter 1). Equivalence is shown by two one-sided tests against a margin (Schuirmann 1987), with the normal
distribution: both the hypothesis of a change below -margin and that of one above +margin are refuted.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from scripts.evaluation.accuracy import bootstrap_means, by_couple, percentiles
from scripts.evaluation.significance import sign_flip

NORMAL = NormalDist()
DETECTABLE_ERRORS = NORMAL.inv_cdf(1 - 0.05 / 2) + NORMAL.inv_cdf(0.8)  # two-sided 5%, power 80%: 2.80
EFFECT = 0.10  # a change of accuracy by 10 points: what a measurable cell must be able to show
MARGIN = 0.10  # two accuracies are equivalent if they differ by less

BASELINE_AT_CHANCE = "the baseline is not above chance"

NAN = float("nan")


class Estimate(NamedTuple):
    """A statistic and its 95% bootstrap interval."""

    value: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True)
class Paired:
    """Sums over the items of each couple of two systems' scores, float64 [C] each, couples in one order.

    Attributes:
        base, new: sums of the scores.
        chance: sums of the expected scores of random decisions.
        counts: numbers of items.
    """

    base: np.ndarray
    new: np.ndarray
    chance: np.ndarray
    counts: np.ndarray

    @classmethod
    def of_items(
        cls, ids: Sequence[str], couples: Sequence[str], base: np.ndarray, new: np.ndarray, chance: np.ndarray
    ) -> "Paired":
        """From the item and couple of each row, and the rows' scores [rows] by either system and by chance."""
        sums, counts = by_couple(ids, couples, np.stack([base, new, chance], axis=1))
        return cls(base=sums[:, 0], new=sums[:, 1], chance=sums[:, 2], counts=counts)

    @property
    def n(self) -> int:
        """Number of items."""
        return int(self.counts.sum())

    @property
    def differences(self) -> np.ndarray:
        """Sums of new - base, float64 [C]."""
        return self.new - self.base


class Changes(NamedTuple):
    """The change from one system to another.

    Attributes:
        percent: 100 (new / base - 1); NaN if the baseline scores 0.
        points: 100 (new - base).
        above_chance: (new - chance) / (base - chance), the share that is left of what the baseline has above chance;
            NaN if the baseline is at chance.
        base: the baseline's accuracy above chance, in points.
    """

    percent: Estimate
    points: Estimate
    above_chance: Estimate
    base: Estimate


def changes(paired: Paired, samples: int, seed: int) -> Changes:
    """The changes with intervals over resamples of couples, the same ones for all four."""
    table = np.stack([paired.base, paired.new, paired.chance, paired.counts], axis=1)
    resampled = bootstrap_means(table, samples, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        found, spread = _statistics(table.mean(axis=0)[None]), _statistics(resampled)
    return Changes(*(Estimate(float(value[0]), *_bounds(values)) for value, values in zip(found, spread, strict=True)))


def _statistics(means: np.ndarray) -> tuple[np.ndarray, ...]:
    """percent, points, above_chance and base of means [B, 4] over couples of base, new, chance and count."""
    base, new, chance = (means[:, :3] / means[:, 3:]).T
    percent = np.where(base > 0, 100 * (new / base - 1), NAN)
    above = np.where(base != chance, (new - chance) / (base - chance), NAN)
    return percent, 100 * (new - base), above, 100 * (base - chance)


def _bounds(values: np.ndarray) -> tuple[float, float]:
    return percentiles(values) if np.isfinite(values).all() else (NAN, NAN)


def standard_error(sums: np.ndarray, counts: np.ndarray) -> float:
    """Standard error of sum(sums) / sum(counts) over couples, [C] each; NaN for fewer than two couples."""
    if len(sums) < 2:
        return NAN
    residuals = sums - counts * (sums.sum() / counts.sum())
    return math.sqrt(len(sums) / (len(sums) - 1) * float((residuals**2).sum())) / float(counts.sum())


def smallest_effect(paired: Paired) -> float:
    """The smallest change of accuracy, in points, that a two-sided test at 5% finds with power 80%."""
    return 100 * DETECTABLE_ERRORS * standard_error(paired.differences, paired.counts)


def difference_test(paired: Paired, rng: np.random.Generator) -> float:
    """Two-sided p-value of no difference, by random sign flips of the couples' differences."""
    return sign_flip(paired.differences, rng)


def equivalence_test(paired: Paired, margin: float = MARGIN) -> float:
    """p-value of the hypothesis that the two accuracies differ by at least `margin`; 1 if it cannot be computed."""
    difference = float(paired.differences.sum()) / paired.n
    return equivalence(difference, standard_error(paired.differences, paired.counts), margin)


def equivalence(difference: float, error: float, margin: float) -> float:
    """p-value of two one-sided tests of a difference, given its standard error; 1 if that is NaN."""
    if math.isnan(error):
        return 1.0
    if error == 0:
        return float(abs(difference) >= margin)
    return NORMAL.cdf((abs(difference) - margin) / error)


def not_measurable(base: Estimate, smallest: float) -> str:
    """Why a cell cannot show a change of EFFECT; empty if it can.

    Args:
        base: the baseline's accuracy above chance, in points.
        smallest: the result of `smallest_effect`.
    """
    if not base.ci_low > 0:
        return BASELINE_AT_CHANCE
    if not smallest <= 100 * EFFECT:
        return f"the smallest detectable effect exceeds {100 * EFFECT:.0f} points"
    return ""
