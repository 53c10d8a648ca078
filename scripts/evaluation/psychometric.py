"""Psychometric functions: accuracy as a function of a stimulus level, fitted by binomial likelihood.

The accuracy at level x is floor + (1 - floor - lapse) * logistic(slope * (x - midpoint)). `floor` is chance. `lapse` is
the share of items that are missed at any level; a ceiling at 1 would bias midpoint and slope (Wichmann & Hill 2001,
Perception & Psychophysics 63, 1293-1313). Counts may be fractions (a mean over voices), which makes the likelihood a
quasi-likelihood with the same maximum.

The maximum is searched on a grid, then by Fisher's scoring from the best point of the grid and by a pattern search,
which only take steps that raise the likelihood: it depends on no starting point and does not diverge where a curve is a
step or a constant.
All resamples are fitted at once.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

MIDPOINTS, SLOPES, LAPSES = 61, 13, 5  # points of the grid of a rising curve
LINE_POINTS = 41  # points of either axis of the grid of a line
LARGEST_LAPSE = 0.2
ITERATIONS = 20  # of Fisher's scoring
SEARCHES = 40  # steps of the search that follows it
FRACTIONS = (0.0, 1.0, 0.4, 0.1, 0.02)  # of a step that are tried; the first best one is taken
RIDGE = 1e-6
CLIP = 1e-6  # distance of a predicted accuracy from 0 and 1
BLOCK = 4_000_000  # log-likelihoods in memory at a time

Curve = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


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

    def curve(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        midpoint, log_slope, lapse = (points[..., i, None] for i in range(3))
        exponent = np.exp(log_slope) * (x - midpoint)
        share, height = logistic(exponent), 1 - floor - lapse
        steepness = height * share * (1 - share)
        partial = [-np.exp(log_slope) * steepness, exponent * steepness, -share]
        return floor + height * share, np.stack(partial, axis=-1)

    best = _maximise(curve, axes, right, count)
    return Fit(best[:, 0], np.exp(best[:, 1]), best[:, 2])


def fit_line(x: np.ndarray, right: np.ndarray, count: np.ndarray, floor: float) -> LogitLine:
    """The curves without a lapse that fit best, rising or falling; arguments as in `fit_rising`."""
    centre = float(x.mean())
    half = float(np.abs(x - centre).max())
    axes = [np.linspace(-8, 8, LINE_POINTS), np.linspace(-8 / half, 8 / half, LINE_POINTS)]

    def curve(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, slope = (points[..., i, None] for i in range(2))
        share = logistic(height + slope * (x - centre))
        steepness = (1 - floor) * share * (1 - share)
        return floor + (1 - floor) * share, np.stack([steepness, (x - centre) * steepness], axis=-1)

    best = _maximise(curve, axes, right, count)
    return LogitLine(centre, best[:, 0], best[:, 1])


def _maximise(curve: Curve, axes: Sequence[np.ndarray], right: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The point of the largest binomial likelihood for each row of right and count [B, L]; float64 [B, P].

    Args:
        curve: accuracies [..., L] of points [..., P], and their derivatives [..., L, P].
        axes: values of each parameter on the grid; they bound the search.
        right: items that are right at each level.
        count: items at each level.
    """
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))  # [G, P]
    wins, losses = _logs(curve(grid)[0])
    rows = max(1, BLOCK // len(grid))
    best = np.concatenate(
        [
            grid[np.argmax(r @ wins.T + (n - r) @ losses.T, axis=1)]
            for r, n in ((right[i : i + rows], count[i : i + rows]) for i in range(0, len(right), rows))
        ]
    )
    low, high = (np.array([axis[end] for axis in axes]) for end in (0, -1))
    for _ in range(ITERATIONS):
        step = _scoring_step(curve, best, low, high, right, count)
        points = np.clip(best[:, None] + np.array(FRACTIONS)[:, None] * step[:, None], low, high)  # [B, F, P]
        wins, losses = _logs(curve(points)[0])
        likelihood = (right[:, None] * wins + (count - right)[:, None] * losses).sum(axis=-1)
        best = np.take_along_axis(points, likelihood.argmax(axis=1)[:, None, None], axis=1)[:, 0]
    return _pattern_search(curve, best, axes, right, count)


def _pattern_search(
    curve: Curve, best: np.ndarray, axes: Sequence[np.ndarray], right: np.ndarray, count: np.ndarray
) -> np.ndarray:
    """The points [B, P] improved one parameter at a time, by steps that are halved where none helps.

    Fisher's scoring stops in a corner of the bounds where the likelihood still rises along one of them.
    """
    low, high = (np.array([axis[end] for axis in axes]) for end in (0, -1))
    unit = np.diag([axis[1] - axis[0] for axis in axes])  # a step along each axis
    directions = np.concatenate([np.zeros_like(unit[:1]), unit, -unit])  # [2 P + 1, P]; the first stays
    sizes = np.ones(len(best))
    for _ in range(SEARCHES):
        points = np.clip(best[:, None] + sizes[:, None, None] * directions, low, high)
        wins, losses = _logs(curve(points)[0])
        chosen = (right[:, None] * wins + (count - right)[:, None] * losses).sum(axis=-1).argmax(axis=1)
        best = np.take_along_axis(points, chosen[:, None, None], axis=1)[:, 0]
        sizes = np.where(chosen == 0, sizes / 2, sizes)
    return best


def _scoring_step(
    curve: Curve, points: np.ndarray, low: np.ndarray, high: np.ndarray, right: np.ndarray, count: np.ndarray
) -> np.ndarray:
    """The step of Fisher's scoring from each point, [B, P]; 0 for a parameter that would leave [low, high]."""
    share, partial = curve(points)  # [B, L], [B, L, P]
    share = np.clip(share, CLIP, 1 - CLIP)
    variance = share * (1 - share)
    gradient = np.einsum("bl,blp->bp", (right - count * share) / variance, partial)
    information = np.einsum("bl,blp,blq->bpq", count / variance, partial, partial)
    free = ~(((points <= low) & (gradient < 0)) | ((points >= high) & (gradient > 0)))
    information *= free[:, :, None] * free[:, None, :]
    unit = np.eye(len(low))
    # A parameter that is fixed, or that the likelihood does not depend on, must not make the matrix singular.
    information += unit * np.where(free, RIDGE, 1.0)[:, None, :]
    return np.linalg.solve(information, (gradient * free)[..., None])[..., 0]


def _logs(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    clipped = np.clip(share, CLIP, 1 - CLIP)
    return np.log(clipped), np.log1p(-clipped)
