"""Real human speech in the same DAG: a user's Lhotse cuts, here AN4 in LibriHeavy's schema, without tasks."""

import csv
import json
from pathlib import Path

import pytest
import yaml

from scripts.common.files import read_jsonl, write_jsonl
from tests.factories.workflow import Workflow

pytestmark = pytest.mark.slow


MODALITIES = ("text-bpe", "phone-repeat", "speech-hubert")  # one of each source; the smoke run has all six


def overlay(folder: Path, an4: Path, **manifest: str) -> Path:
    """The smoke experiment on AN4 with MODALITIES; keyword arguments replace keys of corpus.manifest."""
    config = yaml.safe_load((folder / "workflow/configs/smoke.yaml").read_text())
    config["name"] = "an4"
    config["modalities"] = {name: line if name in MODALITIES else None for name, line in config["modalities"].items()}
    config["corpus"] = {
        "source": "manifest",
        "shards": {"train": 2, "dev": 1},
        "manifest": {
            "train": str(an4 / "libriheavy_cuts_small.jsonl.gz"),
            "dev": str(an4 / "libriheavy_cuts_test_clean.jsonl.gz"),
            "audio_root": str(an4),
            "lexicon": None,
            "tasks": {},
            **manifest,
        },
    }
    path = folder / "an4.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def test_an4_runs_from_cuts_to_the_report(workflow: Workflow, an4: Path):
    """A third of its utterances: every step is the same, and the trainings take a third of the time."""
    cuts = list(read_jsonl(an4 / "libriheavy_cuts_small.jsonl.gz"))[::3]
    write_jsonl(workflow.folder / "train.jsonl.gz", cuts)
    overlay(workflow.folder, an4, train="train.jsonl.gz")
    workflow.snakemake("--configfile", "an4.yaml", "--", "report")
    results = workflow.folder / "results/an4"
    with open(results / "report/tables/modalities.csv", newline="") as file:
        table = {row["modality"]: row for row in csv.DictReader(file)}
    assert tuple(table) == MODALITIES
    with open(results / "report/tables/bit_factors.csv", newline="") as file:
        assert [row["factor"] for row in csv.DictReader(file)] == ["C"]  # of the others a modality is left out
    assert table["phone-repeat"]["tokens"] == table["speech-hubert"]["tokens"]
    assert float(table["text-bpe"]["tokens_per_second"]) < float(table["phone-repeat"]["tokens_per_second"])
    for modality in table:
        with open(results / f"lm/{modality}/log.csv", newline="") as file:
            losses = [float(row["dev_loss"]) for row in csv.DictReader(file) if row["dev_loss"]]
        assert len(losses) == 2  # one per epoch
        assert losses[-1] < losses[0]
        stats = json.loads((results / f"tokens/{modality}/stats.json").read_text())
        assert stats["splits"]["train"]["utterances"] > 0.95 * len(cuts)
    with open(results / "alignment/dropped.csv", newline="") as file:
        dropped = list(csv.DictReader(file))
    assert all(row["reason"] for row in dropped)
    assert len(dropped) < 20
    with open(results / "report/tables/continuation.csv", newline="") as file:
        ways = ("continuation", "continuation-real", "continuation-spoken", "continuation-spoken-real")
        assert {row["task"] for row in csv.DictReader(file)} == set(ways)
    assert not (results / "report/tables/factors.csv").exists()  # without tasks nobody asks for it
    assert "This run is called" in (results / "report.html").read_text()


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ({"train": "none.jsonl.gz"}, "none.jsonl.gz"),
        ({"audio_root": "no-such-folder"}, "no-such-folder"),
    ],
)
def test_a_missing_manifest_or_audio_folder_is_one_clear_line(
    workflow: Workflow, an4: Path, manifest: dict[str, str], says: str
):
    overlay(workflow.folder, an4, **manifest)
    done = workflow.snakemake("--configfile", "an4.yaml", "--", "corpus", check=False)
    assert done.returncode != 0
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
