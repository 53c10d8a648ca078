"""`snakemake dials` on the smoke experiment: nothing is trained again, and its numbers are those of other tables."""

import csv
from pathlib import Path

import pytest

from tests.factories.workflow import SMOKE, Workflow

DIALS = """
crossings:
  - {name: A-BPE, cells: {none: text-raw, A: phone-raw, BPE: text-bpe, A+BPE: phone-bpe}}
ladders:
  - name: chain
    from: text-raw
    steps:
      - {name: phones, to: phone-raw}
      - {name: frames, to: phone-repeat}
      - {name: units, to: speech-hubert}
dials:
  - name: rate
    factor: B
    dose: frames per phone
    unit: about
    points: [{modality: phone-raw, dose: 1}, {modality: phone-repeat, dose: 5}]
"""


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.smoke
def test_dials_compare_what_stands_and_agree_with_the_other_tables(smoke_copy: Workflow):
    overlay = (*SMOKE, smoke_copy.overlay(DIALS), "--", "dials")
    jobs = {job for job in smoke_copy.would_run(*overlay) if "/" not in job}
    assert jobs == {
        *("dials", "evaluation_crossing", "evaluation_ladder", "evaluation_dials", "report_table_crossing"),
        *("report_table_ladder", "report_table_dials", "report_figure_ladder", "report_figure_dial_rate"),
    }
    smoke_copy.snakemake(*overlay)
    evaluation, report = smoke_copy.results / "evaluation", smoke_copy.results / "report"
    summary = {
        (row["modality"], row["task"], row["metric"]): float(row["value"]) for row in rows(evaluation / "summary.csv")
    }
    cells = [row for row in rows(evaluation / "crossing.csv") if row["quantity"] == "cell"]
    assert len(cells) == 4 * (3 * 2 + 1)
    for row in cells:
        scale = 1 if row["task"] == "dev" else 100
        expected = scale * summary[row["modality"], row["task"], row["metric"]]
        assert float(row["value"]) == pytest.approx(expected, abs=1e-4)
    factors = {
        (row["baseline"], row["modality"], row["task"], row["metric"]): row
        for row in rows(report / "tables/factors.csv")
    }
    steps = [r for r in rows(evaluation / "ladder.csv") if r["quantity"] == "step" and r["task"] != "dev"]
    assert len(steps) == 3 * 3 * 2
    for row in steps:  # the same changes, over the same resamples
        factor = factors[row["baseline"], row["modality"], row["task"], row["metric"]]  # columns 2 to 5
        for own, other in (("value", "change_points"), ("ci_low", "points_ci_low"), ("ci_high", "points_ci_high")):
            assert float(row[own]) == pytest.approx(float(factor[other]), abs=1e-4)
    assert {row["metric"] for row in rows(evaluation / "dials.csv")} == {
        *("accuracy", "couples", "bits_per_second", "threshold"),
    }
    assert (report / "figures/dial_rate.svg").stat().st_size > 1000
    assert smoke_copy.would_run(*overlay) == set()
    assert smoke_copy.would_run(*SMOKE) == set()  # without the sections nothing has changed


@pytest.mark.smoke
def test_dials_without_any_say_what_to_name(smoke_copy: Workflow):
    done = smoke_copy.snakemake(*SMOKE, "--", "dials", check=False)
    assert done.returncode
    assert "config: crossings, ladders and dials are empty; take workflow/configs/dials-quick.yaml" in done.stderr
