"""The page of `snakemake compare`: what it says of the differences, and its widths in a browser."""

import html
import re
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, read_json, write_csv, write_json
from scripts.report import compare_page, compare_tables, figure_compare
from tests.evaluation import made_scores
from tests.factories.browser import laid_out, needs_browser
from tests.report import made_experiments
from tests.report.commands import PAPER


def write_page(folders: list[Path], out: Path, call, *paper: str) -> str:
    call(compare_tables, "--experiments", *folders, *paper, "--samples", 50, "--seed", 1, "--output", out)
    names = [folder.name for folder in folders]
    call(compare_page, "--tables", out, "--experiments", *names, *paper, "--output", out / "index.html")
    return (out / "index.html").read_text(encoding="utf-8")


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)))


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two experiments on the same items, and one of another modality on other items."""
    noise = np.random.default_rng(0).uniform(10, 20, 60)
    right = made_scores.nested({"phone-raw": 0.7, "units-bpe": 0.6})
    third = made_experiments.write(
        tmp_path / "c", {"swuggy": right}, {"phone-raw": noise, "units-bpe": noise}, text="thing"
    )
    return [*made_experiments.two(tmp_path), third]


def test_the_page_says_where_experiments_differ_and_where_they_cannot_be_paired(folders, tmp_path: Path, call):
    page = write_page(folders, tmp_path / "compare", call, "--paper", PAPER)
    said = text_of(page)
    assert "Side by side: a, b, c, the paper" in said
    assert "b against a, words (sWUGGY) (400 items of both): higher for Text-Raw and Phone-Raw (+10.0 points)." in said
    assert re.search(
        r"b against a, bits \(60 utterances of both\): lower for Text-Raw and Phone-Raw \(−1\.\d+ to −0\.\d+ bits", said
    )
    assert "c against a, words (sWUGGY): not paired: other items." in said
    assert "– [no such modality]" in said
    assert "– [not published]" in said
    assert "stays below 5% after Holm's correction" in said
    assert "Training seeds: a 1, b 1, c 1." in said
    assert "modalities.text-raw" in said, "the settings that differ"
    assert not re.search(r'(?:src|href)="(?!#|http://www.w3.org)', page), "no other file"
    assert write_page(folders, tmp_path / "again", call, "--paper", PAPER) == page


def test_without_a_difference_none_is_claimed(tmp_path: Path, call):
    said = text_of(write_page(made_experiments.two(tmp_path, gain=0.0), tmp_path / "compare", call))
    assert "the same within 10 points for Text-Raw and Phone-Raw (0.0 points)" in said
    assert "higher for" not in said
    assert "paper" not in said.lower()


def test_one_experiment_beside_the_paper(tmp_path: Path, call):
    folder, _ = made_experiments.two(tmp_path)
    said = text_of(write_page([folder], tmp_path / "compare", call, "--paper", PAPER))
    assert "Side by side: a, the paper" in said
    assert "85.6" in said  # the paper's Text-Raw on sWUGGY
    assert "No difference is paired." in said


def test_another_system_and_further_seeds_have_tables(tmp_path: Path, call):
    folder, _ = made_experiments.two(tmp_path)
    made_scores.write_scores(folder / "evaluation", "swuggy", made_scores.nested({"theirs": 0.5}))
    made_experiments.write_summary(folder)
    row = {"metric": "accuracy_percent", "factor": "", "baseline": "", "modality": "phone-raw", "task": "swuggy",
           "mean": 71.5, "sd": 1.25, "lowest": 70, "highest": 73, "ci_low": 65, "ci_high": 75, "seeds": 3,
           "n": 400}  # fmt: skip
    write_csv(folder / "report/tables/seeds.csv", list(row), [row])
    config = read_json(folder / "config.json")
    config["evaluation"]["external_systems"] = {"theirs": {"swuggy": "scores.csv"}}
    write_json(folder / "config.json", config | {"seeds": [2, 3]})
    said = text_of(write_page([folder], tmp_path / "compare", call))
    assert "Other systems of a against its models, words (sWUGGY) (400 items of both): lower for Theirs than" in said
    assert "Theirs Text-Raw sWUGGY pairs −30.0" in said
    assert "71.5 ± 1.2 [3 seeds]" in said


def test_the_figure_holds_what_it_draws_and_why_a_point_is_missing(folders, tmp_path: Path, call):
    write_page(folders, tmp_path / "compare", call, "--paper", PAPER)
    command = ("--scores", tmp_path / "compare/scores.csv", "--formats", "svg", "--output", tmp_path / "figure")
    call(figure_compare, *command)
    rows = read_csv(tmp_path / "figure.csv")
    assert {row["metric"] for row in rows} == {"accuracy", "bits_per_second"}
    assert {row["blank"] for row in rows if not row["value"]} == {"no such modality", "not published"}
    first = (tmp_path / "figure.svg").read_bytes()
    call(figure_compare, *command)
    assert (tmp_path / "figure.svg").read_bytes() == first


@needs_browser
def test_nothing_runs_off_the_right_edge_at_any_width(folders, tmp_path: Path, call):
    desk, phone = laid_out(write_page(folders, tmp_path / "compare", call, "--paper", PAPER), (1280, 360), tmp_path)
    assert desk["scrolled"] == 0
    assert len(phone["left"]) >= 2, "wide tables scroll in their own box"
