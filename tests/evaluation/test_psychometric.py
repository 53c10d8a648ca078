"""Fits of accuracy over a level: known curves are recovered, floors and ceilings hold, nothing diverges."""

import numpy as np
import pytest
from scipy.optimize import minimize

from scripts.evaluation.psychometric import Fit, accuracy, fit_line, fit_rising, threshold

X = np.array([0.0, 2.0, 4.0, 6.0, 8.0])


def known(midpoint: float, slope: float, lapse: float = 0.0) -> Fit:
    return Fit(*(np.array([value]) for value in (midpoint, slope, lapse)))


@pytest.mark.parametrize(("midpoint", "slope", "lapse"), [(4.0, 1.0, 0.0), (2.5, 2.0, 0.05), (6.2, 0.7, 0.1)])
def test_a_curve_without_noise_is_recovered(midpoint: float, slope: float, lapse: float) -> None:
    count = np.full((1, 5), 1000.0)
    truth = known(midpoint, slope, lapse)
    found = fit_rising(X, count * accuracy(X, truth, 0.5), count, 0.5)
    assert threshold(found, 0.5, 0.75)[0] == pytest.approx(threshold(truth, 0.5, 0.75)[0], abs=0.05)
    assert accuracy(X, found, 0.5) == pytest.approx(accuracy(X, truth, 0.5), abs=0.01)


def test_the_likelihood_is_within_a_twentieth_of_a_nat_of_scipys_optimum() -> None:
    rng = np.random.default_rng(3)
    count = np.full((20, 5), 40.0)
    right = rng.binomial(40, accuracy(X, known(4, 1, 0.03), 0.5)[0], size=(20, 5)).astype(float)

    def cost(p: np.ndarray, row: int) -> float:
        share = np.clip(accuracy(X, known(*p), 0.5)[0], 1e-6, 1 - 1e-6)
        return -float((right[row] * np.log(share) + (count[row] - right[row]) * np.log(1 - share)).sum())

    found = fit_rising(X, right, count, 0.5)
    for row in range(20):
        bounds = [(-16, 24), (0.05, 5), (0, 0.2)]
        best = min(
            minimize(cost, start, (row,), bounds=bounds).fun for start in ([4, 1, 0.02], [3, 2, 0.1], [5, 0.6, 0])
        )
        assert cost(np.array([values[row] for values in found]), row) < best + 0.05


def test_a_flat_curve_stays_where_it_is() -> None:
    count = np.full((3, 5), 200.0)
    found = fit_rising(X, count * np.array([[0.5], [0.62], [1.0]]), count, 0.5)
    at_chance, between, perfect = accuracy(X, found, 0.5)
    assert at_chance == pytest.approx(0.5, abs=0.01)
    assert between == pytest.approx(0.62, abs=0.04)
    assert perfect == pytest.approx(1.0, abs=0.01)
    assert threshold(found, 0.5, 0.75)[0] > 8
    assert threshold(found, 0.5, 0.75)[2] < 0


def test_no_fit_predicts_less_than_chance() -> None:
    count = np.full((1, 5), 100.0)
    below = fit_rising(X, count * 0.3, count, 0.5)
    assert accuracy(X, below, 0.5).min() >= 0.5
    line = fit_line(X, count * np.array([0.3, 0.3, 0.35, 0.3, 0.3]), count, 0.5)
    assert line.accuracy(X, 0.5).min() >= 0.5
    assert line.slope_at_middle(0.5)[0] == pytest.approx(0, abs=0.01)


def test_a_ceiling_below_the_criterion_has_no_threshold() -> None:
    assert threshold(known(2, 1, 0.3), 0.5, 0.75)[0] == np.inf
    assert threshold(known(2, 1, 0.0), 0.5, 0.75)[0] == pytest.approx(2)


def test_the_line_has_the_slope_of_its_curve_and_may_fall() -> None:
    count = np.full((2, 5), 500.0)
    rising = 0.5 + 0.5 / (1 + np.exp(-(0.4 * (X - 4) - 0.3)))
    found = fit_line(X, count * np.stack([rising, rising[::-1]]), count, 0.5)
    step = 1e-4
    middle = found.accuracy(np.array([found.centre - step, found.centre + step]), 0.5)
    assert found.slope_at_middle(0.5) == pytest.approx((middle[:, 1] - middle[:, 0]) / (2 * step), abs=1e-4)
    assert found.slope == pytest.approx([0.4, -0.4], abs=0.02)
    assert found.height == pytest.approx([-0.3, -0.3], abs=0.05)
