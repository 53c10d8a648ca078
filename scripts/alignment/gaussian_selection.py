"""The best Gaussian of each frame among many, searched in the clusters that are nearest to the frame.

The Gaussians are clustered by their means (k-means, in units of their mean standard deviation), and each cluster is
described by one Gaussian with the mean and the variance of its members together. A frame evaluates these first, and
then the members of its NEAREST best clusters alone. What it finds is at most the best of all Gaussians. Source of the
method: Bocchieri, Vector quantization for the efficient computation of continuous density likelihoods, ICASSP 1993.
"""

import numpy as np

NEAREST = 4  # clusters whose members a frame evaluates; docs/alignment.md has the error
PASSES = 8  # of k-means
BLOCK = 4096  # frames at a time: 1.3 MB of terms for each of the nearest clusters


def cluster(points: np.ndarray, clusters: int) -> np.ndarray:
    """k-means: the cluster of each point, int [G], for float32 [G, D]; some clusters may stay empty.

    The first centres are points at equal distances in the list, where the Gaussians of a state stand side by side.
    """
    centres = points[np.linspace(0, len(points) - 1, clusters).round().astype(int)]
    for _ in range(PASSES):
        nearest = np.argmax(points @ (2 * centres).T - np.sum(centres**2, axis=1), axis=1)
        sizes = np.maximum(np.bincount(nearest, minlength=clusters), 1)
        sums = [np.bincount(nearest, column, minlength=clusters) for column in points.T]
        centres = (np.stack(sums, axis=1) / sizes[:, None]).astype(np.float32)
    return nearest


class GaussianSelection:
    """Evaluates the Gaussians of the clusters nearest to each frame.

    Args:
        table: coefficients of the Gaussians' log-likelihoods over (x, x^2, 1), float32 [2 D + 1, G]: mean / variance,
            -1 / (2 variance), constant. There are sqrt(G) clusters.
        nearest: clusters that a frame evaluates.
    """

    def __init__(self, table: np.ndarray, nearest: int = NEAREST):
        dimensions, clusters = len(table) // 2, round(table.shape[1] ** 0.5)
        variances = -0.5 / table[dimensions:-1].T.astype(np.float64)  # [G, D]
        means = table[:dimensions].T * variances
        index = cluster((means / np.sqrt(variances.mean(axis=0))).astype(np.float32), clusters)
        groups = [np.flatnonzero(index == k) for k in np.unique(index)]
        centres = np.stack([means[group].mean(axis=0) for group in groups])
        second = np.stack([(variances[group] + means[group] ** 2).mean(axis=0) for group in groups])
        spread = second - centres**2
        constant = -0.5 * np.sum(np.log(spread) + centres**2 / spread, axis=1)  # without what all have in common
        self.centres = np.column_stack([centres / spread, -0.5 / spread, constant]).T.astype(np.float32)
        self.members = [np.ascontiguousarray(table[:, group]) for group in groups]
        self.nearest = min(nearest, len(groups))

    def best(self, terms: np.ndarray) -> np.ndarray:
        """The highest log-likelihood found for each frame, float32 [T], for (x, x^2, 1), float32 [T, 2 D + 1]."""
        return np.concatenate([self._block(terms[t : t + BLOCK]) for t in range(0, len(terms), BLOCK)])

    def _block(self, terms: np.ndarray) -> np.ndarray:
        chosen = np.argpartition(terms @ self.centres, -self.nearest, axis=1)[:, -self.nearest :]  # [T, nearest]
        order = np.argsort(chosen, axis=None, kind="stable")  # by cluster: one matrix product for each
        rows = terms[order // self.nearest]
        ends = np.cumsum(np.bincount(chosen.ravel(), minlength=len(self.members))).tolist()
        highest = np.empty(len(order), np.float32)
        for begin, end, table in zip([0, *ends], ends, self.members, strict=False):
            if end > begin:
                highest[begin:end] = (rows[begin:end] @ table).max(axis=1)
        found = np.empty_like(highest)
        found[order] = highest
        return found.reshape(chosen.shape).max(axis=1)
