"""The demo: text and phones alone, of the very files that the report is made of later."""

import pytest

from tests.factories.workflow import SMOKE, Workflow

OWN = {"demo", "demo_dropped", "demo_exposures", "demo_factors", "demo_page"}


def test_the_demo_needs_no_units_and_two_thirds_of_the_models(workflow: Workflow):
    jobs = workflow.would_run(*SMOKE, "--", "demo")
    assert jobs >= OWN
    assert not {job for job in jobs if job.startswith(("units_", "continuation_", "report", "evaluation_scaling"))}
    trained = {job.partition("/")[2] for job in jobs if job.startswith("lm_train/")}
    assert trained == {"text-bpe", "text-raw", "phone-bpe", "phone-raw"}


@pytest.mark.smoke
def test_after_a_run_the_demo_makes_its_own_files_alone(smoke_copy: Workflow):
    assert {job for job in smoke_copy.would_run(*SMOKE, "--", "demo") if "/" not in job} == OWN
    smoke_copy.snakemake(*SMOKE, "--", "demo")
    page = (smoke_copy.results / "demo/index.html").read_text()
    assert "<svg" in page
    assert "Text-BPE, Text-Raw, Phone-BPE, Phone-Raw" in page
    assert "Speech-HuBERT" not in page
    assert smoke_copy.would_run(*SMOKE, "--", "report") == set()
