"""Confidence of an alignment: its log-likelihood minus that of the best Gaussian of every frame.

The log-likelihood per frame alone depends more on the recording than on the transcript: on AN4 the median of wrong
transcripts is -101 per frame, and correct ones range from -103 to -88. The difference to the best Gaussian of any
phone, frame by frame, separates them. scripts/alignment/calibration.py says which difference is too large.
"""

import numpy as np

from scripts.alignment.decoding_graph import Segment
from scripts.alignment.model import Gaussians

BLOCK = 256  # frames scored at a time, so that the scores of a thousand Gaussians stay in the cache


def mean_score(phones: list[Segment]) -> float:
    """Log-likelihood per frame of a sequence of phones."""
    if len(phones) == 1:  # most calls; np.average is slow for a single value
        return phones[0].score
    return float(np.average([p.score for p in phones], weights=[p.end - p.start for p in phones]))


class LikelihoodBound:
    """Upper bound of the log-likelihood of any alignment: every frame is scored by its best Gaussian.

    Args:
        mixtures: the acoustic model's Gaussians.
    """

    def __init__(self, mixtures: Gaussians):
        weights, inverse, means = (np.concatenate(part) for part in zip(*mixtures, strict=True))
        constant = np.log(weights) + 0.5 * np.sum(np.log(inverse / (2 * np.pi)) - means**2 / inverse, axis=1)
        self.weights = np.column_stack([means, -0.5 * inverse, constant]).T.astype(np.float32)  # [2 D + 1, G]

    def __call__(self, features: np.ndarray) -> float:
        """Mean over frames of the best Gaussian's log-likelihood, for features [T, D]."""
        return float(self.frames(features).mean())

    def frames(self, features: np.ndarray) -> np.ndarray:
        """The best Gaussian's log-likelihood of each frame, float32 [T], for features [T, D]."""
        terms = np.column_stack([features, features**2, np.ones(len(features), np.float32)])  # [T, 2 D + 1]
        best = [(terms[t : t + BLOCK] @ self.weights).max(axis=1) for t in range(0, len(terms), BLOCK)]
        return np.concatenate(best)
