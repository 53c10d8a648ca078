"""Tasks of text alone: forms of items, choices with ties, what is refused, and the step against scoring by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_json, write_jsonl
from scripts.evaluation import summary, text_tasks
from scripts.evaluation.scoring import load_model, score

CONFIG = {"decide_by": "total", "batch_tokens": 256, "threads": 1}
BLIMP = {"sentence_good": "ab", "sentence_bad": "ba", "UID": "order", "pairID": "7", "linguistics_term": "syntax"}
CHOICE = {"id": "c", "positive": "aab", "negative": ["b", "abc", "cc"], "group": "three"}


def test_blimps_own_lines_and_choices_from_a_folder(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "task/a.jsonl", [BLIMP])
    write_jsonl(tmp_path / "task/b.jsonl", [CHOICE])
    found = list(text_tasks.read_choices(tmp_path / "task"))
    assert [(c.id, c.subset, c.group, c.texts) for c in found] == [
        ("order-7", "all", "syntax", ("ab", "ba")),
        ("c", "all", "three", ("aab", "b", "abc", "cc")),
    ]


def test_a_choice_is_right_above_all_others_and_ties_share() -> None:
    choice = text_tasks.Choice("c", "all", "g", ("p", "x", "y"))

    def correct(logprobs: list[float], way: str = "total") -> float:
        return float(text_tasks.row(choice, logprobs, [2, 4, 4], way)["correct"])

    assert correct([-3.0, -4.0, -5.0]) == 1
    assert correct([-3.0, -4.0, -2.0]) == 0
    assert correct([-3.0, -3.0, -5.0]) == 0.5
    assert correct([-3.0, -3.0, -3.0]) == pytest.approx(1 / 3, abs=1e-5)
    assert correct([-3.0, -4.0, -5.0], "per_token") == 0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "holds no items; a task needs at least one"),
        ([CHOICE, CHOICE], r"t\.jsonl:2: item 'c' appears twice"),
        ([{"id": "a", "positive": "x"}], r"t\.jsonl:1: expected id, positive"),
        ([{"id": "a", "positive": "x", "negative": []}], r"t\.jsonl:1: expected id, positive"),
        ([{"id": "a", "positive": "", "negative": "x"}], r"t\.jsonl:1: expected id, positive"),
        ([{"id": "a", "positive": "x", "negative": ["y", "x"]}], "has its positive text among the negative"),
    ],
)
def test_bad_items_are_named(tmp_path: Path, lines: list[dict], message: str) -> None:
    write_jsonl(tmp_path / "t.jsonl", lines)
    with pytest.raises(ValueError, match=message):
        list(text_tasks.read_choices(tmp_path / "t.jsonl"))


def test_the_step_scores_like_scoring_itself(tmp_path: Path, run_step: Callable, model_folder: Path) -> None:
    write_jsonl(tmp_path / "t.jsonl", [BLIMP, CHOICE])
    write_json(tmp_path / "tokenizer/tokenizer.json", {"model": {"vocab": {"a": 3, "b": 4, "c": 5}}})
    flags = ["--modality", "m", "--task", "t", "--model", model_folder, "--tokenizer", tmp_path / "tokenizer"]
    flags += ["--items", tmp_path / "t.jsonl", "--out", tmp_path / "t/m.csv", "--config", json.dumps(CONFIG)]
    run_step(text_tasks.main, *flags)
    rows = read_csv(tmp_path / "t/m.csv")
    ids = {"ab": [1, 3, 4, 2], "ba": [1, 4, 3, 2]}
    by_hand = score(load_model(model_folder, 1), {k: np.array(v) for k, v in ids.items()}, 64, "x")
    assert float(rows[0]["logprob_positive"]) == pytest.approx(by_hand["ab"], abs=1e-4)
    assert float(rows[0]["logprob_negative"]) == pytest.approx(by_hand["ba"], abs=1e-4)
    assert rows[1]["logprob_negative"] == ""
    # A choice has no other decision that the file could tell, a pair of texts none by seconds.
    found = summary.accuracies(rows[:1], summary.Config("total", 5), 1)
    assert list(found) == ["accuracy", "accuracy_per_token"]
    assert list(summary.accuracies(rows, summary.Config("total", 5), 1)) == ["accuracy"]
