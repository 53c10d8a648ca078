"""Is a difference between two models on the same items more than chance? A paired test, and a correction for many.

The test is a randomisation test: if both models were the same, each item's difference could as well have had the
other sign. The p-value is the share of random sign flips whose sum is at least as far from zero as the one found
(Fisher 1935; Noreen 1989, chapter 2), two-sided, with the found one counted in, so it is never 0. Only the sizes
of the differences matter, and those are few (an item is won, lost or tied by a few voices): the flips of equal
sizes are one binomial draw. With one voice and no tie this is McNemar's test.

Holm's step-down procedure (Holm 1979) keeps the chance of one or more false differences in a family of tests
under the level at which the corrected values are read.
"""

from collections.abc import Sequence

import numpy as np

DRAWS = 100_000  # random sign flips; p-values come in steps of 1e-5
ROUNDING = 1e-9  # sums closer than this are equal


def sign_flip(differences: np.ndarray, rng: np.random.Generator, draws: int = DRAWS) -> float:
    """Two-sided p-value that the differences [N] have a mean of zero by symmetry; 1 where all are zero."""
    sizes, counts = np.unique(np.abs(differences[differences != 0]), return_counts=True)
    sums = np.zeros(draws)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        sums += size * (2 * rng.binomial(count, 0.5, draws) - count)
    reached = np.abs(sums) >= abs(float(differences.sum())) - ROUNDING
    return float((reached.sum() + 1) / (draws + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values corrected for their number, in the order given; at most 1."""
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = highest
    return corrected
