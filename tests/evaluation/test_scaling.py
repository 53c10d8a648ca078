"""Curves over the tokens of training: their slopes and intervals, and the items that the checkpoints are scored on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from scripts.evaluation import scaling
from scripts.evaluation.items import Task, cut_ids
from scripts.evaluation.level_curves import resample
from tests.evaluation.conftest import item


def fitted(tokens: np.ndarray, correct: np.ndarray, samples: int, couples: list[str] | None = None) -> dict:
    """`scaling.fit` of correct [N, C]; each item is a couple of its own unless couples are given."""
    table = scaling.by_couple(tokens, correct, couples or [f"item-{i}" for i in range(len(correct))])
    return scaling.fit(table, *resample(table, samples, 1, "toy"), 0.5)


def test_line_equals_polyfit() -> None:
    rng = np.random.default_rng(0)
    tokens = np.array([1000, 3000, 10_000, 40_000, 90_000])
    correct = (rng.random((80, 5)) < [0.5, 0.55, 0.6, 0.7, 0.72]).astype(float)
    found = fitted(tokens, correct, 200)
    accuracy = correct.mean(axis=0)
    slope, intercept = np.polyfit(np.log10(tokens), accuracy, 1)
    assert (found["slope"], found["intercept"]) == pytest.approx((slope, intercept))
    assert found["r2"] == pytest.approx(np.corrcoef(np.log10(tokens), accuracy)[0, 1] ** 2)
    assert found["slope_ci_low"] < slope < found["slope_ci_high"]
    assert (found["checkpoints"], found["n"]) == (5, 80)


def test_a_straight_line_is_found_exactly() -> None:
    tokens = np.array([10, 100, 1000])
    found = fitted(tokens, np.tile([0.5, 0.6, 0.7], (4, 1)), 20)
    assert found["slope"] == pytest.approx(0.1)
    assert found["intercept"] == pytest.approx(0.4)
    assert (found["slope_ci_low"], found["slope_ci_high"]) == pytest.approx((0.1, 0.1))
    assert found["r2"] == pytest.approx(1.0)
    assert fitted(tokens, np.ones((4, 3)), 20)["r2"] is None


def test_the_binomial_slope_is_that_of_its_curve_in_the_middle() -> None:
    tokens = np.array([10, 100, 1000])
    accuracy = 0.5 + 0.5 / (1 + np.exp(-np.array([-1.5, -0.7, 0.1])))
    found = fitted(tokens, np.tile(accuracy, (50, 1)), 20)
    share = 1 / (1 + np.exp(0.7))
    assert found["middle_slope"] == pytest.approx(0.5 * 0.8 * share * (1 - share), abs=1e-3)
    assert (found["centre"], found["logit_slope"]) == pytest.approx((2.0, 0.8), abs=0.01)
    below = fitted(tokens, np.tile([0.45, 0.4, 0.45], (50, 1)), 20)
    assert below["middle_slope"] == pytest.approx(0, abs=1e-3)  # the floor is chance, not below


def test_bound_items_widen_the_intervals() -> None:
    tokens = np.array([10, 100, 1000])
    rng = np.random.default_rng(2)
    halves = (rng.random((60, 3)) < [0.5, 0.6, 0.7]).astype(float)
    correct = np.repeat(halves, 2, axis=0)  # both items of a couple are right together
    couples = [f"couple-{i // 2}" for i in range(120)]
    widths = [
        np.subtract(found["middle_slope_ci_high"], found["middle_slope_ci_low"])
        for found in (fitted(tokens, correct, 500, couples), fitted(tokens, correct, 500))
    ]
    assert widths[0] > 1.2 * widths[1]


def toy(names: Sequence[str]) -> Task:
    items = [item(name, voice=f"speaker-{v}") for name in names for v in range(2)]
    return Task("toy", items, {name: np.arange(3) for name in cut_ids(items)}, Path("toy.csv"))


@pytest.mark.parametrize(("count", "kept"), [(4, [0, 2, 4, 6]), (2, [0, 4]), (8, range(8)), (None, range(8))])
def test_scaling_takes_items_evenly(count: int | None, kept: Sequence[int]) -> None:
    found = scaling.sample(toy([f"p{i}" for i in range(8)]), count)
    assert [i["id"] for i in found.items] == [f"p{i}" for i in kept for _ in range(2)]
    assert list(found.tokens) == cut_ids(found.items)


@pytest.mark.parametrize(("dropped", "kept"), [("", "0a 0b 2a 2b"), ("0a", "1a 1b 2a 2b"), ("2b", "0a 0b 1a 1b")])
def test_scaling_takes_an_item_and_its_mirror_or_neither(dropped: str, kept: str) -> None:
    names = [f"{i}{side}" for i in range(4) for side in "ab" if f"{i}{side}" != dropped]
    task = toy(names)
    task = task._replace(items=[{**each, "couple": each["id"][:-1]} for each in task.items])
    assert [i["id"] for i in scaling.sample(task, 4).items[::2]] == kept.split()
