"""Files that may be deleted, by the jobs that a dry run lists afterwards; and the plan before and after a run."""

import csv
import shutil
import subprocess
import sys

import pytest

from tests.factories.workflow import SMOKE, Workflow

pytestmark = pytest.mark.slow
STAGES = {"corpus", "alignment", "units", "tokens", "lm", "evaluation", "continuation", "report"}


def test_what_is_deleted_comes_back_only_where_it_is_asked_for(smoke_copy: Workflow):
    results = smoke_copy.results
    for name in ("corpus/audio/train", "corpus/cuts", "units/train", "lm/text-raw/scaling"):
        shutil.rmtree(results / name)
    (results / "report/figures/training.svg").unlink()
    assert smoke_copy.would_run(*SMOKE, "--", "figures") == {"report_figure_training", "figures"}


def test_a_figure_that_needs_what_was_deleted_has_it_made_again(smoke_copy: Workflow):
    for name in ("lm/text-raw/scaling", "evaluation/scaling"):
        shutil.rmtree(smoke_copy.results / name)
    (smoke_copy.results / "report/figures/scaling.svg").unlink()
    jobs = smoke_copy.would_run(*SMOKE, "--", "figures")
    assert "lm_train/text-raw" in jobs
    assert "lm_train/phone-raw" not in jobs
    assert "units_extract" not in jobs


def test_the_plan_of_a_run_and_how_it_went(smoke_copy: Workflow):
    smoke_copy.snakemake(*SMOKE, "--", "plan")
    folder = smoke_copy.results
    with open(folder / "plan" / "rules.csv", encoding="utf-8") as file:
        planned = {row["name"]: int(row["jobs"]) for row in csv.DictReader(file)}
    benchmarks = [path.relative_to(folder / "benchmarks").parts[:2] for path in folder.glob("benchmarks/**/*.tsv")]
    done = [f"{stage}_{step.removesuffix('.tsv')}" for stage, step in benchmarks]
    assert {rule: done.count(rule) for rule in set(done)}.items() <= planned.items()
    command = [sys.executable, "-m", "scripts.plan.compare_with_run", "results/smoke"]
    printed = subprocess.run(command, cwd=smoke_copy.folder, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in printed.splitlines()]
    times = {
        line[0]: [float(field.replace(",", "")) for field in line[2:5]] for line in lines if line and line[0] in STAGES
    }
    assert set(times) == STAGES
    for stage, (predicted, clock, processor) in times.items():  # thrice: processors and their other work differ
        assert processor / 3 <= predicted <= 3 * clock, (stage, predicted, clock, processor)
    tokens = printed[printed.index("train tokens predicted") :].splitlines()[2:]
    assert len(tokens) == 6
    assert all(0.4 < float(line.split()[-1]) < 1.2 for line in tokens), (
        tokens
    )  # its bpe is smaller than the miniature's
