"""The full run of the miniature, as far as a dry run shows it."""

import pytest

from tests.factories.workflow import Workflow


@pytest.mark.slow
def test_the_full_run_trains_a_model_per_modality_share_and_seed(workflow: Workflow):
    jobs = workflow.would_run("--configfile", "workflow/configs/full.yaml")
    trained = {job.partition("/")[2] for job in jobs if job.startswith("lm_train/")}
    ways = ["", "-data25", "-data50", "-seed2", "-seed3"]
    modalities = ["text-bpe", "text-raw", "phone-bpe", "phone-raw", "phone-repeat", "speech-hubert"]
    assert trained == {modality + way for modality in modalities for way in ways}
