"""Select one negative side per pair so that length alone does not show which side is right.

A sum of log-probabilities favours the shorter side. If as many positives are longer as are shorter, in every voice and
every unit of length, that preference has an accuracy of 50%.
"""

from collections.abc import Sequence

import numpy as np


def select_candidates(differences: Sequence[np.ndarray]) -> list[int]:
    """Select a candidate per pair.

    The nearest in length is taken first; then picks are exchanged, cheapest first, as long as that brings the
    numbers of longer and shorter positives nearer to each other, summed over columns. Deterministic.

    Args:
        differences: per pair int [candidates, columns], length of the positive minus length of the candidate;
            0 in a column that the pair has no part in.

    Returns:
        The index of the selected candidate of each pair.
    """
    if not differences:
        return []
    pair = np.repeat(np.arange(len(differences)), [len(options) for options in differences])  # [M]
    first = np.searchsorted(pair, np.arange(len(differences)))  # [P] each pair's first row
    flat = np.concatenate([np.asarray(options) for options in differences])  # [M, C]
    signs, costs = np.sign(flat), np.abs(flat).sum(axis=1)

    current = np.array([first[p] + np.argmin(costs[pair == p]) for p in range(len(differences))])  # [P] rows
    while True:
        balance = signs[current].sum(axis=0)  # [C]
        imbalance = np.abs(balance + signs - signs[current[pair]]).sum(axis=1)  # [M] after taking each row
        extra = costs - costs[current[pair]]
        best = np.lexsort((np.arange(len(flat)), extra, imbalance))[0]
        if imbalance[best] >= np.abs(balance).sum():
            return [int(row - first[p]) for p, row in enumerate(current)]
        current[pair[best]] = best


def shorter_side_accuracy(differences: Sequence[int] | np.ndarray) -> float:
    """Accuracy of deciding for the shorter side; a tie counts a half."""
    signs = np.sign(np.asarray(differences))
    return float(np.mean(signs < 0) + np.mean(signs == 0) / 2)
