"""Share items of different sizes evenly: utterances among rows, parameters among ranks."""

import heapq

import numpy as np


def partition(sizes: np.ndarray, num_ranks: int) -> np.ndarray:
    """Assign items to ranks so that the sums of their sizes are nearly equal: longest processing time first.

    Each item, the largest first, goes to the rank with the smallest sum so far (Graham, 1969).

    Args:
        sizes: int64 [S].
        num_ranks: number of ranks, or of any other bins.

    Returns:
        int64 [S], the rank of each item.
    """
    sums = [(0, rank) for rank in range(num_ranks)]  # a heap; of equal sums the lower rank comes first
    owners = np.zeros(len(sizes), dtype=np.int64)
    for item in np.argsort(-np.asarray(sizes), kind="stable"):
        total, rank = sums[0]
        owners[item] = rank
        heapq.heapreplace(sums, (total + int(sizes[item]), rank))
    return owners
