"""Orders of factors, and contrasts that follow from them, against definitions written out."""

from fractions import Fraction
from itertools import permutations

import pytest

from scripts.evaluation.orders import Cell, contrasts, label, named_cells, orders

NOTHING: Cell = frozenset()


def cells(*names: str) -> list[Cell]:
    return list(named_cells(names).values())


def test_names_of_cells():
    assert named_cells(["none", "B", "C+B"]) == {"none": NOTHING, "B": {"B"}, "C+B": {"B", "C"}}
    assert [label(cell) for cell in cells("none", "C+B")] == ["none", "B+C"]


def test_two_factors_have_two_orders_and_three_six():
    assert orders(cells("none", "B", "C", "B+C")) == [("B", "C"), ("C", "B")]
    every = cells("none", "A", "B", "C", "A+B", "A+C", "B+C", "A+B+C")
    assert orders(every) == list(permutations("ABC"))


def test_a_factor_that_others_need_comes_first():
    assert orders(cells("none", "A", "A+B", "A+C", "A+B+C")) == [("A", "B", "C"), ("A", "C", "B")]
    assert orders(cells("none", "B", "A+B", "A+C", "A+B+C")) == [("B", "A", "C")]
    assert orders(cells("B", "A+B")) == []


def test_shapley_of_two_factors_is_the_mean_of_both_changes():
    found = {(c.quantity, c.factor, c.given): dict(c.weights) for c in contrasts(cells("none", "B", "C", "B+C"))}
    b, c, both = cells("B", "C", "B+C")
    half = Fraction(1, 2)
    assert found["change", "B", "C"] == {both: 1, c: -1}
    assert found["interaction", "B x C", "none"] == {both: 1, b: -1, c: -1, NOTHING: 1}
    assert found["shapley", "B", ""] == {b: half, NOTHING: -half, both: half, c: -half}
    assert found["whole", "", ""] == {both: 1, NOTHING: -1}
    assert len(found) == 4 + 1 + 2 + 1


def test_shapley_of_three_factors_is_the_textbook_formula():
    every = cells("none", "A", "B", "C", "A+B", "A+C", "B+C", "A+B+C")
    value = {cell: Fraction(place**2) for place, cell in enumerate(every)}
    weight = {0: Fraction(2, 6), 1: Fraction(1, 6), 2: Fraction(2, 6)}  # |S|! (2 - |S|)! / 3!
    for contrast in contrasts(every):
        if contrast.quantity == "shapley":
            expected = sum(
                weight[len(cell)] * (value[cell | {contrast.factor}] - value[cell])
                for cell in every
                if contrast.factor not in cell
            )
            assert sum(w * value[cell] for cell, w in contrast.weights.items()) == expected
    assert sum(contrast.quantity == "interaction" for contrast in contrasts(every)) == 6  # 3 pairs, third off or on


@pytest.mark.parametrize(
    "names",
    [("none", "B", "C", "B+C"), ("none", "A", "A+B", "A+C", "A+B+C"), ("none", "A", "B", "A+B", "A+C", "A+B+C")],
)
def test_shapley_values_add_up_to_the_whole(names: tuple[str, ...]):
    total: dict[Cell, Fraction] = {}
    for contrast in contrasts(cells(*names)):
        if contrast.quantity in ("shapley", "whole"):
            sign = -1 if contrast.quantity == "whole" else 1
            for cell, weight in contrast.weights.items():
                total[cell] = total.get(cell, Fraction(0)) + sign * weight
    assert not any(total.values())


def test_a_first_factor_changes_the_same_in_every_order():
    found = contrasts(cells("none", "A", "A+B", "A+C", "A+B+C"))
    changes = [(c.factor, c.given) for c in found if c.quantity == "change"]
    assert changes == [("A", "none"), ("B", "A"), ("B", "A+C"), ("C", "A"), ("C", "A+B")]
    assert [(c.factor, c.given) for c in found if c.quantity == "interaction"] == [("B x C", "A")]
    [a] = [dict(c.weights) for c in found if (c.quantity, c.factor) == ("shapley", "A")]
    assert a == {frozenset("A"): 1, NOTHING: -1}
