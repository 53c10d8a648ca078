"""Tasks of text alone: forms of items, choices with ties, what is refused, and the step against scoring by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_json, write_jsonl
from scripts.evaluation import summary, text_items, text_tasks
from scripts.evaluation.config import Summarising
from scripts.evaluation.items import SideLogprob
from scripts.evaluation.logprobs import score
from scripts.lm.model.load import load_model
from tests.factories.models import CONTEXT

CONFIG = {"score_normalization": "total", "batch_tokens": 256, "precision": "auto", "threads": 1}
DEFINITION = json.dumps({"name": "m", "source": "text", "tokenizer": "char", "case": "drop"})
BLIMP = {"sentence_good": "ab", "sentence_bad": "ba", "UID": "order", "pairID": "7", "linguistics_term": "syntax"}
CHOICE = {"id": "c", "positive": "aab", "negative": ["b", "abc", "cc"], "group": "three"}


def test_blimps_own_lines_and_choices_from_a_folder(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "task/a.jsonl", [BLIMP])
    write_jsonl(tmp_path / "task/b.jsonl.gz", [CHOICE])
    (tmp_path / "task/b.jsonl~").write_text("what an editor keeps")
    found = list(text_items.read_text_items(tmp_path / "task"))
    assert [(c.id, c.subset, c.group, c.texts) for c in found] == [
        ("order-7", "all", "syntax", ("ab", "ba")),
        ("c", "all", "three", ("aab", "b", "abc", "cc")),
    ]


def test_a_choice_is_right_above_all_others_and_ties_share() -> None:
    choice = text_items.TextItem("c", "all", "g", ("p", "x", "y"))
    tokens = {"p": np.zeros(3), "x": np.zeros(5), "y": np.zeros(5)}

    def correct(logprobs: list[float], way: str = "total") -> float:
        scores = {text: SideLogprob(nats, -0.5) for text, nats in zip(choice.texts, logprobs, strict=True)}
        return float(text_tasks.table([choice], tokens, scores, way, 9)[0]["correct"])

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
        list(text_items.read_text_items(tmp_path / "t.jsonl"))


def test_the_step_scores_like_scoring_itself(tmp_path: Path, run_step: Callable, model_folder: Path) -> None:
    write_jsonl(tmp_path / "t.jsonl", [{**BLIMP, "sentence_good": "aB"}, CHOICE])  # the modality has no case
    write_json(tmp_path / "tokenizer/tokenizer.json", {"model": {"vocab": {"a": 3, "b": 4, "c": 5}}})
    flags = ["--modality", "m", "--task", "t", "--model", model_folder, "--tokenizer", tmp_path / "tokenizer"]
    flags += ["--definition", DEFINITION]
    flags += ["--items", tmp_path / "t.jsonl", "--out", tmp_path / "t/m.csv", "--config", json.dumps(CONFIG)]
    run_step(text_tasks.main, *flags)
    rows = read_csv(tmp_path / "t/m.csv")
    ids = {"ab": [1, 3, 4, 2], "ba": [1, 4, 3, 2]}
    by_hand = score(load_model(model_folder), {k: np.array(v) for k, v in ids.items()}, 64, "x")
    assert float(rows[0]["logprob_positive"]) == pytest.approx(by_hand["ab"], abs=1e-4)
    assert float(rows[0]["logprob_negative"]) == pytest.approx(by_hand["ba"], abs=1e-4)
    letters = {"a": 3, "b": 4, "c": 5}
    others = {text: np.array([1, *(letters[letter] for letter in text), 2]) for text in CHOICE["negative"]}
    by_hand = score(load_model(model_folder), others, 64, "x")
    found = [float(number) for number in rows[1]["logprob_negative"].split(";")]
    assert found == pytest.approx(list(by_hand.values()), abs=1e-4)
    assert rows[1]["tokens_negative"] == "2;4;3"
    # A text has no seconds, so nothing is decided by them.
    told = summary.accuracies(rows, Summarising(5, "total"), 1)
    assert list(told) == [
        "accuracy",
        "accuracy_per_token",
        "accuracy_total_no_eos",
        "accuracy_per_token_no_eos",
        "chance",
    ]
    assert told["chance"].value == pytest.approx((1 / 2 + 1 / 4) / 2)


def test_a_text_that_cannot_be_scored_is_said(tmp_path: Path, run_step: Callable, model_folder: Path) -> None:
    long = {"id": "l", "positive": "a" * CONTEXT, "negative": "b"}
    write_jsonl(tmp_path / "t.jsonl", [BLIMP, long])
    write_json(tmp_path / "tokenizer/tokenizer.json", {"model": {"vocab": {"a": 3, "b": 4, "c": 5}}})
    flags = ["--modality", "m", "--task", "t", "--model", model_folder, "--tokenizer", tmp_path / "tokenizer"]
    flags += ["--definition", DEFINITION]
    flags += ["--items", tmp_path / "t.jsonl", "--out", tmp_path / "t/m.csv", "--config", json.dumps(CONFIG)]
    run_step(text_tasks.main, *flags)
    found = {row["id"]: row["dropped"] for row in read_csv(tmp_path / "t/m.csv")}
    assert found == {"order-7": "", "l": "too-long"}
    write_jsonl(tmp_path / "t.jsonl", [long])
    with pytest.raises(ValueError, match=r"t\.jsonl: none of its 1 items can be scored, e\.g\. l: too-long"):
        run_step(text_tasks.main, *flags)
