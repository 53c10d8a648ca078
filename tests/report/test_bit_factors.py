"""What each factor costs in bits: the same utterances on both sides, the interval of their ratio, its test."""

from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_csv, write_csv
from scripts.evaluation.config import Factor
from scripts.report import figure_bit_factors, table_bit_factors
from tests.report import fake

PAPER = "resources/paper.yaml"
FACTOR = [Factor("D", "a", "b")]


def write_bits(folder: Path, name: str, bits: list[float], seconds: list[float] | None = None) -> None:
    seconds = seconds or [2.0] * len(bits)
    rows = [
        {"id": f"u{i}", "seconds": s, "words": 3, "bits": b} for i, (b, s) in enumerate(zip(bits, seconds, strict=True))
    ]
    write_csv(folder / f"{name}.csv", list(rows[0]), rows)


def test_a_change_is_of_all_bits_over_all_seconds(tmp_path: Path):
    write_bits(tmp_path, "a", [10.0, 30.0], [1.0, 3.0])
    write_bits(tmp_path, "b", [20.0, 30.0], [1.0, 3.0])
    (row,) = table_bit_factors.rows(tmp_path, FACTOR, 100, 1)
    assert (row["baseline_bits_per_second"], row["bits_per_second"]) == (10.0, 12.5)
    assert (row["change_percent"], row["difference"], row["n"]) == (25.0, 2.5, 2)
    assert (row["ci_low"], row["ci_high"]) == (0.0, 100.0)  # resamples of one utterance twice


def test_the_interval_is_paired_and_the_test_finds_the_factor(tmp_path: Path):
    rng = np.random.default_rng(0)
    base = rng.uniform(10, 100, 60)
    write_bits(tmp_path, "a", base.tolist())
    write_bits(tmp_path, "b", (1.1 * base).tolist())
    (row,) = table_bit_factors.rows(tmp_path, FACTOR, 200, 1)
    assert row["ci_low"] == pytest.approx(10) == row["ci_high"]  # every utterance changes alike
    assert row["difference_ci_low"] < row["difference"] < row["difference_ci_high"]
    assert row["p_value"] < 0.001

    write_bits(tmp_path, "b", rng.permutation(base).tolist())  # unrelated, with the same sum
    (row,) = table_bit_factors.rows(tmp_path, FACTOR, 200, 1)
    assert row["change_percent"] == pytest.approx(0, abs=1e-6)
    assert row["ci_low"] < -5 < 5 < row["ci_high"]
    assert row["p_value"] == 1


def test_other_utterances_are_refused(tmp_path: Path):
    write_bits(tmp_path, "a", [1.0, 2.0])
    write_bits(tmp_path, "b", [1.0, 2.0, 3.0])
    with pytest.raises(
        ValueError, match=r"b.csv: holds other utterances than a.csv \(1 are in one file only, e.g. 'u2'\)"
    ):
        table_bit_factors.rows(tmp_path, FACTOR, 10, 1)


def test_a_damaged_file_is_named(tmp_path: Path):
    path = tmp_path / "a.csv"
    write_csv(path, ["id", "seconds", "bits"], [])
    with pytest.raises(ValueError, match=r"a\.csv: holds no utterances"):
        table_bit_factors.read_bits(path)
    row = {"id": "u", "seconds": 1.0, "bits": 2.0}
    write_csv(path, list(row), [row, row])
    with pytest.raises(ValueError, match=r"a\.csv: 'u' appears twice"):
        table_bit_factors.read_bits(path)
    write_csv(path, list(row), [row, {"id": "v", "seconds": 1.0, "bits": ""}])
    with pytest.raises(ValueError, match=r"a\.csv:3: seconds or bits are blank"):
        table_bit_factors.read_bits(path)


def test_table_and_figure_need_no_task(tmp_path: Path, standing: Path, call):
    call(table_bit_factors, "--bits", standing / "evaluation/utterance_bits", "--config",
         fake.factors_json(*fake.FACTORS), "--samples", 200, "--seed", 1, "--paper", PAPER,
         "--output", tmp_path)  # fmt: skip
    rows = read_csv(tmp_path / "bit_factors.csv")
    assert [row["factor"] for row in rows] == ["A", "A", "B", "C"]
    assert all(float(row["p_value"]) <= float(row["p_holm"]) for row in rows)
    lines = (tmp_path / "bit_factors.md").read_text().splitlines()
    shown = f"+{float(rows[2]['change_percent']):.1f} [+{float(rows[2]['ci_low']):.1f}, "
    assert next(line for line in lines if line.startswith("| B | Phone-Raw → Phone-Repeat |")).count(shown) == 1
    assert "over 128 utterances" in (tmp_path / "bit_factors.md").read_text()

    call(figure_bit_factors, "--bit-factors", tmp_path / "bit_factors.csv", "--modalities", *fake.MODALITIES,
         "--formats", "svg", "png", "--output", tmp_path / "figure")  # fmt: skip
    assert len(read_csv(tmp_path / "figure.csv")) == 4
    before = (tmp_path / "figure.svg").read_bytes()
    figure_bit_factors.draw(
        figure_bit_factors.read(tmp_path / "bit_factors.csv"), fake.MODALITIES, tmp_path / "again", ["svg"]
    )
    assert (tmp_path / "again.svg").read_bytes() == before
