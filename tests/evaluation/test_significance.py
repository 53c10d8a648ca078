"""The paired test against exact values, its promise under no difference, and Holm's steps by hand."""

import math

import numpy as np
import pytest

from scripts.evaluation.significance import holm, sign_flip


def exact(wins: int, losses: int) -> float:
    """McNemar's exact two-sided p-value."""
    n, k = wins + losses, min(wins, losses)
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(k + 1)) / 2**n)


@pytest.mark.parametrize(("wins", "losses"), [(8, 2), (30, 18), (5, 5), (12, 1)])
def test_with_one_voice_it_is_mcnemars_test(wins: int, losses: int) -> None:
    differences = np.concatenate([np.ones(wins), -np.ones(losses), np.zeros(40)])
    assert sign_flip(differences, np.random.default_rng(1)) == pytest.approx(exact(wins, losses), abs=0.006)


def test_sizes_of_differences_count() -> None:
    # All 8 sign patterns of (1, 0.5, 0.5): sums of at least 2 in size are 2 of 8.
    assert sign_flip(np.array([1.0, 0.5, 0.5]), np.random.default_rng(1)) == pytest.approx(0.25, abs=0.006)


def test_no_difference_has_a_p_value_of_one_and_none_is_zero() -> None:
    assert sign_flip(np.zeros(9), np.random.default_rng(1)) == 1.0
    assert 0 < sign_flip(np.ones(300), np.random.default_rng(1)) < 2e-5


def test_it_is_wrong_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    p = [sign_flip(rng.choice([-1.0, -0.5, 0, 0.5, 1.0], 80), rng, 2000) for _ in range(400)]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.08


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []
