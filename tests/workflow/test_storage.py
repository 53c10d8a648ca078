"""What may be deleted by hand, by the jobs that a dry run lists then; and the plan, before and after a run."""

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.workflow.conftest import Workflow

SMOKE = ("--configfile", "workflow/configs/smoke.yaml")
DRAWN = "report/figures/training.svg"


@contextmanager
def without(results: Path, *names: str) -> Iterator[None]:
    """The run without these of its files, which other tests share."""
    aside = results.with_name("aside")
    for name in names:
        (aside / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(results / name, aside / name)
    try:
        yield
    finally:
        for name in names:
            shutil.move(aside / name, results / name)


@pytest.mark.slow
def test_what_is_deleted_comes_back_only_where_it_is_asked_for(smoke: Workflow):
    results = smoke.folder / "results" / "smoke"
    large = ("corpus/audio/train", "corpus/cuts", "units/train", "lm/text-raw/scaling")
    with without(results, *large, DRAWN):
        jobs = smoke.would_run(*SMOKE, "--", "figures")
    assert jobs == {"report_figure_training", "figures"}
    asking = ("lm/text-raw/scaling", "evaluation/scaling", "report/figures/scaling.svg")
    with without(results, *asking):
        jobs = smoke.would_run(*SMOKE, "--", "figures")
    assert "lm_train/text-raw" in jobs
    assert "lm_train/phone-raw" not in jobs
    assert "units_extract" not in jobs


@pytest.mark.slow
def test_the_plan_of_a_run_and_how_it_went(smoke: Workflow):
    smoke.snakemake(*SMOKE, "--", "plan")
    folder = smoke.folder / "results" / "smoke"
    with open(folder / "plan" / "rules.csv", encoding="utf-8") as file:
        planned = {row["name"]: int(row["jobs"]) for row in csv.DictReader(file)}
    benchmarks = [path.relative_to(folder / "benchmarks").parts[:2] for path in folder.glob("benchmarks/**/*.tsv")]
    done = [f"{stage}_{step.removesuffix('.tsv')}" for stage, step in benchmarks]
    assert {rule: done.count(rule) for rule in set(done)}.items() <= planned.items()
    command = [sys.executable, "-m", "scripts.plan.check", "results/smoke"]
    printed = subprocess.run(command, cwd=smoke.folder, capture_output=True, text=True, check=True).stdout
    tokens = printed[printed.index("train tokens predicted") :].splitlines()[2:]
    assert len(tokens) == 6
    assert all(0.4 < float(line.split()[-1]) < 1.2 for line in tokens), (
        tokens
    )  # its bpe is smaller than the miniature's
