"""`snakemake publish`: folders that a hub takes, made from a finished run without another job."""

import subprocess

import pytest
from huggingface_hub import ModelCard

from tests.factories.workflow import SMOKE, Workflow

JOBS = {"publish", "publish_model", "publish_tokens", "publish_units"}


@pytest.mark.smoke
def test_a_finished_run_is_published(smoke_copy: Workflow):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert {job for job in smoke_copy.would_run(*SMOKE, "--", "publish") if "/" not in job} == JOBS
    smoke_copy.snakemake(*SMOKE, "--", "publish")
    folder = smoke_copy.results / "publish"
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == {
        "README.md", "SHA256SUMS", "config.json", "models", "scores", "tokens", "units",
    }  # fmt: skip
    assert len(list((folder / "models").iterdir())) == len(list((folder / "tokens").iterdir())) == 6
    model = AutoModelForCausalLM.from_pretrained(folder / "models/text-bpe")
    assert model.config.vocab_size == len(AutoTokenizer.from_pretrained(folder / "models/text-bpe"))
    assert len(ModelCard.load(folder / "models/text-bpe/README.md").data.eval_results) >= 3 * 2 + 2
    assert (folder / "units/encoder/model.safetensors").exists()
    assert smoke_copy.would_run(*SMOKE, "--", "publish") == set()
    assert smoke_copy.would_run(*SMOKE) == set()


def test_speech_of_unknown_licence_is_not_published(workflow: Workflow):
    overlay = workflow.overlay("corpus: {source: librispeech}")
    done = workflow.snakemake("--configfile", overlay, "--", "publish", check=False)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "config: publish.license is null; say under which licence" in said
    assert "Traceback" not in said
    overlay = workflow.overlay(
        "corpus: {source: librispeech}\npublish: {license: cc-by-4.0}\nunits: {encoder: {source: lab/hubert}}"
    )
    done = workflow.snakemake("--dry-run", "--printshellcmds", "--configfile", overlay, "--", "publish")
    assert "scripts.report.publish_model --model" in done.stdout
    assert "--encoder lab/hubert --origin" in done.stdout
    assert "scripts.download.hub_model --model lab/hubert" in done.stdout
