"""A paired significance test of two models on the same items, and a correction for multiple tests.

The test is a paired randomisation test: under the null hypothesis the sign of each item's difference is random. The
p-value is the share of random sign flips whose sum is at least as far from zero as the observed one (Fisher 1935;
Noreen 1989, chapter 2), two-sided, with the observed one included, so it is never 0. The differences take few absolute
values (mean decisions over a few voices), so the flips of equal values are drawn as one binomial. With one voice and no
tie this is McNemar's test.

Holm's step-down procedure (Holm 1979) bounds the family-wise error rate of the corrected p-values.
"""

from collections.abc import Sequence

import numpy as np

DRAWS = 100_000  # random sign flips; p-values come in steps of 1e-5
ROUNDING = 1e-9  # tolerance for equal sums


def sign_flip(differences: np.ndarray, rng: np.random.Generator, draws: int = DRAWS) -> float:
    """Two-sided p-value of the null hypothesis that the differences [N] are symmetric about zero; 1 if all are zero."""
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    sums = np.zeros(draws)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        sums += size * (2 * rng.binomial(count, 0.5, draws) - count)
    at_least_as_far = np.abs(sums) >= abs(float(differences.sum())) - ROUNDING
    return float((at_least_as_far.sum() + 1) / (draws + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected by Holm's procedure, in the given order; at most 1."""
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        corrected[index] = highest
    return corrected
