"""Changes by hand, standard errors and detectable effects by simulation, equivalence by its error rate."""

import numpy as np
import pytest

from scripts.evaluation.paired import (
    BASELINE_AT_CHANCE,
    Estimate,
    Paired,
    changes,
    difference_test,
    equivalence_test,
    not_measurable,
    smallest_effect,
    standard_error,
)
from scripts.evaluation.significance import sign_flip


def pairs(base: np.ndarray, new: np.ndarray, couples: list[str] | None = None) -> Paired:
    """Items 000, 001, ...; each a couple of its own where none are given."""
    ids = [f"{i:03}" for i in range(len(base))]
    return Paired.of_items(ids, couples or ids, base, new, np.full(len(base), 0.5))


def test_changes_by_hand() -> None:
    base, new = np.array([1.0, 1.0, 1.0, 0.0]), np.array([1.0, 0.5, 1.0, 0.0])  # 75% and 62.5%
    found = changes(pairs(base, new), 500, 1)
    assert found.percent.value == pytest.approx(100 * (0.625 / 0.75 - 1))
    assert found.points.value == pytest.approx(-12.5)
    assert found.above_chance.value == pytest.approx(0.125 / 0.25)
    assert found.base.value == pytest.approx(25)
    assert found.points.ci_low < found.points.value < found.points.ci_high <= 0


def test_a_baseline_of_zero_or_at_chance_has_no_ratio() -> None:
    zeros, half = np.zeros(6), np.tile([0.0, 1.0], 3)
    assert np.isnan(changes(pairs(zeros, half), 50, 1).percent.value)
    assert np.isnan(changes(pairs(half, zeros), 50, 1).above_chance.value)


def test_the_standard_error_is_that_of_many_experiments() -> None:
    """Couples of two items that are right or wrong alike, and single items, of both systems."""
    rng = np.random.default_rng(0)
    couples = [f"c{i // 2}" if i < 80 else f"s{i}" for i in range(120)]
    means, errors = [], []
    for _ in range(600):
        shared = np.repeat(rng.choice([-1.0, 0.0, 1.0], 40, p=[0.1, 0.5, 0.4]), 2)
        differences = np.concatenate([shared, rng.choice([-1.0, 0.0, 1.0], 40, p=[0.1, 0.5, 0.4])])
        paired = pairs(np.zeros(120), differences, couples)
        means.append(differences.mean())
        errors.append(standard_error(paired.differences, paired.counts))
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.08)


def test_an_effect_of_the_smallest_detectable_size_is_found_in_80_of_100_experiments() -> None:
    """400 items, 21% won and 13% lost: 8 points, as large as 2.8 sqrt((0.34 - 0.08 ** 2) / 400)."""
    rng = np.random.default_rng(3)
    draws = [rng.choice([-1.0, 0.0, 1.0], 400, p=[0.13, 0.66, 0.21]) for _ in range(400)]
    assert np.mean([smallest_effect(pairs(np.zeros(400), each)) for each in draws]) == pytest.approx(8.1, abs=0.1)
    assert np.mean([sign_flip(each, rng, 1000) < 0.05 for each in draws]) == pytest.approx(0.8, abs=0.06)


def test_mirrors_are_flipped_together() -> None:
    """Twenty couples of two items that change alike are twenty observations, not forty."""
    differences = np.repeat([1.0] * 6 + [0.0] * 14, 2)
    couples = [f"{i // 2:02}" for i in range(40)]
    rng = np.random.default_rng(1)
    apart = difference_test(pairs(np.zeros(40), differences), rng)
    together = difference_test(pairs(np.zeros(40), differences, couples), rng)
    assert together == pytest.approx(2 / 2**6, abs=0.003)
    assert apart == pytest.approx(2 / 2**12, abs=0.0005)


def test_equivalence_errs_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)

    def shares(difference: float, items: int) -> float:
        up, down = 0.2 + difference / 2, 0.2 - difference / 2
        draws = (rng.choice([-1.0, 0.0, 1.0], items, p=[down, 1 - up - down, up]) for _ in range(400))
        return float(np.mean([equivalence_test(pairs(np.zeros(items), each)) < 0.05 for each in draws]))

    assert 0.02 <= shares(0.10, 400) <= 0.08  # a difference as large as the margin
    assert shares(0.0, 400) > 0.75
    assert shares(0.0, 60) < 0.2  # too few items to show anything
    assert equivalence_test(pairs(np.ones(5), np.ones(5))) == 0.0
    assert equivalence_test(pairs(np.ones(1), np.ones(1))) == 1.0  # one couple has no standard error


@pytest.mark.parametrize(
    ("low", "smallest", "reason"),
    [
        (2.0, 9.9, ""),
        (0.0, 9.9, BASELINE_AT_CHANCE),
        (-1.0, 20.0, BASELINE_AT_CHANCE),
        (2.0, 10.1, "the smallest detectable effect exceeds 10 points"),
        (2.0, float("nan"), "the smallest detectable effect exceeds 10 points"),
    ],
)
def test_measurable(low: float, smallest: float, reason: str) -> None:
    assert not_measurable(Estimate(10.0, low, 20.0), smallest) == reason
