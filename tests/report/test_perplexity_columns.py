"""Continuations in the tables: their cells and their change; no columns without continuations."""

import shutil
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
    return tables_of(standing, call, tmp_path)


def tables_of(standing: Path, call, tmp_path: Path) -> Path:
    """The tables of results, factors and continuations, in `tmp_path`."""
    paper = ("--paper", PAPER, "--output", tmp_path)
    call(table_results, "--summary", standing / "evaluation/summary.csv", "--modalities", *fake.MODALITIES, "--tasks",
         *fake.TASKS, "--continuation", standing / "continuation/summary.csv", "--score-normalization", "total",
         *paper)  # fmt: skip
    call(table_factors, "--evaluation", standing / "evaluation", "--dropped", standing / "evaluation/dropped.csv",
         "--config", fake.factors_json(*fake.FACTORS),
         "--tasks", *fake.TASKS, "--continuations", standing / "continuation/judged/generated",
         "--continuation-summary", standing / "continuation/summary.csv", "--samples", 300,
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
    assert {cell for row in rows if row[2] == "Continuation" for cell in row[theirs + 1 :]} == {"–", "yes"}
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


def with_spoken_text(standing: Path, folder: Path) -> tuple[Path, Path, Path]:
    """(summary, errors, judged) of the standing results, where Text-Raw was also spoken and is 1.5 times worse."""
    judged = folder / "spoken_text/judged/generated"
    rows = read_csv(standing / "continuation/judged/generated/text-raw.csv")
    worse = [{**row, "perplexity": row["perplexity"] and 1.5 * float(row["perplexity"])} for row in rows]
    write_csv(judged / "text-raw.csv", list(rows[0]), worse)
    rows = read_csv(standing / "continuation/summary.csv")
    spoken = [
        {**row, "task": row["task"].replace("continuation", "continuation-spoken"), "value": 1.5 * float(row["value"])}
        for row in rows
        if row["modality"] == "text-raw"
    ]
    write_csv(folder / "summary.csv", list(rows[0]), rows + spoken)
    errors = read_csv(standing / "continuation/recogniser.csv")
    text = {"speech": "text-raw", "word_error_rate": 0.11, "phone_error_rate": 0.05}
    write_csv(folder / "recogniser.csv", list(errors[0]), [*errors, text])
    return folder / "summary.csv", folder / "recogniser.csv", judged


def test_spoken_text_has_a_row_and_a_change_of_its_own(standing: Path, call, tmp_path: Path):
    summary, errors, judged = with_spoken_text(standing, tmp_path)
    call(table_continuation, "--summary", summary, "--recogniser", errors, "--modalities", *fake.MODALITIES,
         "--output", tmp_path)  # fmt: skip
    head, _, *rows = lines(tmp_path / "continuation.md")
    assert [row[0] for row in rows] == [
        "Text-BPE", "Text-Raw", "Text-Raw, spoken", "Phone-BPE", "Phone-Raw", "Phone-Repeat", "Speech-HuBERT",
    ]  # fmt: skip
    direct, spoken = (dict(zip(head, row, strict=True)) for row in rows[1:3])
    median, wrong = "generated: perplexity: median", "real continuations, resynthesised: word errors, %"
    assert float(spoken[median]) == pytest.approx(1.5 * float(direct[median]), abs=0.1)
    assert (direct[wrong], spoken[wrong]) == ("–", "11.0")

    call(table_factors, "--evaluation", standing / "evaluation", "--dropped", standing / "evaluation/dropped.csv",
         "--config", fake.factors_json(*fake.FACTORS), "--tasks", *fake.TASKS, "--continuations",
         standing / "continuation/judged/generated", "--continuation-summary", summary,
         "--spoken-text", judged, "--samples", 100, "--seed", 1,
         "--score-normalization", "total", "--paper", PAPER, "--output", tmp_path)  # fmt: skip
    found = {(r["baseline"], r["task"]): float(r["change_percent"]) for r in read_csv(tmp_path / "factors.csv")}
    assert [key for key in found if key[1] == "continuation-spoken"] == [("text-raw", "continuation-spoken")]
    ratio = 1 + found["text-raw", "continuation"] / 100
    assert 1 + found["text-raw", "continuation-spoken"] / 100 == pytest.approx(ratio / 1.5, rel=1e-4)
    assert "Continuation-Spoken" in [row[2] for row in lines(tmp_path / "factors.md")]
    assert "went through the same voice and recogniser" in (tmp_path / "factors.md").read_text()
    assert set(figure_factors.changes(tmp_path / "factors.csv", read_paper(PAPER))["task"]) == set(fake.TASKS)


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


FAILURE = "the recogniser's word error rate is 91% on held-out speech, more than 30%"


def test_what_no_instrument_measures_is_not_shown_as_a_result(standing: Path, call, tmp_path: Path):
    broken = tmp_path / "broken"
    shutil.copytree(standing, broken)
    fake.write_continuations(broken, fake.MODALITIES, FAILURE)
    out = tables_of(broken, call, tmp_path / "out")

    head, _, *rows = lines(out / "results.md")
    place = head.index("continuation, perplexity: ours")
    shown = {row[0]: [*row[place : place + 3], row[place + 4]] for row in rows}
    for spoken in ("Phone-BPE", "Phone-Raw", "Phone-Repeat", "Speech-HuBERT"):
        assert shown[spoken] == ["not measurable", "–", "–", "–"]
    assert "[" in shown["Text-Raw"][0]  # the judge alone reads text

    head, _, *rows = lines(out / "continuation.md")
    cells = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert cells["Phone-Raw"]["generated: perplexity: mean"] == "not measurable"
    assert cells["Phone-Raw"]["generated: perplexity: median"] == "–"
    assert cells["Phone-Raw"]["real continuations, resynthesised: word errors, %"] == "14.0"  # the reason is shown
    assert cells["Text-BPE"]["generated: perplexity: median"] != "–"

    head, _, *rows = lines(out / "factors.md")
    changes = [dict(zip(head, row, strict=True)) for row in rows if row[2] == "Continuation"]
    assert {(row["change in %: ours"], row["measurable"]) for row in changes} == {("–", "not measurable")}

    for name in ("results", "factors", "continuation"):
        assert FAILURE in (out / f"{name}.md").read_text()
        table = [row for row in read_csv(out / f"{name}.csv") if row.get("metric") == "perplexity"]
        assert {row["measurable"] for row in table} == ({FAILURE} if name == "factors" else {FAILURE, "yes"})
        number = "change_percent" if name == "factors" else "value"
        assert all(float(row[number]) for row in table)  # the numbers stay in the csv
