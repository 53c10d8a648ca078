"""Experiments side by side: scores of the union, differences on the same items, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, read_json, write_csv, write_json, write_jsonl
from scripts.report import table_factors
from scripts.report.compare_tables import setting_rows
from scripts.report.experiment_pairs import OTHER_ITEMS, OTHER_UTTERANCES, YES, Resampling, difference_rows
from scripts.report.experiment_scores import factor_rows, score_rows
from scripts.report.experiments import Experiment
from scripts.report.paper_values import read_paper
from tests.evaluation import made_scores
from tests.report import made_experiments
from tests.report.commands import PAPER

RESAMPLING = Resampling(400, 1)


def differences(folders: list[Path]) -> dict[tuple[str, str, str], dict]:
    rows = difference_rows([Experiment.read(folder) for folder in folders], RESAMPLING)
    return {(row["modality"], row["task"], row["metric"]): row for row in rows}


def change_config(folder: Path, **sections) -> None:
    write_json(folder / "config.json", read_json(folder / "config.json") | sections)


def test_a_known_difference_is_found_on_the_same_items(tmp_path: Path):
    found = differences(made_experiments.two(tmp_path))
    row = found["phone-raw", "swuggy", "accuracy"]
    assert (row["paired"], row["n"], row["baseline_experiment"], row["experiment"]) == (YES, 400, "a", "b")
    assert row["difference"] == pytest.approx(10.0)
    assert row["change_percent"] == pytest.approx(100 / 7, abs=1e-5)
    assert row["p_holm"] < 0.001
    # 40 of 400 items change: 1.96 standard errors are 2.9 points. Of scores on other items they would be 6.0.
    assert 6 < row["difference_ci_low"] < 10 < row["difference_ci_high"] < 14
    assert row["difference_ci_high"] - row["difference_ci_low"] < 8


def test_bits_are_paired_by_utterance(tmp_path: Path):
    row = differences(made_experiments.two(tmp_path))["phone-raw", "dev", "bits_per_second"]
    assert row["paired"] == YES
    assert row["n"] == 60
    assert row["change_percent"] == pytest.approx(-10.0)
    assert row["percent_ci_low"] == pytest.approx(-10.0)  # every utterance has a tenth fewer bits
    assert row["percent_ci_high"] == pytest.approx(-10.0)
    assert row["difference"] < 0


def test_an_experiment_does_not_differ_from_its_copy(tmp_path: Path):
    for row in differences(made_experiments.two(tmp_path, gain=0.0)).values():
        if row["task"] == "swuggy":
            assert (row["difference"], row["difference_ci_low"], row["difference_ci_high"]) == (0, 0, 0)
            assert row["p_holm"] == 1


@pytest.mark.parametrize("change", ["text", "couple", "ids"])
def test_other_items_are_not_paired(tmp_path: Path, change: str):
    folders = made_experiments.two(tmp_path)
    items = made_experiments.items(np.zeros(400), "swuggy")
    if change == "text":  # the same ids, as another world has them
        items[7] = {**items[7], "negative": made_experiments.side("n", "another")}
    elif change == "couple":
        items[7]["couple"] = "c0000"
    else:
        items = [{**item, "id": f"new-{item['id']}"} for item in items]
    write_jsonl(folders[1] / "corpus/tasks/swuggy.jsonl.gz", items)
    found = differences(folders)
    row = found["phone-raw", "swuggy", "accuracy"]
    assert (row["paired"], row["difference"], row["p_holm"], row["n"]) == (OTHER_ITEMS, "", "", "")
    assert found["phone-raw", "dev", "bits_per_second"]["paired"] == YES


def test_other_utterances_are_not_paired(tmp_path: Path):
    folders = made_experiments.two(tmp_path)
    path = folders[1] / "evaluation/utterance_bits/phone-raw.csv"
    rows = read_csv(path)
    rows[3]["seconds"] = "2.5"
    write_csv(path, list(rows[0]), rows)
    found = differences(folders)
    assert found["phone-raw", "dev", "bits_per_second"]["paired"] == OTHER_UTTERANCES
    assert found["text-raw", "dev", "bits_per_second"]["paired"] == YES
    assert found["phone-raw", "swuggy", "accuracy"]["paired"] == YES


def test_whole_couples_of_both_are_compared(tmp_path: Path):
    """An item that one dropped, and one that the other never had, leave with their mates."""
    folders = made_experiments.two(tmp_path)
    dropped = [{"task": "swuggy", "id": "i0000", "modality": "text-raw", "reason": "too-long"}]
    write_csv(folders[0] / "evaluation/dropped.csv", list(dropped[0]), dropped)
    for path in (folders[1] / "evaluation/swuggy").glob("*.csv"):
        rows = [row for row in read_csv(path) if row["id"] != "i0003"]
        write_csv(path, list(rows[0]), rows)
    for folder in folders:
        made_experiments.write_summary(folder)
    found = differences(folders)
    assert found["phone-raw", "swuggy", "accuracy"]["n"] == 396
    assert found["phone-raw", "swuggy", "couples"]["n"] == 198


def test_scores_of_another_normalization_are_not_paired(tmp_path: Path):
    folders = made_experiments.two(tmp_path)
    evaluation = read_json(folders[1] / "config.json")["evaluation"] | {"score_normalization": "per_token"}
    change_config(folders[1], evaluation=evaluation)
    row = differences(folders)["phone-raw", "swuggy", "accuracy"]
    assert row["paired"] == "not paired: decided by the score total in a and per_token in b"


def test_another_system_is_compared_with_every_model_of_its_experiment(tmp_path: Path):
    first, _ = made_experiments.two(tmp_path)
    made_scores.write_scores(first / "evaluation", "swuggy", made_scores.nested({"theirs": 0.6}))
    made_experiments.write_summary(first)
    evaluation = read_json(first / "config.json")["evaluation"]
    change_config(first, evaluation=evaluation | {"external_systems": {"theirs": {"swuggy": "scores.csv"}}})
    rows = difference_rows([Experiment.read(first)], RESAMPLING)
    found = {row["baseline"]: row for row in rows if row["metric"] == "accuracy"}
    assert {row["modality"] for row in rows} == {"theirs"}
    assert found["text-raw"]["difference"] == pytest.approx(-20.0)
    assert found["phone-raw"]["difference"] == pytest.approx(-10.0)


def test_scores_are_the_union_and_blank_cells_say_why(tmp_path: Path):
    first, _ = made_experiments.two(tmp_path)
    noise = np.full(60, 9.0)
    right = made_scores.nested({"phone-raw": 0.7, "units-bpe": 0.6})
    third = made_experiments.write(
        tmp_path / "c", {"sblimp": right}, {"phone-raw": noise, "units-bpe": noise}, text="sentence"
    )
    rows = score_rows([Experiment.read(first), Experiment.read(third)], read_paper(PAPER))
    cells = {(row["modality"], row["task"], row["metric"], row["experiment"]): row for row in rows}
    assert cells["text-raw", "swuggy", "accuracy", "a"]["value"] == 0.8
    assert cells["text-raw", "swuggy", "accuracy", "c"]["blank"] == "no such modality"
    assert cells["phone-raw", "swuggy", "accuracy", "c"]["blank"] == "no such task"
    assert cells["units-bpe", "sblimp", "accuracy", "a"]["blank"] == "no such modality"
    assert cells["text-raw", "swuggy", "accuracy", "paper"]["value"] == 0.856
    assert cells["units-bpe", "sblimp", "accuracy", "paper"]["blank"] == "not published"
    assert ("text-raw", "sblimp", "accuracy", "a") not in cells, "a cell that nobody has is no row"
    assert all((row["value"] == "") == bool(row["blank"]) for row in rows)
    assert [row["experiment"] for row in rows[:3]] == ["a", "c", "paper"]


def test_scores_that_the_summary_is_not_of_are_refused(tmp_path: Path):
    first, _ = made_experiments.two(tmp_path)
    made_scores.write_scores(first / "evaluation", "swuggy", made_scores.nested({"phone-raw": 0.5}))
    with pytest.raises(ValueError, match=r"summary\.csv: the accuracy of phone-raw on swuggy is 0\.700000, but .*0\.5"):
        score_rows([Experiment.read(first)], None)


def test_further_seeds_stand_beside_the_first(tmp_path: Path):
    first, second = made_experiments.two(tmp_path)
    row = {"metric": "accuracy_percent", "factor": "", "baseline": "", "modality": "phone-raw", "task": "swuggy",
           "mean": 71.5, "sd": 1.25, "lowest": 70, "highest": 73, "ci_low": 65, "ci_high": 75, "seeds": 3,
           "n": 400}  # fmt: skip
    write_csv(first / "report/tables/seeds.csv", list(row), [row])
    change_config(first, seeds=[2, 3])
    rows = score_rows([Experiment.read(first), Experiment.read(second)], None)
    cells = {(row["modality"], row["metric"], row["experiment"]): row for row in rows}
    found = cells["phone-raw", "accuracy", "a"]
    assert (found["seed"], found["seeds"], found["seeds_mean"], found["seeds_sd"]) == (1, 3, 0.715, 0.0125)
    assert cells["phone-raw", "accuracy", "b"]["seeds"] == ""


def test_factors_stand_as_each_report_states_them(tmp_path: Path, call):
    first, second = made_experiments.two(tmp_path)
    factors = [{"name": "A", "from": "text-raw", "to": "phone-raw"}]
    change_config(first, factors=factors)
    call(table_factors, "--evaluation", first / "evaluation", "--dropped", first / "evaluation/dropped.csv", "--config",
         json.dumps({"factors": factors}), "--tasks", "swuggy", "--samples", 50, "--seed", 1, "--score-normalization",
         "total", "--paper", PAPER, "--output", first / "report/tables")  # fmt: skip
    bits = {"factor": "A", "baseline": "text-raw", "modality": "phone-raw", "change_percent": 100.0, "ci_low": 99.0,
            "ci_high": 101.0, "difference": 7.5, "difference_ci_low": 7, "difference_ci_high": 8, "n": 60,
            "p_value": 0.01, "p_holm": 0.02, "baseline_bits_per_second": 7.5, "bits_per_second": 15.0}  # fmt: skip
    write_csv(first / "report/tables/bit_factors.csv", list(bits), [bits])
    rows = factor_rows([Experiment.read(first), Experiment.read(second)], read_paper(PAPER))
    cells = {(row["task"], row["metric"], row["experiment"]): row for row in rows}
    assert cells["swuggy", "accuracy", "a"]["change_percent"] == -12.5
    assert cells["swuggy", "accuracy", "a"]["difference"] == pytest.approx(-10)
    assert cells["swuggy", "accuracy", "b"]["blank"] == "no such factor"
    assert cells["swuggy", "accuracy", "paper"]["change_percent"] == 0.0
    assert cells["swuggy", "couples", "paper"]["blank"] == "not published"
    assert cells["dev", "bits_per_second", "a"]["difference"] == 7.5


def test_settings_that_differ_are_listed_with_the_value_of_every_experiment(tmp_path: Path):
    first, second = made_experiments.two(tmp_path)
    third = made_experiments.two(tmp_path / "more")[1]
    lm = read_json(second / "config.json")["lm"]
    change_config(second, lm=lm | {"model": lm["model"] | {"layers": 12}}, plan={}, name="other")
    change_config(third, seed=7)
    rows = setting_rows([Experiment.read(folder) for folder in (first, second, third.rename(tmp_path / "c"))])
    assert [(row["key"], row["experiment"], row["value"]) for row in rows] == [
        *(("lm.model.layers", name, value) for name, value in zip("abc", ("4", "12", "4"), strict=True)),
        *(("seed", name, value) for name, value in zip("abc", "117", strict=True)),
    ]
