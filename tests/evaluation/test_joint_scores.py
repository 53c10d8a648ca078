"""Several models on the same items: values, the resamples of the factor table, training seeds, damaged files."""

from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.joint_scores import JointScores, Reader
from scripts.evaluation.paired import changes
from scripts.report.comparison import Comparison
from scripts.report.table_factors import pairs_by_metric
from tests.evaluation.made_scores import nested, write_bits, write_scores

MODELS = {"a": 0.9, "b": 0.75, "c": 0.5}


def read(evaluation: Path, *models: str, seeds: tuple[int, ...] = (1,)) -> dict[str, JointScores]:
    reader = Reader(evaluation, Dropped([]), seeds, "total")
    return {scores.metric: scores for scores in reader.metrics(["t"], models)}


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    write_scores(tmp_path, "t", nested(MODELS))
    write_bits(tmp_path, {name: np.array([10.0, 30.0]) * (place + 1) for place, name in enumerate(MODELS)})
    return tmp_path


def test_values_by_metric(evaluation: Path):
    found = read(evaluation, *MODELS)
    assert list(found) == ["accuracy", "couples", "bits_per_second"]
    assert found["accuracy"].values == pytest.approx([90, 75, 50])
    assert found["bits_per_second"].values == pytest.approx([10, 20, 30])
    assert (found["accuracy"].n, found["couples"].n, found["bits_per_second"].n) == (400, 200, 2)
    assert (found["accuracy"].chance, found["couples"].chance) == (50, 50)


@pytest.mark.parametrize("metric", ["accuracy", "couples"])
def test_resamples_are_those_of_the_factor_table(evaluation: Path, metric: str):
    found = read(evaluation, *MODELS)[metric]
    comparison = Comparison(evaluation, Dropped([]), [], ["t"], 300, 7)
    paths = (evaluation / "t/a.csv", evaluation / "t/b.csv")
    table = dict(pairs_by_metric(*paths, comparison, "total"))[metric]
    expected = changes(table, 300, 7).points
    resampled = found.resampled(300, 7)
    low, high = np.quantile(resampled[:, 1] - resampled[:, 0], [0.025, 0.975])
    assert found.values[1] - found.values[0] == pytest.approx(expected.value)
    assert (low, high) == pytest.approx((expected.ci_low, expected.ci_high))


def test_seeds_are_averaged_and_resampled_together(tmp_path: Path):
    right = nested({"a": 0.9, "b": 0.7})
    write_scores(tmp_path, "t", right | {f"{name}-seed2": nested({"x": share})["x"] for name, share in
                                         (("a", 0.7), ("b", 0.5))})  # fmt: skip
    write_bits(tmp_path, {f"{name}{end}": np.ones(2) for name in "ab" for end in ("", "-seed2")})
    found = read(tmp_path, "a", "b", seeds=(1, 2))["accuracy"]
    assert found.sums.shape == (2, 200, 2)
    assert found.values == pytest.approx([80, 60])
    one = read(tmp_path, "a", "b")["accuracy"].resampled(500, 1)
    both = found.resampled(500, 1)
    assert both[:, 0].std() > 2 * one[:, 0].std()  # the seeds differ by 20 points
    difference = both[:, 1] - both[:, 0]
    assert difference.std() < 1.5 * (one[:, 1] - one[:, 0]).std()  # and both modalities alike


def test_dropped_items_are_left_out(evaluation: Path):
    gone = [{"task": "t", "id": f"i{place:04}"} for place in range(100)]
    [scores, *_] = Reader(evaluation, Dropped(gone), [1], "total").metrics(["t"], ["a", "b"])
    assert scores.n == 300


def test_other_items_and_utterances_are_refused(evaluation: Path):
    rows = read_csv(evaluation / "t/b.csv")
    write_csv(evaluation / "t/b.csv", list(rows[0]), rows[:-1])
    with pytest.raises(ValueError, match=r"t/b\.csv: holds other items than .*a\.csv \(1 are in one file only, e\.g\."):
        read(evaluation, "a", "b")
    write_csv(evaluation / "t/b.csv", list(rows[0]), rows)
    write_bits(evaluation, {"b": np.ones(3)})
    with pytest.raises(ValueError, match=r"utterance_bits/b\.csv: holds other utterances than .*a\.csv"):
        read(evaluation, "a", "b")


def test_what_is_no_number_is_named(evaluation: Path):
    rows = read_csv(evaluation / "t/b.csv")
    write_csv(evaluation / "t/b.csv", list(rows[0]), [{**rows[0], "correct": "yes"}, *rows[1:]])
    with pytest.raises(ValueError, match=r"t/b\.csv: 'i0000' has 'yes' as 'correct', expected a number"):
        read(evaluation, "a", "b")


def test_a_file_without_items_is_named(evaluation: Path):
    columns = list(read_csv(evaluation / "t/b.csv")[0])
    write_csv(evaluation / "t/b.csv", columns, [])
    with pytest.raises(ValueError, match=r"t/b\.csv: holds no items"):
        read(evaluation, "a", "b")
