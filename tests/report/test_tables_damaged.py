"""Damaged files of earlier stages are named, and nothing is written."""

import csv
import json

import pytest

from scripts.common.files import read_csv, write_csv
from scripts.report import table_bit_breakdown, table_factors, table_modalities, table_results
from tests.report import fake
from tests.report.commands import FACTORS, PAPER, commands


def rewrite(path, change):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [change(i, row) for i, row in enumerate(rows)]
    rows = [row for row in rows if row is not None]
    write_csv(path, list(rows[0]), rows)


def factors_of(results, call, tmp_path):
    factors = json.dumps({"factors": [{"name": "B", "from": "phone-raw", "to": "phone-repeat"}]})
    call(table_factors, "--evaluation", results / "evaluation", "--dropped", results / "evaluation/dropped.csv",
         "--config", factors, "--tasks", "swuggy", "--score-normalization", "total", "--samples", 10, "--seed", 1,
         "--paper", PAPER, "--output", tmp_path)  # fmt: skip


def results_of(results, call, tmp_path):
    call(table_results, "--summary", results / "evaluation/summary.csv", "--modalities", *fake.MODALITIES[3:],
         "--tasks", *fake.TASKS[:2], "--score-normalization", "total", "--paper", PAPER,
         "--output", tmp_path)  # fmt: skip


def without(column):
    return lambda i, row: {key: value for key, value in row.items() if key != column}


def only_where(keep):
    return lambda i, row: row if keep(i, row) else None


def holding(line, column, value):
    return lambda i, row: {**row, column: value} if i == line else row


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("correct"), r"swuggy/phone-repeat\.csv: no column 'correct'; found id, voice"),
        (only_where(lambda i, row: row["id"] != "swuggy-7"), r"phone-repeat\.csv: holds other items than .*'swuggy-7'"),
        (holding(4, "correct", "yes"), r"phone-repeat\.csv:6: column 'correct' holds 'yes', expected a number"),
        (holding(4, "correct", "2"), r"phone-repeat\.csv:6: 'correct' must lie between 0 and 1"),
        (holding(4, "correct", ""), r"phone-repeat\.csv:6: 'correct' must lie between 0 and 1"),
    ],
)
def test_damaged_items_are_named(results, call, tmp_path, change, message):
    rewrite(results / "evaluation/swuggy/phone-repeat.csv", change)
    with pytest.raises(ValueError, match=message):
        factors_of(results, call, tmp_path)
    assert not (tmp_path / "factors.csv").exists()


def test_empty_and_missing_items_are_named(results, call, tmp_path):
    path = results / "evaluation/swuggy/phone-repeat.csv"
    path.write_text("id,couple,correct\n")
    with pytest.raises(ValueError, match=r"phone-repeat\.csv: holds no items"):
        factors_of(results, call, tmp_path)
    path.write_text("")
    with pytest.raises(ValueError, match=r"phone-repeat\.csv: not a csv table"):
        factors_of(results, call, tmp_path)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"phone-repeat\.csv: no such file"):
        factors_of(results, call, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("ci_low"), r"summary\.csv: no column 'ci_low'"),
        (holding(0, "value", "93.5"), r"summary\.csv: phone-raw swuggy accuracy is 93\.5, expected 0 to 1"),
        (only_where(lambda i, row: i), r"summary\.csv: no row for phone-raw, swuggy, accuracy"),
        (holding(0, "n", ""), r"summary\.csv: phone-raw swuggy accuracy has no value or no n"),
        (holding(1, "metric", "accuracy"), r"summary\.csv: phone-raw swuggy accuracy appears twice"),
        (only_where(lambda i, row: row["metric"] != "bits_per_second"), r"no row for phone-raw, dev, bits_per_second"),
    ],
)
def test_a_damaged_summary_is_named(results, call, tmp_path, change, message):
    rewrite(results / "evaluation/summary.csv", change)
    with pytest.raises(ValueError, match=message):
        results_of(results, call, tmp_path)


def test_damaged_stats_are_named(results, call, tmp_path):
    path = results / "tokens/phone-raw/stats.json"
    stats = json.loads(path.read_text())
    arguments = ("--tokens", results / "tokens", "--modalities", "phone-raw", "--config", FACTORS, "--paper", PAPER,
                 "--output", tmp_path)  # fmt: skip
    del stats["splits"]["train"]["tokens"]
    path.write_text(json.dumps(stats))
    with pytest.raises(ValueError, match=r"phone-raw/stats\.json: no key 'splits\.train\.tokens'"):
        call(table_modalities, *arguments)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"stats\.json:1: not JSON"):
        call(table_modalities, *arguments)


def test_a_part_that_nobody_knows_is_named(results, call, tmp_path):
    path = results / "evaluation/bit_breakdown/phone-raw.csv"
    rows = [{**row, "part": row["part"].replace("initial", "sideways")} for row in read_csv(path)]
    write_csv(path, list(rows[0]), rows)
    for module, arguments in commands(results, tmp_path, modalities=fake.MODALITIES[3:]):
        if module is table_bit_breakdown:
            with pytest.raises(ValueError, match=r"phone-raw\.csv: part 'sideways' is not one of word, initial"):
                call(module, *arguments)
