"""Tables and figures of crossings, ladders and dials, from csv files that the steps of evaluation write."""

import json
from pathlib import Path

import pytest

from scripts.common.files import read_csv, write_csv
from scripts.evaluation import crossing, dials, ladder
from scripts.report import figure_dial, figure_ladder, table_crossing, table_dials, table_ladder
from tests.report import fake

SEEDS = ("--seeds", 1, "--config", json.dumps({"bootstrap_samples": 50, "score_normalization": "total"}))
CROSSING = {"name": "A-then", "cells": {"none": "text-raw", "A": "phone-raw", "A+B": "phone-repeat",
                                        "A+C": "phone-bpe", "A+B+C": "speech-hubert"}}  # fmt: skip
LADDER = {"name": "chain", "from": "phone-raw", "steps": [{"name": "length", "to": "phone-repeat"},
                                                           {"name": "units", "to": "speech-hubert"}]}  # fmt: skip
DIAL = {"name": "rate", "factor": "B", "dose": "frame rate", "unit": "Hz",
        "points": [{"modality": "phone-raw", "dose": 1}, {"modality": "phone-repeat", "dose": 50}]}  # fmt: skip


@pytest.fixture
def tables(standing: Path, tmp_path: Path, call) -> Path:
    """A folder with crossing.csv, ladder.csv and dials.csv of the invented results."""
    evaluation = standing / "evaluation"
    base = ("--evaluation", evaluation, "--dropped", evaluation / "dropped.csv", "--tasks", *fake.TASKS, *SEEDS)
    exposures = [
        {"modality": name, "task": "swuggy", "measure": "couples", "quantity": "threshold", "value": value,
         "ci_low": 3.0, "ci_high": "inf", "n": 30, "text": text}
        for name, value, text in (("phone-raw", 5.0, "5 [3, > 256]"), ("phone-repeat", "inf", "> 256 [3, > 256]"))
    ]  # fmt: skip
    write_csv(tmp_path / "exposures.csv", list(exposures[0]), exposures)
    call(crossing, *base, "--crossings", json.dumps({"crossings": [CROSSING]}), "--out", tmp_path / "crossing.csv")
    call(ladder, *base, "--ladders", json.dumps({"ladders": [LADDER]}), "--out", tmp_path / "ladder.csv")
    call(dials, *base, "--dials", json.dumps({"dials": [DIAL]}), "--tokens", standing / "tokens", "--exposures",
         tmp_path / "exposures.csv", "--out", tmp_path / "dials.csv")  # fmt: skip
    return tmp_path


@pytest.mark.parametrize(
    ("module", "name"), [(table_crossing, "crossing"), (table_ladder, "ladder"), (table_dials, "dials")]
)
def test_the_csv_is_that_of_evaluation_and_a_damaged_one_is_named(tables, call, module, name):
    path, out = tables / f"{name}.csv", tables / "out"
    call(module, f"--{name}", path, "--output", out)
    assert (out / f"{name}.csv").read_bytes() == path.read_bytes()
    assert {p.suffix for p in out.glob(f"{name}.*")} == {".csv", ".md", ".tex", ".html"}
    path.write_text(path.read_text().replace(",value,", ",amount,", 1))
    with pytest.raises(ValueError, match=rf"{name}\.csv: no column 'value'"):
        call(module, f"--{name}", path, "--output", out)


def test_a_crossing_says_what_comes_after_what(tables):
    table = table_crossing.build_table(tables / "crossing.csv")
    said = [row[3] for row in table.rows if row[1] == "sWUGGY" and row[2] == "pairs"]
    assert said[:5] == ["none: Text-Raw", "A: Phone-Raw", "A+B: Phone-Repeat", "A+C: Phone-BPE", "A+B+C: Speech-HuBERT"]
    assert "B after A" in said
    assert "B after A and C" in said
    assert "interaction B x C after A" in said
    assert "A first" in said
    shown = {row[3]: row[4] for row in table.rows if row[1] == "sWUGGY" and row[2] == "pairs"}
    found = {(r["quantity"], r["factor"]): r for r in read_csv(tables / "crossing.csv")
             if (r["task"], r["metric"]) == ("swuggy", "accuracy")}  # fmt: skip
    assert shown["the whole"].startswith(f"−{-float(found['whole', '']['value']):.1f} [−")


def test_a_ladder_shows_steps_with_their_shares(tables):
    table = table_ladder.build_table(tables / "ladder.csv")
    lines = [row for row in table.rows if row[1] == "sWUGGY" and row[2] == "pairs"]
    assert [(row[3], row[4]) for row in lines] == [
        ("length", "Phone-Raw → Phone-Repeat"),
        ("units", "Phone-Repeat → Speech-HuBERT"),
        ("the whole", "Phone-Raw → Speech-HuBERT"),
    ]
    assert lines[2][6] == "–"
    assert "[" in lines[1][6]


def test_a_dial_has_a_row_per_dose_and_a_column_per_task(tables):
    table = table_dials.build_table(tables / "dials.csv")
    assert [row[:3] for row in table.rows] == [["B: rate", "1 Hz", "Phone-Raw"], ["B: rate", "50 Hz", "Phone-Repeat"]]
    rates = [row[3] for row in table.rows]
    assert rates == ["11.2", "49.9"]
    at = [column.group for column in table.columns].index("exposures for 75%")
    assert [row[at] for row in table.rows] == ["5 [3, > 256]", "> 256 [3, > 256]"]


def test_the_figures_stand_in_every_format_with_the_same_bytes(tables, call):
    for name, module, more in (
        ("dial_rate", figure_dial, ("--dials", tables / "dials.csv", "--dial", "rate", "--axis", "frame rate, Hz")),
        ("ladder", figure_ladder, ("--ladder", tables / "ladder.csv")),
    ):
        for folder in ("one", "two"):
            call(module, *more, "--formats", "svg", "png", "--output", tables / folder / name)
        for form in ("svg", "png", "csv"):
            assert (tables / f"one/{name}.{form}").read_bytes() == (tables / f"two/{name}.{form}").read_bytes()
    drawn = read_csv(tables / "one/dial_rate.csv")
    assert {row["metric"] for row in drawn} == {"couples", "threshold", "bits_per_second"}  # couples for pairs
    assert {row["quantity"] for row in read_csv(tables / "one/ladder.csv")} == {"step", "whole"}


def test_a_dial_that_is_not_there_is_named(tables):
    with pytest.raises(ValueError, match=r"dials\.csv: no row of dial 'pitch'"):
        figure_dial.read(tables / "dials.csv", "pitch")
