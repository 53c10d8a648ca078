"""Seeds: mean, spread and interval of scores, and of changes within a seed."""

import numpy as np
import pytest

from scripts.common.files import write_csv
from scripts.evaluation import score_rows
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.config import Factor
from scripts.report import table_seeds


def seeded(folder, scores, together=1):
    """Score files of two modalities under seeds 1 to len(scores[...]), each a list of items' scores.

    A couple is so many items that follow each other.
    """
    for modality, per_seed in scores.items():
        for seed, values in enumerate(per_seed, start=1):
            name = modality if seed == 1 else f"{modality}-seed{seed}"
            rows = [
                score_rows.score_row(
                    (f"i{i:03}", "v", "all", "g", f"c{i // together:03}", "", "", ""),
                    {"logprob": [-10.0, -10.0 - (1.0 if value else -1.0)]},
                )
                for i, value in enumerate(values)
            ]
            write_csv(folder / f"t/{name}.csv", score_rows.COLUMNS, score_rows.fill_correct(rows, "total"))
    factors = [Factor("A", "base", "new")]
    return table_seeds.rows(
        folder, Dropped([]), ["base", "new"], factors, ["t"], list(range(1, 1 + len(scores["base"]))), 300, "total"
    )


def of_metric(rows, metric):
    return [row for row in rows if row["metric"] == metric]


def test_seeds_have_mean_spread_and_changes_within_a_seed(tmp_path):
    found = seeded(tmp_path, {"base": [[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]], "new": [[1, 0, 0, 0]] * 3})
    base, new = of_metric(found, "accuracy_percent")
    (change,) = of_metric(found, "change_percent")
    (points,) = of_metric(found, "change_points")
    assert (points["mean"], points["sd"]) == (-25.0, 25.0)
    assert (base["mean"], base["sd"], base["lowest"], base["highest"]) == (50.0, 25.0, 25.0, 75.0)
    assert (new["mean"], new["sd"], new["seeds"], new["n"]) == (25.0, 0.0, 3, 4)
    changes = [100 * (0.25 / share - 1) for share in (0.75, 0.5, 0.25)]
    assert change["mean"] == pytest.approx(np.mean(changes), abs=1e-5)
    assert change["sd"] == pytest.approx(np.std(changes, ddof=1), abs=1e-5)
    assert base["ci_low"] <= base["mean"] <= base["ci_high"]
    write_csv(tmp_path / "seeds.csv", table_seeds.COLUMNS, found)
    table = table_seeds.build_table(tmp_path / "seeds.csv")
    heads = [
        *("Base, accuracy in %", "New, accuracy in %"),
        *("A: Base → New, change in %", "A: Base → New, change in points"),
    ]
    assert [row[0] for row in table.rows] == heads
    assert table.rows[0][2] == "25.0"
    assert "over 3 training seeds" in table.notes[0]


def test_seeds_that_agree_add_nothing_to_the_items_interval(tmp_path):
    rng = np.random.default_rng(0)
    alike = (rng.random(200) < 0.7).astype(float).tolist()
    apart = [(rng.random(200) < share).astype(float).tolist() for share in (0.4, 0.7, 0.9)]
    same, *_ = seeded(tmp_path, {"base": [alike] * 3, "new": [alike] * 3})
    other, *_ = seeded(tmp_path, {"base": apart, "new": [alike] * 3})
    assert same["ci_high"] - same["ci_low"] == pytest.approx(2 * 196 * (0.21 / 200) ** 0.5, rel=0.2)
    assert other["ci_high"] - other["ci_low"] > 2 * (same["ci_high"] - same["ci_low"])


def test_the_interval_of_a_change_is_of_the_mean_over_seeds(tmp_path):
    right, wrong = [1.0] * 90 + [0.0] * 10, [1.0] * 50 + [0.0] * 50
    found = seeded(tmp_path, {"base": [right, wrong] * 3, "new": [[1.0] * 60 + [0.0] * 40] * 6})
    (change,) = of_metric(found, "change_percent")
    # Every seed resamples around its own change, -33.3 or +20; the ratio of the means would be -14.3.
    assert change["mean"] == pytest.approx(-20 / 3, abs=0.01)
    assert (change["ci_low"] + change["ci_high"]) / 2 == pytest.approx(change["mean"], abs=3)


def test_a_couple_is_decided_by_its_sum_and_is_one_unit(tmp_path):
    found = seeded(tmp_path, {"base": [[1, 1, 1, 1], [1, 1, 1, 1]], "new": [[1, 1, 1, 0], [0, 0, 1, 1]]}, 2)
    base, new = of_metric(found, "couples_percent")
    assert (base["mean"], new["mean"], new["n"]) == (100.0, 62.5, 2)  # a couple of one right and one wrong is a tie
    (change,) = of_metric(found, "couples_change_points")
    assert change["p_value"] == change["p_holm"] > 0.4  # two couples cannot show anything
    assert (change["mean"], change["lowest"], change["highest"]) == (-37.5, -50.0, -25.0)


def test_a_change_is_tested_by_couple_over_the_mean_of_the_seeds(tmp_path):
    rng = np.random.default_rng(1)
    base = [(rng.random(200) < 0.8).astype(float).tolist() for _ in range(3)]
    worse = [(rng.random(200) < 0.6).astype(float).tolist() for _ in range(3)]
    (shown,) = of_metric(seeded(tmp_path / "1", {"base": base, "new": worse}, 2), "change_points")
    (same,) = of_metric(seeded(tmp_path / "2", {"base": base, "new": base}, 2), "change_points")
    assert shown["p_holm"] == shown["p_value"] < 0.001  # one factor and one task: nothing to correct
    assert same["p_value"] == 1.0
    others = [row for row in seeded(tmp_path / "3", {"base": base, "new": worse}, 2) if "points" not in row["metric"]]
    assert {row["p_value"] for row in others} == {""}


def test_seeds_scored_on_other_items_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"base-seed2\.csv: holds other items than base\.csv"):
        seeded(tmp_path, {"base": [[1, 1], [1, 0, 1]], "new": [[1, 1], [1, 0]]})


def test_mirrors_are_resampled_together(tmp_path):
    alike = np.repeat((np.random.default_rng(0).random(100) < 0.7).astype(float), 2).tolist()
    (alone, *_), (bound, *_) = (
        seeded(tmp_path / str(size), {"base": [alike] * 3, "new": [alike] * 3}, size) for size in (1, 2)
    )
    assert bound["mean"] == alone["mean"]
    ratio = (bound["ci_high"] - bound["ci_low"]) / (alone["ci_high"] - alone["ci_low"])
    assert ratio == pytest.approx(2**0.5, rel=0.2)
