"""Ties, voices, intervals: hand cases, and the coverage an interval promises."""

import numpy as np
import pytest

from scripts.evaluation.accuracy import (
    ALL_NORMALIZATIONS,
    bootstrap_means,
    by_couple,
    by_item,
    chance,
    crossed_interval,
    decide,
    decide_sides,
    interval,
    item_interval,
    normalise,
    pad_sides,
    percentiles,
)
from scripts.evaluation.score_rows import normalized_scores
from tests.evaluation.conftest import item
from tests.factories.cuts import lettered_cut


def test_decide_gives_half_on_a_tie() -> None:
    negatives = pad_sides([[-2.0], [-1.0], [-3.0]])
    assert decide(np.array([-1.0, -2.0, -3.0]), negatives).tolist() == [1.0, 0.0, 0.5]


def test_a_choice_is_right_above_all_others_and_a_tie_shares() -> None:
    negatives = pad_sides([[-2.0, -3.0, -1.5], [-2.0, -0.5], [-1.0, -1.0, -4.0], [-1.0, -0.5, -0.5], [-9.0]])
    assert decide(np.full(5, -1.0), negatives) == pytest.approx([1.0, 0.0, 1 / 3, 0.0, 1.0])


def test_columns_are_decided_apart() -> None:
    items = [item("a"), item("b")]
    items[0]["negative"] = [items[0]["negative"], lettered_cut("third")]
    scores = {cut_id: np.array([-2.0, -1.0]) for cut_id in ("a-speaker-0-positive", "b-speaker-0-negative")}
    scores |= {"a-speaker-0-negative": np.array([-3.0, -3.0]), "third": np.array([-4.0, 0.0])}
    scores["b-speaker-0-positive"] = np.array([-3.0, -1.0])
    assert decide_sides(items, scores).tolist() == [[1.0, 0.0], [0.0, 0.5]]
    assert chance(items) == pytest.approx((1 / 3 + 1 / 2) / 2)


def test_sides_are_matched_by_cut_id() -> None:
    items = [item("a"), item("b")]
    scores = {
        "b-speaker-0-negative": -1.0,
        "a-speaker-0-negative": -5.0,
        "b-speaker-0-positive": -2.0,
        "a-speaker-0-positive": -4.0,
    }
    assert decide_sides(items, scores).tolist() == [1.0, 0.0]


def test_per_token_can_decide_otherwise() -> None:
    logprob, tokens = np.array([-10.0, -12.0]), np.array([5, 8])
    seconds = np.array([2.0, 6.0])
    assert normalise(logprob, tokens, seconds, "total").tolist() == [-10.0, -12.0]
    assert normalise(logprob, tokens, seconds, "per_token").tolist() == [-2.0, -1.5]
    assert normalise(logprob, tokens, seconds, "per_second").tolist() == [-5.0, -2.0]
    with pytest.raises(
        ValueError, match=r"evaluation\.score_normalization is 'mean'; it must be one of total, per_token"
    ):
        normalise(logprob, tokens, seconds, "mean")


def test_voices_are_averaged_before_items() -> None:
    # Item a is said by three voices, b by one: b weighs as much as a.
    values = by_item(["a", "b", "a", "a"], np.array([1.0, 0.0, 0.5, 0.0]))
    assert values.tolist() == [0.5, 0.0]
    assert interval(values, 10, 1).value == 0.25


def test_voices_are_averaged_per_column() -> None:
    columns = by_item(["b", "a", "b"], np.array([[1.0, 0.0], [0.5, 1.0], [0.0, 0.0]]))
    assert columns.tolist() == [[0.5, 1.0], [0.5, 0.0]]


def test_interval_of_equal_values_has_no_width() -> None:
    assert interval(np.ones(7), 50, 1) == (1.0, 1.0, 1.0, 7)


def test_interval_of_two_items_by_hand() -> None:
    # Resamples of {0, 1}: mean 0 and 1 a quarter of the time each, so both lie inside 95%.
    assert interval(np.array([0.0, 1.0]), 2000, 1) == (0.5, 0.0, 1.0, 2)


def test_ratio_is_of_sums() -> None:
    found = interval(np.array([10.0, 1.0]), 100, 1, np.array([2.0, 1.0]))
    assert found.value == pytest.approx(11 / 3)
    assert (found.ci_low, found.ci_high) == (1.0, 5.0)


def test_interval_is_as_wide_as_theory_says() -> None:
    values = (np.arange(400) % 2).astype(float)
    found = interval(values, 4000, 1)
    assert found.ci_high - found.ci_low == pytest.approx(2 * 1.96 * 0.5 / 20, rel=0.08)


def test_interval_covers_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(300):
        found = interval((rng.random(200) < 0.7).astype(float), 400, seed)
        covered += found.ci_low <= 0.7 <= found.ci_high
    assert 0.90 <= covered / 300 <= 0.985


def test_resamples_depend_on_the_seed_alone() -> None:
    values = np.random.default_rng(0).random((50, 3))
    first = bootstrap_means(values, 100, 1)
    assert np.array_equal(first, bootstrap_means(values, 100, 1))
    assert not np.array_equal(first, bootstrap_means(values, 100, 2))
    # Columns are resampled together, and alike when they stand alone.
    assert np.allclose(first[:, 1], bootstrap_means(values[:, 1:2], 100, 1)[:, 0])


def test_many_items_are_resampled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).random((50, 2))
    whole = bootstrap_means(values, 101, 1)
    monkeypatch.setattr("scripts.evaluation.accuracy.BLOCK", 700)
    assert np.array_equal(whole, bootstrap_means(values, 101, 1))


def test_few_values_of_many_items_are_drawn_as_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values = np.stack([rng.integers(0, 3, 500) / 2, np.ones(500)], axis=1)
    one_by_one = bootstrap_means(values, 4000, 1)
    monkeypatch.setattr("scripts.evaluation.accuracy.MANY_DRAWS", 0)
    counted = bootstrap_means(values, 4000, 1)
    assert counted.shape == one_by_one.shape
    assert np.allclose(counted[:, 1], 1.0)
    assert np.quantile(counted[:, 0], [0.025, 0.5, 0.975]) == pytest.approx(
        np.quantile(one_by_one[:, 0], [0.025, 0.5, 0.975]), abs=0.004
    )
    monkeypatch.setattr("scripts.evaluation.accuracy.FEW_VALUES", 2)  # too many values: one by one again
    assert np.array_equal(bootstrap_means(values, 4000, 1), one_by_one)


def test_voices_widen_the_interval_where_they_differ() -> None:
    rng = np.random.default_rng(0)
    ids = [f"i{i:03}" for i in range(100) for _ in range(4)]
    voices = [f"v{v}" for _ in range(100) for v in range(4)]
    alike = np.repeat((rng.random(100) < 0.7).astype(float), 4)
    over_items = interval(by_item(ids, alike), 2000, 1)
    over_both = crossed_interval(ids, ids, voices, alike, 2000, 1)
    assert over_both.value == over_items.value
    # Voices that agree on every item add nothing to what the items say.
    assert over_both[1:3] == pytest.approx(over_items[1:3], abs=0.02)
    differ = (rng.random(400) < np.tile([0.5, 0.6, 0.8, 0.9], 100)).astype(float)
    wide, narrow = crossed_interval(ids, ids, voices, differ, 2000, 1), interval(by_item(ids, differ), 2000, 1)
    assert wide.ci_high - wide.ci_low > 2 * (narrow.ci_high - narrow.ci_low)
    assert (wide.n, wide.value) == (100, pytest.approx(narrow.value))


def test_an_item_without_a_drawn_voice_stands_out_of_the_resample() -> None:
    found = crossed_interval(["a", "a", "b"], ["a", "a", "b"], ["v", "w", "w"], np.array([1.0, 1.0, 0.0]), 500, 1)
    assert found.value == 0.5
    assert (found.ci_low, found.ci_high) == (0.0, 1.0)


def test_percentiles() -> None:
    assert percentiles(np.arange(1001.0)) == (25.0, 975.0)


def test_no_items_is_refused() -> None:
    with pytest.raises(ValueError, match="no items"):
        interval(np.zeros(0), 10, 1)


# Couples.


def test_a_couple_is_summed_and_counted_by_hand() -> None:
    ids, couples = ["a", "a", "b", "c"], ["x", "x", "x", "c"]
    sums, counts = by_couple(ids, couples, np.array([1.0, 0.0, 1.0, 0.0]))
    assert (sums.tolist(), counts.tolist()) == ([0.0, 1.5], [1.0, 2.0])  # c, then x: 0.5 of a and 1 of b
    # The only resamples: c c, c x (twice as often) and x x.
    found = item_interval(ids, couples, np.array([1.0, 0.0, 1.0, 0.0]), 2000, 1)
    assert found == (0.5, 0.0, 0.75, 3)
    with pytest.raises(ValueError, match="item 'a' belongs to two couples"):
        by_couple(["a", "a"], ["x", "y"], np.ones(2))


def test_mirrors_that_exchange_their_luck_have_an_interval_without_width() -> None:
    ids = [f"{i}{mirror}" for i in range(40) for mirror in "ab"]
    correct = np.random.default_rng(0).permuted(np.tile([0.0, 1.0], (40, 1)), axis=1).ravel()
    alone = item_interval(ids, ids, correct, 500, 1)
    assert item_interval(ids, [name[:-1] for name in ids], correct, 500, 1) == (0.5, 0.5, 0.5, 80)
    assert alone.ci_high - alone.ci_low > 0.15


def mirrored(rng: np.random.Generator, couples: int, *, together: bool) -> np.ndarray:
    """Scores of couples of two items, right with probability 0.6: alike in 9 of 10 couples, or unlike in most."""
    first = rng.random(couples) < 0.6
    copied = first if together else ~first
    second = np.where(rng.random(couples) < (0.9 if together else 0.5), copied, rng.random(couples) < 0.6)
    return np.stack([first, second], axis=1).ravel().astype(float)


@pytest.mark.parametrize("together", [True, False])
def test_the_interval_by_couple_covers_the_truth_and_that_by_item_does_not(*, together: bool) -> None:
    rng = np.random.default_rng(0)
    truth = 0.6 if together else (0.6 + 0.5 * 0.4 + 0.5 * 0.6) / 2
    ids = [f"{i:03}{mirror}" for i in range(100) for mirror in "ab"]
    couples = [name[:-1] for name in ids]
    covered = {"couple": 0, "item": 0}
    for seed in range(300):
        correct = mirrored(rng, 100, together=together)
        for name, groups in (("couple", couples), ("item", ids)):
            found = item_interval(ids, groups, correct, 300, seed)
            covered[name] += found.ci_low <= truth <= found.ci_high
    assert 0.91 <= covered["couple"] / 300 <= 0.98
    assert covered["item"] / 300 < 0.88 if together else covered["item"] / 300 > 0.975


def test_the_same_items_have_the_same_resamples_whatever_the_order_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    ids = [f"{i:03}{mirror}" for i in range(60) for mirror in "ab"]
    couples, correct = [name[:-1] for name in ids], mirrored(rng, 60, together=True)
    order = rng.permutation(len(ids))
    shuffled = [ids[i] for i in order], [couples[i] for i in order], correct[order]
    assert item_interval(ids, couples, correct, 200, 1) == item_interval(*shuffled, 200, 1)
    one_by_one = item_interval(ids, couples, correct, 4000, 1)
    monkeypatch.setattr("scripts.evaluation.accuracy.MANY_DRAWS", 0)  # counts of values instead of couples
    assert item_interval(ids, couples, correct, 4000, 1) == pytest.approx(tuple(one_by_one), abs=0.0085)


def test_couples_and_voices_are_resampled_together() -> None:
    rng = np.random.default_rng(1)
    correct = mirrored(rng, 100, together=True)
    ids = [f"{i:03}{mirror}" for i in range(100) for mirror in "ab"]
    couples = [name[:-1] for name in ids]
    voices = [voice for voice in "vw" for _ in ids]  # both say the same
    crossed = crossed_interval(ids * 2, couples * 2, voices, np.tile(correct, 2), 2000, 1)
    assert crossed[1:3] == pytest.approx(item_interval(ids, couples, correct, 2000, 1)[1:3], abs=0.02)
    assert crossed.n == 200


def test_eos_is_left_out_by_hand() -> None:
    row = {"id": "a", "voice": "v", "couple": "a", "logprob_positive": "-10", "logprob_negative": "-9",
           "eos_positive": "-4", "eos_negative": "-1", "tokens_positive": "4", "tokens_negative": "3",
           "seconds_positive": "1", "seconds_negative": "2"}  # fmt: skip
    expected = {
        "total": (-10, -9), "per_token": (-2.5, -3), "per_second": (-10, -4.5),
        "total_no_eos": (-6, -8), "per_token_no_eos": (-2, -4), "per_second_no_eos": (-6, -4),
    }  # fmt: skip
    assert set(expected) == set(ALL_NORMALIZATIONS)
    for name, (good, bad) in expected.items():
        positive, negatives = normalized_scores([row], name)
        assert (positive.tolist(), negatives.tolist()) == ([good], [[bad]])
