"""A user's program computes the units of an experiment that shares the speech of another."""

import pytest

from scripts.common.files import read_csv
from tests.factories.workflow import SMOKE, Workflow
from tests.units.test_run_command import TOKENIZER

OVERLAY = """
name: mine
share: {with: smoke, through: alignment}
units: {command: "PYTHON 'my tokenizer.py' {files} {units}", clusters: 10}
continuation: {prompts: 0}
"""


@pytest.mark.smoke
def test_units_of_a_program_are_measured_and_encoded(smoke_copy: Workflow):
    (smoke_copy.folder / "my tokenizer.py").write_text(TOKENIZER)
    overlay = smoke_copy.overlay(OVERLAY.replace("PYTHON", "python"))
    mine = smoke_copy.folder / "results/mine"
    tokens = mine / "tokens/speech-hubert/train.bin"
    smoke_copy.snakemake("--configfiles", SMOKE[1], overlay, "--", str(tokens.relative_to(smoke_copy.folder)), "units")
    (row,) = read_csv(mine / "units/quality.csv")
    assert row["encoder"] == "external"
    assert 0 < float(row["pnmi"]) < 1  # loudness says something about phones
    assert tokens.stat().st_size > 0
    jobs = smoke_copy.would_run("--configfiles", SMOKE[1], overlay, "--", "report")
    assert not {job for job in jobs if job.startswith(("units_extract", "units_kmeans", "alignment_align"))}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ('continuation: {speech: {vocoder_command: "voc {mel} {wav}"}}', "continuation_speak/phone-raw"),
        ('units: {command: "tok {files} {units}"}\ncontinuation: {prompts: 0}', "units_command/dev"),
    ],
)
def test_the_braces_of_commands_are_no_wildcards(workflow: Workflow, given: str, rule: str):
    config = ("--configfile", workflow.overlay(f"name: mine\n{given}\n"))
    jobs = workflow.would_run(*config, "--", "report", "compare", "demo")
    assert {"report", "compare", "demo", rule} <= jobs
    workflow.snakemake(*config, "--", "plan")
    assert rule.partition("/")[0] in (workflow.folder / "results/mine/plan/jobs.txt").read_text()
