"""A training that starts from another model waits for it, and gets its folder."""

import re

from scripts.lm.config import ModelConfig
from scripts.lm.model.llama import build_model
from tests.factories.workflow import SMOKE, Workflow

STARTS = """
modalities:
  phone-raw-from-text: {source: phones, tokenizer: symbol, init: text-bpe}
  units-from-folder: {source: units, tokenizer: symbol, frame_rate: 50, init: my models/llama}
seeds: [2]
"""
SIZES = ModelConfig(hidden_size=32, intermediate_size=64, layers=2, heads=2, kv_heads=2, context=1536)


def test_the_start_is_an_input_and_a_flag_of_its_training(workflow: Workflow):
    donor = workflow.folder / "my models/llama"
    build_model(SIZES, 9, 1, 2, seed=0).save_pretrained(donor)
    overlay = (*SMOKE, workflow.overlay(STARTS))
    targets = [
        f"results/smoke/lm/{name}/model"
        for name in ("phone-raw-from-text", "phone-raw-from-text-seed2", "units-from-folder")
    ]
    done = workflow.snakemake("--dry-run", "--printshellcmds", *overlay, "--", *targets)
    jobs = {
        re.search(r"wildcards: modality=(\S+)", job)[1]: job
        for job in done.stdout.split("\n\n")
        if "\nrule lm_train:" in job
    }
    assert set(jobs) == {
        *("text-bpe", "text-bpe-seed2", "phone-raw-from-text", "phone-raw-from-text-seed2", "units-from-folder")
    }
    for ending in ("", "-seed2"):
        job = jobs[f"phone-raw-from-text{ending}"]
        model = f"results/smoke/lm/text-bpe{ending}/model"
        assert model in re.search(r"input: (.*)", job)[1].split(", ")
        assert f" --init={model} " in job
    assert "my models/llama/model.safetensors" in jobs["units-from-folder"]
    assert " '--init=my models/llama' " in jobs["units-from-folder"]
    assert "--init" not in jobs["text-bpe"]

    (donor / "config.json").write_text((donor / "config.json").read_text().replace("1e-05", "1e-06"))
    done = workflow.snakemake("--dry-run", *overlay, check=False)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "config: modalities.units-from-folder.init: my models/llama/config.json: rms_norm_eps is 1e-06, but" in said
    assert "Traceback" not in said
