"""An item that one modality cannot score is left out of all comparisons; a choice may have several sides."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv, write_jsonl
from scripts.common.ragged import Ragged, save_bin
from scripts.evaluation import common_items, score, score_rows, summary, tuned_lens
from scripts.evaluation.config import Factor, Summarising
from scripts.evaluation.items import Task, cut_ids, scorable
from scripts.report import table_dropped, table_factors
from scripts.report.comparison import Comparison
from scripts.report.result_files import item_scores
from tests.evaluation.conftest import item
from tests.evaluation.test_steps import score_flags
from tests.factories.cuts import lettered_cut
from tests.factories.models import CONTEXT, random_sequence


def scores(folder: Path, modality: str, right: dict[str, float | str], couples: dict[str, str] | None = None) -> Path:
    """Rows of two voices per item; a text instead of a number says why there is none."""
    found = []
    for name, value in right.items():
        place = {"subset": "all", "group": "g", "id": name, "couple": (couples or {}).get(name, name)}
        for voice in ("a", "b"):
            said = {"correct": value, "dropped": ""} if isinstance(value, float) else {"correct": "", "dropped": value}
            found.append({**dict.fromkeys(score_rows.COLUMNS, ""), **place, "voice": voice, **said})
    write_csv(folder / f"toy/{modality}.csv", score_rows.COLUMNS, found)
    return folder / f"toy/{modality}.csv"


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Scores of two modalities, of which each could not score one of four items."""
    one = scores(tmp_path, "one", {"w": 1.0, "x": "too-long", "y": 1.0, "z": 0.0})
    other = scores(tmp_path, "other", {"w": 0.0, "x": 1.0, "y": "no-tokens", "z": 0.0})
    return [one, other]


def test_what_one_modality_lacks_leaves_the_comparison_of_all(two: list[Path], run_step: Callable, capsys) -> None:
    out = two[0].parent.parent / "dropped.csv"
    run_step(common_items.main, "--scores", *two, "--out", out)
    assert [tuple(row.values()) for row in read_csv(out)] == [
        ("toy", "x", "one", "too-long"),
        ("toy", "y", "other", "no-tokens"),
    ]
    stderr = capsys.readouterr().err
    assert "evaluation/toy: 1 items are excluded from all comparisons: too-long in one" in stderr
    assert "evaluation: 2 items excluded from comparisons" in stderr
    dropped = common_items.Dropped.read(out)
    assert [[row["id"] for row in dropped.common_rows(path)] for path in two] == [["w", "w", "z", "z"]] * 2
    right = [item_scores(path, dropped)["correct"].to_dict() for path in two]
    assert right == [{"w": 1.0, "z": 0.0}, {"w": 0.0, "z": 0.0}]
    factors = [Factor("A", "one", "other")]
    (row,) = table_factors.rows(Comparison(out.parent, dropped, factors, ["toy"], 20, 1), "total")
    assert (row["change_percent"], row["n"]) == (-100.0, 2)


def test_an_item_leaves_with_its_mate_and_both_are_counted(tmp_path: Path, run_step: Callable, capsys) -> None:
    couples = {"ua": "u", "ub": "u", "va": "v", "vb": "v", "xa": "x", "xb": "x", "ya": "y"}
    right: dict[str, float | str] = dict.fromkeys([*couples, "alone"], 1.0)
    one = scores(tmp_path, "one", {**right, "ua": "too-long", "xa": "no-tokens"}, couples)
    other = scores(tmp_path, "other", {**right, "ua": "too-long", "xb": "no-tokens"}, couples)
    run_step(common_items.main, "--scores", one, other, "--out", tmp_path / "dropped.csv")
    assert [tuple(row.values())[1:] for row in read_csv(tmp_path / "dropped.csv")] == [
        ("ua", "one", "too-long"),
        ("xa", "one", "no-tokens"),
        ("ua", "other", "too-long"),
        ("xb", "other", "no-tokens"),
        ("ub", "one", "couple-incomplete"),
        ("ub", "other", "couple-incomplete"),
        ("ya", "any", "couple-incomplete"),  # an earlier stage dropped its mate
    ]
    dropped = common_items.Dropped.read(tmp_path / "dropped.csv")
    assert sorted({row["id"] for row in dropped.common_rows(one)}) == ["alone", "va", "vb"]
    assert "evaluation: 5 items excluded from comparisons" in capsys.readouterr().err
    left = table_dropped.rows(*(empty(tmp_path, name) for name in ("corpus", "alignment")), tmp_path / "dropped.csv")
    assert {row["reason"]: row["count"] for row in left if row["example"] in ("ub", "ya")} == {
        "couple-incomplete in one": 1, "couple-incomplete in other": 1, "couple-incomplete": 1,
    }  # fmt: skip


def empty(folder: Path, stage: str) -> Path:
    """A stage's dropped.csv without a row."""
    write_csv(folder / f"{stage}.csv", ["split", "id", "reason", "detail"], [])
    return folder / f"{stage}.csv"


def test_a_list_that_does_not_fit_the_scores_is_refused(two: list[Path], tmp_path: Path) -> None:
    write_csv(tmp_path / "dropped.csv", common_items.COLUMNS, [])
    with pytest.raises(
        ValueError, match=r"one\.csv: item 'x' has no score \(too-long\), which evaluation/dropped\.csv"
    ):
        common_items.Dropped.read(tmp_path / "dropped.csv").common_rows(two[0])
    with pytest.raises(ValueError, match=r"one\.csv:4: 'correct' must lie between 0 and 1"):
        item_scores(two[0], common_items.Dropped.read(tmp_path / "dropped.csv"))


def test_a_task_of_which_nothing_is_left_says_whose_fault_it_is(tmp_path: Path, run_step: Callable) -> None:
    files = [
        scores(tmp_path, "one", {"w": 1.0, "x": "too-long"}),
        scores(tmp_path, "two", {"w": "no-tokens", "x": 1.0}),
    ]
    says = r"toy: no item is left that every modality can score \(one too-long 1, two no-tokens 1\)"
    with pytest.raises(ValueError, match=says):
        run_step(common_items.main, "--scores", *files, "--out", tmp_path / "dropped.csv")
    assert not (tmp_path / "dropped.csv").exists()


def test_a_modality_that_can_score_nothing_says_so(tmp_path: Path) -> None:
    items = [item("a"), item("b")]
    tokens = {name: np.zeros(30) for name in cut_ids(items)}
    with pytest.raises(ValueError, match=r"toy: none of its 2 items .* e\.g\. a: too-long \(the model's context is 29"):
        scorable(Task("toy", items, tokens, tmp_path), 29)
    tokens["a-speaker-0-negative"] = np.array([1, 2])
    kept = scorable(Task("toy", items, tokens, tmp_path), 30)
    assert [each["id"] for each in kept.items] == ["b"]
    assert list(kept.tokens) == cut_ids(items[1:])


@pytest.fixture
def choice_task(tmp_path: Path) -> list[dict]:
    """A pair, a choice among three, one with an empty side, one beyond the window; tokens of all."""
    rng = np.random.default_rng(5)
    items = [item(name) for name in ("pair", "three", "empty", "long")]
    items[1]["negative"] = [items[1]["negative"], lettered_cut("three-other", seconds=2.0)]
    lengths = {"empty-speaker-0-positive": 0, "long-speaker-0-negative": CONTEXT}
    tokens = {name: random_sequence(rng, lengths.get(name, 9)) for name in cut_ids(items)}
    write_jsonl(tmp_path / "toy.jsonl.gz", items)
    save_bin(tmp_path / "toy.bin", Ragged.join(list(tokens), list(tokens.values())))
    return items


def test_the_step_scores_what_it_can_and_names_the_rest(
    choice_task: list[dict], run_step: Callable, model_folder: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(tuned_lens, "STEPS", 3)
    run_step(score.main, *score_flags(tmp_path, model_folder))
    found = {row["id"]: row for row in read_csv(tmp_path / "evaluation/toy/phone-raw.csv")}
    assert {name: row["dropped"] for name, row in found.items()} == {
        "pair": "", "three": "", "empty": "no-tokens", "long": "too-long",
    }  # fmt: skip
    assert {found[name]["correct"] for name in ("empty", "long")} == {""}
    assert len(found["three"]["logprob_negative"].split(";")) == 2
    assert found["three"]["seconds_negative"] == "1.0;2.0"
    assert "of 2 items (2 rows with voices), 2 rows could not be scored" in capsys.readouterr().err
    by_layer = read_csv(tmp_path / "layers.csv")
    assert {(row["n"], row["chance"]) for row in by_layer} == {("2", str((1 / 2 + 1 / 3) / 2))}
    told = summary.accuracies([found["pair"], found["three"]], Summarising(20, "total"), 1)
    assert told["chance"].value == pytest.approx((1 / 2 + 1 / 3) / 2)
    assert told["accuracy"].value == pytest.approx(float(by_layer[-1]["value"]))


def test_a_choice_can_be_decided_in_every_way() -> None:
    measures = {"logprob": [-4.0, -5.0, -8.0], "tokens": [4, 4, 16], "seconds": [1.0, 2.0, 1.0]}
    made = score_rows.score_row(score_rows.text_key("a", "v", "all", "g"), measures)
    assert [score_rows.decide_rows([made], way).tolist() for way in ("total", "per_token", "per_second")] == [
        [1.0],
        [0.0],
        [0.0],
    ]
    assert score_rows.fill_correct([made], "total")[0]["correct"] == "1"
    assert score_rows.num_sides([made]).tolist() == [3]
    assert json.loads(json.dumps(made))["logprob_negative"] == "-5.0;-8.0"
