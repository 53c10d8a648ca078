"""Continuations in the tables: their cells and their change; no columns without continuations."""

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv
from scripts.common.seeds import generator
from scripts.report import figure_factors, perplexity_columns, table_continuation, table_factors, table_results
from scripts.report.paper_values import read_paper
from tests.report import fake

PAPER = "resources/paper.yaml"


@pytest.fixture
def written(standing: Path, call, tmp_path: Path) -> Path:
    paper = ("--paper", PAPER, "--output", tmp_path)
    call(table_results, "--summary", standing / "evaluation/summary.csv", "--modalities", *fake.MODALITIES, "--tasks",
         *fake.TASKS, "--continuation", standing / "continuation/summary.csv", "--score-normalization", "total",
         *paper)  # fmt: skip
    call(table_factors, "--evaluation", standing / "evaluation", "--dropped", standing / "evaluation/dropped.csv",
         "--config", json.dumps({"factors": fake.FACTORS}),
         "--tasks", *fake.TASKS, "--continuations", standing / "continuation/judged/generated", "--samples", 300,
         "--seed", 1, "--score-normalization", "total", *paper)  # fmt: skip
    call(table_continuation, "--summary", standing / "continuation/summary.csv", "--recogniser",
         standing / "continuation/recogniser.csv", "--modalities", *fake.MODALITIES, "--output", tmp_path)  # fmt: skip
    return tmp_path


def lines(path: Path) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in path.read_text().splitlines() if "|" in line]


def test_results_show_ours_and_the_papers_perplexities(written: Path, standing: Path):
    head, _, *rows = lines(written / "results.md")
    place = head.index("continuation, perplexity: ours")
    assert [row[place + 3] for row in rows][:2] == ["51.3 / 32.0", "54.6 / 33.4"]
    summary = read_csv(standing / "continuation/summary.csv")
    mean = float(next(r["value"] for r in summary if r["metric"] == "perplexity"))
    assert rows[0][place].startswith(f"{mean:.1f} [")
    assert len({len(row) for row in rows}) == 1
    stored = [row for row in read_csv(written / "results.csv") if row["task"] == "continuation"]
    assert {row["modality"] for row in stored} == set(fake.MODALITIES)


def test_factors_hold_the_change_of_the_mean_with_the_papers(written: Path, standing: Path):
    head, _, *rows = lines(written / "factors.md")
    assert [row[2] for row in rows] == ["sWUGGY", "sBLIMP", "Topic-SC", "Continuation"] * 4
    theirs = head.index("change in %: paper")
    assert [row[theirs] for row in rows if row[2] == "Continuation"] == ["+7.8", "+26.6", "+88.3", "+140.7"]
    assert {cell for row in rows if row[2] == "Continuation" for cell in row[theirs + 1 :]} == {"–"}
    base, new = (
        perplexity_columns.by_prompt(standing / f"continuation/judged/generated/{name}.csv")
        for name in ("phone-raw", "phone-repeat")
    )
    row = next(r for r in read_csv(written / "factors.csv") if (r["factor"], r["task"]) == ("B", "continuation"))
    assert float(row["change_percent"]) == pytest.approx(100 * (new.mean() / base.mean() - 1), abs=1e-5)
    assert float(row["ci_low"]) < float(row["change_percent"]) < float(row["ci_high"])
    assert row["p_holm"] == ""


def test_the_figure_of_factors_holds_no_perplexity(written: Path):
    drawn = figure_factors.changes(written / "factors.csv", read_paper(PAPER))
    assert set(drawn["task"]) == set(fake.TASKS)


def test_the_table_of_continuations_shows_errors_of_the_recogniser(written: Path):
    head, _, *rows = lines(written / "continuation.md")
    cells = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert cells["Phone-Raw"]["real continuations, resynthesised: word errors, %"] == "14.0"
    assert cells["Text-BPE"]["real continuations, resynthesised: word errors, %"] == "–"
    assert cells["Text-BPE"]["generated: without words, %"] == "1.7"
    assert cells["Text-BPE"]["generated: different words, %"] == "21.0"
    assert cells["Text-BPE"]["generated (real): on topic, %"] == "42 (42)"
    assert cells["Text-BPE"]["generated (real): in sentences, %"] == "60 (60)"
    assert "random order score 2.0 to 2.0%" in (written / "continuation.md").read_text()
    assert "0.6% on held-out speech" in (written / "continuation.md").read_text()
    for form in ("csv", "tex", "html"):
        assert (written / f"continuation.{form}").exists()


def test_continuations_without_words_have_no_change(tmp_path: Path):
    rows = [{"prompt": "p0", "status": "empty", "perplexity": ""}]
    write_csv(tmp_path / "a.csv", ["prompt", "status", "perplexity"], rows)
    change, *_, prompts = perplexity_columns.change(tmp_path / "a.csv", tmp_path / "a.csv", 10, generator(1, "x"))
    assert np.isnan(change)
    assert prompts == 0


def test_the_interval_of_a_change_narrows_with_prompts(tmp_path: Path):
    rng = np.random.default_rng(0)
    widths = []
    for count in (10, 160):
        for name in ("a", "b"):
            values = rng.lognormal(4, 0.5, count)
            rows = [{"prompt": f"p{i}", "status": "ok", "perplexity": v} for i, v in enumerate(values)]
            write_csv(tmp_path / f"{name}.csv", ["prompt", "status", "perplexity"], rows)
        _, low, high, n = perplexity_columns.change(tmp_path / "a.csv", tmp_path / "b.csv", 500, generator(1, "x"))
        assert n == count
        widths.append(high - low)
    assert widths[1] < widths[0] / 2


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda rows: rows + rows[:1], "text-bpe continuation perplexity appears twice"),
        (lambda rows: rows[1:], "no row for text-bpe, continuation, perplexity"),
    ],
)
def test_a_damaged_summary_is_named(standing: Path, tmp_path: Path, edit, message: str):
    rows = edit(read_csv(standing / "continuation/summary.csv"))
    write_csv(tmp_path / "summary.csv", list(rows[0]), rows)
    with pytest.raises(ValueError, match=message):
        perplexity_columns.rows(tmp_path / "summary.csv", fake.MODALITIES)
