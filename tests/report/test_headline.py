"""The first screen of the report: what fails, the figure, at most three sentences; and its widths in a browser."""

import html
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from scripts.common.files import read_csv, write_csv
from scripts.report import headline, summary_page
from scripts.report.paper_values import read_paper
from tests.factories.browser import laid_out, needs_browser
from tests.report.commands import ABOUT, PAPER, chain_of

ROW = {"factor": "B", "baseline": "phone-raw", "modality": "phone-repeat", "task": "sblimp", "change_points": -4.0,
       "points_ci_low": -9.0, "points_ci_high": -1.0, "n": 300.0, "measurable": "yes", "p_holm": 0.01,
       "p_equivalence_holm": 0.9}  # fmt: skip
MEANING = "B (longer sequences, every phone repeated for as long as it lasts): Phone-Raw → Phone-Repeat"


def sentences(*changed: dict) -> list[str]:
    return headline.task_sentences(pd.DataFrame([{**ROW, **each} for each in changed]), read_paper(PAPER))


@pytest.mark.parametrize(
    ("changed", "claim"),
    [
        ({}, "costs 4.0 [1.0, 9.0] points on syntax"),
        ({"p_holm": 0.06}, "shows no difference on syntax"),
        ({"p_holm": 0.06, "p_equivalence_holm": 0.01}, "leaves syntax −4.0 [−9.0, −1.0] the same within 10 points"),
        ({"change_points": 3.0, "points_ci_low": 1.0, "points_ci_high": 5.0}, "gains 3.0 [1.0, 5.0] points on syntax"),
        ({"measurable": "the baseline is not above chance"},
         "cannot be measured on syntax, where the baseline is not above chance"),
    ],
)  # fmt: skip
def test_a_claim_needs_its_corrected_test(changed: dict, claim: str):
    assert sentences(changed) == [f"{MEANING} {claim}."]


def test_a_letter_has_one_sentence_and_there_are_at_most_three():
    pairs = [{"factor": letter, "modality": name} for letter in "BADE" for name in ("text-raw", "text-bpe")]
    found = sentences(*pairs)
    assert [sentence[0] for sentence in found] == ["B", "A", "D"]
    assert all(sentence.count("costs 4.0") == 2 for sentence in found)


def test_other_tasks_stand_aside_unless_they_are_all():
    assert sentences({}, {"task": "my-task"}) == sentences({})
    assert sentences({"task": "my-task"}) == [f"{MEANING} costs 4.0 [1.0, 9.0] points on My-Task."]


def write_page(tables: Path, path: Path, call) -> str:
    call(summary_page, "--tables", tables, "--about", json.dumps(ABOUT), "--paper", PAPER, "--chain", chain_of(tables),
         "--with-bit-factors", "--output", path)  # fmt: skip
    return path.read_text()


def test_the_page_begins_with_the_question_and_its_answer(written: Path, tmp_path: Path, call):
    text = write_page(written, tmp_path / "summary.html", call)
    order = ["What does each step from text to speech cost", "<svg ", "B (longer sequences", "Where to go next",
             "What was run", "The cost of each factor"]  # fmt: skip
    places = [text.index(part, text.index("<body>")) for part in order]
    assert places == sorted(places)
    assert text.count("<svg ") == 2
    lead = text[text.index('<div class="lead">') : text.index("Where to go next")]
    assert lead.count("<li>") == 3
    assert "Models of seed 1, compared on the same items (words (sWUGGY) 300, syntax (sBLIMP) 300, topic" in lead
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(ids)
    assert not re.search(r'(?:src|href)="(?!#|http://www.w3.org)', text)  # no other file
    assert write_page(written, tmp_path / "again.html", call) == text


def test_what_is_not_measurable_is_said_first(written: Path, tmp_path: Path, call):
    tables = tmp_path / "tables"
    shutil.copytree(written, tables)
    shutil.copytree(chain_of(written).parent, chain_of(tables).parent)
    assert "not measurable" not in write_page(tables, tmp_path / "summary.html", call)
    rows = read_csv(tables / "results.csv")
    failed = {**rows[0], "modality": "phone-raw", "task": "continuation", "metric": "perplexity", "value": 300.0,
              "measurable": "the judge's perplexity is 10,600"}  # fmt: skip
    write_csv(tables / "results.csv", list(rows[0]), [*rows, failed])
    text = html.unescape(write_page(tables, tmp_path / "summary.html", call))
    first = text.index("Continuations of Phone-Raw are not measurable: the judge's perplexity is 10,600.")
    assert first < text.index("<svg ")


@needs_browser
def test_nothing_runs_off_the_right_edge_at_any_width(written: Path, tmp_path: Path, call):
    _, phone = laid_out(write_page(written, tmp_path / "summary.html", call), (1200, 360), tmp_path)
    assert len(phone["left"]) >= 3, "wide tables scroll in their own box"
