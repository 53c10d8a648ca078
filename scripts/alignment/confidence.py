"""Confidence of an alignment: its log-likelihood minus that of the best Gaussian of every frame.

The log-likelihood per frame alone depends more on the recording than on the transcript: on AN4 the median of wrong
transcripts is -101 per frame, and correct ones range from -103 to -88. The difference to the best Gaussian of any
phone, frame by frame, separates them. scripts/alignment/calibration.py says which difference is too large.
"""

import numpy as np

from scripts.alignment.decoding_graph import Segment
from scripts.alignment.gaussian_selection import GaussianSelection
from scripts.alignment.model import Gaussians

BLOCK = 256  # frames scored at a time, so that the scores of a thousand Gaussians stay in the cache
EVERY = 4000  # Gaussians up to which evaluating all takes less time than the rest of the alignment
MISSED, SPREAD = 0.5, 8.0  # twice what preselection misses per frame, and six times its standard deviation


def mean_score(phones: list[Segment]) -> float:
    """Log-likelihood per frame of a sequence of phones."""
    if len(phones) == 1:  # most calls; np.average is slow for a single value
        return phones[0].score
    return float(np.average([p.score for p in phones], weights=[p.end - p.start for p in phones]))


class LikelihoodBound:
    """Upper bound of the log-likelihood of any alignment: every frame is scored by its best Gaussian.

    With tens of thousands of Gaussians, evaluating all takes most of the time of an alignment, and whether a bound is
    below a limit is all that a decision needs. A model with more than `most` Gaussians therefore evaluates a few per
    frame first (gaussian_selection.py), which gives at most the bound, and all of them only where that is not below the
    limit by `margin`.

    Args:
        mixtures: the acoustic model's Gaussians.
        most: Gaussians up to which every frame evaluates all of them.
    """

    def __init__(self, mixtures: Gaussians, most: int = EVERY):
        weights, inverse, means = (np.concatenate(part) for part in zip(*mixtures, strict=True))
        constant = np.log(weights) + 0.5 * np.sum(np.log(inverse / (2 * np.pi)) - means**2 / inverse, axis=1)
        self.weights = np.column_stack([means, -0.5 * inverse, constant]).T.astype(np.float32)  # [2 D + 1, G]
        self.selection = GaussianSelection(self.weights) if len(weights) > most else None

    def __call__(self, features: np.ndarray, limit: float = -np.inf) -> float:
        """Mean over frames of the best Gaussian's log-likelihood, for features [T, D].

        If the Gaussians near to each frame show that it is below `limit`, their mean is returned, which is lower.
        """
        terms = affine_terms(features)
        if self.selection and (near := float(self.selection.best(terms).mean())) < limit - margin(len(features)):
            return near
        return float(self._best(terms).mean())

    def frames(self, features: np.ndarray) -> np.ndarray:
        """The best Gaussian's log-likelihood of each frame, float32 [T], for features [T, D]."""
        return self._best(affine_terms(features))

    def _best(self, terms: np.ndarray) -> np.ndarray:
        best = [(terms[t : t + BLOCK] @ self.weights).max(axis=1) for t in range(0, len(terms), BLOCK)]
        return np.concatenate(best)


def margin(frames: int) -> float:
    """What preselection misses at most, per frame, in a mean over so many frames (measured in docs/alignment.md)."""
    return MISSED + SPREAD / frames**0.5


def affine_terms(features: np.ndarray) -> np.ndarray:
    """(x, x^2, 1) of each frame, [T, 2 D + 1]: a Gaussian's log-likelihood is linear in it."""
    return np.column_stack([features, features**2, np.ones(len(features), np.float32)])
