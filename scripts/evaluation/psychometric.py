"""Psychometric functions: accuracy as a function of a stimulus level, fitted by binomial likelihood.

The accuracy at level x is floor + (1 - floor - lapse) * logistic(slope * (x - midpoint)). `floor` is chance. `lapse` is
the share of items that are missed at any level; a ceiling at 1 would bias midpoint and slope (Wichmann & Hill 2001,
Perception & Psychophysics 63, 1293-1313). Counts may be fractions (a mean over voices), which makes the likelihood a
quasi-likelihood with the same maximum. The maximum is searched on a grid that is halved around the best point, for all
resamples at once, so it does not depend on a starting point and does not diverge where a curve is a step or a constant.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

MIDPOINTS, SLOPES, LAPSES = 81, 17, 5  # points of the first grid of a rising curve
LINE_POINTS = 65  # points of either axis of the first grid of a line
LARGEST_LAPSE = 0.2
HALVINGS = 6  # of the grid's steps around the best point
CLIP = 1e-6  # distance of a predicted accuracy from 0 and 1
BLOCK = 4_000_000  # log-likelihoods in memory at a time


class Fit(NamedTuple):
    """Parameters of B rising curves, [B] each."""

    midpoint: np.ndarray
    slope: np.ndarray
    lapse: np.ndarray


class LogitLine(NamedTuple):
    """B curves floor + (1 - floor) * logistic(height + slope * (x - centre)), which may rise or fall.

    Attributes:
        centre: mean of the levels, the middle of the curve.
        height, slope: [B].
    """

    centre: float
    height: np.ndarray
    slope: np.ndarray

    def accuracy(self, x: np.ndarray, floor: float) -> np.ndarray:
        """Accuracy of each curve at x [L], float64 [B, L]."""
        return floor + (1 - floor) * logistic(self.height[:, None] + self.slope[:, None] * (x - self.centre))

    def slope_at_middle(self, floor: float) -> np.ndarray:
        """Gain of accuracy per unit of x at the centre, float64 [B]."""
        share = logistic(self.height)
        return (1 - floor) * self.slope * share * (1 - share)


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def accuracy(x: np.ndarray, fit: Fit, floor: float) -> np.ndarray:
    """Accuracy of each curve at the levels x [L], float64 [B, L]."""
    midpoint, slope, lapse = (values[:, None] for values in fit)
    return floor + (1 - floor - lapse) * logistic(slope * (x - midpoint))


def threshold(fit: Fit, floor: float, criterion: float) -> np.ndarray:
    """The level at which each rising curve reaches `criterion`, float64 [B]; inf where its ceiling is not above it."""
    share = (criterion - floor) / (1 - floor - fit.lapse)
    reached = share < 1
    share = np.where(reached, share, 0.5)
    return np.where(reached, fit.midpoint + np.log(share / (1 - share)) / fit.slope, np.inf)


def fit_rising(x: np.ndarray, right: np.ndarray, count: np.ndarray, floor: float) -> Fit:
    """The rising curves with a lapse that fit best.

    Args:
        x: levels in increasing order, such as log2 of a number of exposures, [L]; at least two different ones.
        right: items that are right at each level, [B, L].
        count: items at each level, [B, L].
        floor: accuracy by chance.
    """
    span = float(x[-1] - x[0])
    axes = [
        np.linspace(x[0] - 2 * span, x[-1] + 2 * span, MIDPOINTS),
        np.linspace(np.log(0.4 / span), np.log(40 / span), SLOPES),
        np.linspace(0, LARGEST_LAPSE, LAPSES),
    ]

    def predict(points: np.ndarray) -> np.ndarray:
        midpoint, log_slope, lapse = (points[..., i, None] for i in range(3))
        return floor + (1 - floor - lapse) * logistic(np.exp(log_slope) * (x - midpoint))

    best = _maximise(predict, axes, right, count)
    return Fit(best[:, 0], np.exp(best[:, 1]), best[:, 2])


def fit_line(x: np.ndarray, right: np.ndarray, count: np.ndarray, floor: float) -> LogitLine:
    """The curves without a lapse that fit best, rising or falling; arguments as in `fit_rising`."""
    centre = float(x.mean())
    half = float(np.abs(x - centre).max())
    axes = [np.linspace(-8, 8, LINE_POINTS), np.linspace(-8 / half, 8 / half, LINE_POINTS)]

    def predict(points: np.ndarray) -> np.ndarray:
        height, slope = (points[..., i, None] for i in range(2))
        return floor + (1 - floor) * logistic(height + slope * (x - centre))

    best = _maximise(predict, axes, right, count)
    return LogitLine(centre, best[:, 0], best[:, 1])


def _maximise(
    predict: Callable[[np.ndarray], np.ndarray], axes: Sequence[np.ndarray], right: np.ndarray, count: np.ndarray
) -> np.ndarray:
    """The point of the largest binomial likelihood for each row of right and count [B, L]; float64 [B, P].

    Args:
        predict: accuracies [..., L] of points [..., P].
        axes: values of each parameter on the first grid, in equal steps; they bound the search.
        right: items that are right at each level.
        count: items at each level.
    """
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))  # [G, P]
    wins, losses = _logs(predict(grid))
    rows = max(1, BLOCK // len(grid))
    best = np.concatenate(
        [
            grid[np.argmax(r @ wins.T + (n - r) @ losses.T, axis=1)]
            for r, n in ((right[i : i + rows], count[i : i + rows]) for i in range(0, len(right), rows))
        ]
    )
    steps = np.array([axis[1] - axis[0] for axis in axes])
    low, high = (np.array([axis[end] for axis in axes]) for end in (0, -1))
    around = np.stack(np.meshgrid(*[np.array([0.0, -1.0, 1.0])] * len(axes), indexing="ij"), axis=-1)
    around = around.reshape(-1, len(axes))  # [A, P], the best point so far first: it stays where nothing is better
    for _ in range(HALVINGS):
        steps = steps / 2
        points = np.clip(best[:, None] + around * steps, low, high)  # [B, A, P]
        wins, losses = _logs(predict(points))
        likelihood = (right[:, None] * wins + (count - right)[:, None] * losses).sum(axis=-1)
        best = np.take_along_axis(points, likelihood.argmax(axis=1)[:, None, None], axis=1)[:, 0]
    return best


def _logs(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    clipped = np.clip(share, CLIP, 1 - CLIP)
    return np.log(clipped), np.log1p(-clipped)
