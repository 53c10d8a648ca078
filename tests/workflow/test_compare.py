"""`snakemake compare`: reads what other experiments finished, makes nothing of theirs, and says what is missing."""

import shutil

import pytest

from scripts.common.files import read_csv
from tests.factories.experiments import finish
from tests.factories.workflow import SMOKE, Workflow, listing

OWN = {"compare", "compare_tables", "compare_figure", "compare_page"}
WITH_FULL = "compare: {with: [full]}"


def test_other_experiments_are_inputs_and_no_job_makes_them(workflow: Workflow):
    finish(workflow.folder / "results", "full")
    done = workflow.snakemake("--dry-run", "--configfile", workflow.overlay(WITH_FULL), "--", "compare")
    lines = (done.stdout + done.stderr).splitlines()
    assert {line.split()[1].rstrip(":") for line in lines if line.startswith(("rule ", "localrule "))} >= OWN
    assert any(line.startswith("    input:") and "results/full/evaluation/summary.csv" in line for line in lines)
    assert not [line for line in lines if line.startswith("    output:") and "results/full" in line]


def test_without_others_the_paper_is_beside_the_experiment(workflow: Workflow):
    assert workflow.would_run("--", "compare") >= OWN
    assert not workflow.would_run("--", "report") & OWN


def test_an_experiment_that_cannot_be_compared_ends_compare_alone(workflow: Workflow):
    full = finish(workflow.folder / "results", "full")
    (full / "evaluation/sblimp/phone-raw.csv").unlink()
    overlay = workflow.overlay(WITH_FULL)
    done = workflow.snakemake("--configfile", overlay, "--", "compare", check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "'full', which is unfinished: there is no results/full/evaluation/sblimp/phone-raw.csv" in said
    assert "Traceback" not in said
    assert not (workflow.folder / "results/mini/corpus").exists(), "no other job was started"
    assert "corpus_write" in workflow.would_run("--configfile", overlay, "--", "report")


@pytest.mark.smoke
def test_two_finished_experiments_stand_side_by_side(smoke_copy: Workflow):
    other = smoke_copy.results.with_name("other")
    shutil.copytree(smoke_copy.results, other, symlinks=True)
    before = listing(other)
    overlay = smoke_copy.overlay("compare: {with: [other]}")
    assert {job for job in smoke_copy.would_run(*SMOKE, overlay, "--", "compare") if "/" not in job} == OWN
    smoke_copy.snakemake(*SMOKE, overlay, "--", "compare")
    assert listing(other) == before
    page = (smoke_copy.results / "compare/index.html").read_text()
    assert "<svg" in page
    assert "Side by side: smoke, other, the paper" in page
    rows = read_csv(smoke_copy.results / "compare/differences.csv")
    assert {row["paired"] for row in rows} == {"yes"}
    assert {float(row["difference"]) for row in rows} == {0.0}, "a copy does not differ"
    assert smoke_copy.would_run(*SMOKE, overlay, "--", "report") == set()
