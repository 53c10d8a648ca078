"""Published folders: what their cards say, that a hub can read them, and that their checksums hold."""

import json
import subprocess

import numpy as np
import pytest
from huggingface_hub import DatasetCard, ModelCard

from scripts.common.files import read_csv, read_json
from scripts.project.defaults import default_config
from scripts.project.published import origin
from scripts.report import publish_index, publish_model, publish_tokens, publish_units
from scripts.report.hub_card import read_origin

GIVEN = {"license": "cc-by-4.0", "data": "Recordings of a village."}
ORIGIN = json.dumps({"experiment": "village", "seed": 3, **GIVEN})
SUMMARY = """\
modality,task,metric,value,ci_low,ci_high,n
phone-raw,swuggy,accuracy,0.75,0.7,0.8,170
phone-raw,swuggy,baseline_4-gram,0.5,0.4,0.6,170
phone-raw,dev,bits_per_second,39.26,38.0,40.1,30
text-raw,swuggy,accuracy,0.99,0.98,1.0,170
"""
TRAINED = "---\nlibrary_name: transformers\n---\n\n# A language model of phone-raw\n\n--- is no fence here.\n"


@pytest.fixture
def summary(tmp_path):
    path = tmp_path / "summary.csv"
    path.write_text(SUMMARY)
    return path


def test_a_models_card_has_its_own_results_and_what_the_training_wrote(summary):
    card = ModelCard(publish_model.card(read_origin(ORIGIN), "phone-raw", TRAINED, summary))
    assert card.data.license == "cc-by-4.0"
    assert card.data.library_name == "transformers"
    results = {(each.dataset_type, each.metric_type): each.metric_value for each in card.data.eval_results}
    assert results == {("swuggy", "accuracy"): 75.0, ("dev", "bits_per_second"): 39.26}
    assert "| sWUGGY | pairs right, % | 75.0 [70.0, 80.0] | 170 |" in card.text
    assert "--- is no fence here." in card.text
    assert "Recordings of a village." in card.text
    assert "99.0" not in card.text


def test_tokens_are_copied_and_read_as_the_card_says(call, tmp_path):
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "tokenizer/tokenizer.json").write_text("{}")
    np.asarray([5, 6, 7], "<u2").tofile(tmp_path / "train.bin")
    np.savez(tmp_path / "train.idx.npz", ids=["a", "b"], offsets=[0, 2, 3])
    counts = {"utterances": 2, "tokens": 3, "seconds": 7200.0, "tokens_per_second": None}
    (tmp_path / "stats.json").write_text(
        json.dumps({"modality": "phone-raw", "vocab_size": 9, "splits": {"train": counts}, "tasks": {}})
    )
    call(
        publish_tokens,
        *("--splits", tmp_path / "train.bin", tmp_path / "train.idx.npz"),
        *("--tokenizer", tmp_path / "tokenizer", "--stats", tmp_path / "stats.json"),
        *("--modality", "phone-raw", "--origin", ORIGIN, "--output", tmp_path / "out"),
    )
    card = DatasetCard.load(tmp_path / "out/README.md")
    assert card.data.pretty_name == "Phone-Raw tokens of village"
    assert "| `train.bin` | 2 | 3 | 2.00 | 0.0 |" in card.text
    code = card.text.split("```python\n")[1].split("```")[0] + "assert list(first) == [5, 6]\n"
    subprocess.run(["python", "-c", code], cwd=tmp_path / "out", check=True)


KMEANS = {"clusters": 500, "layer": 9, "chunk_seconds": 30.0, "overlap_seconds": 2.0}


def test_the_quantizer_names_an_encoder_that_is_not_published(tmp_path):
    quality = tmp_path / "quality.csv"
    header = "encoder,layer,clusters,pnmi,speaker_pnmi,bitrate,abx_within,abx_across"
    quality.write_text(f"{header}\nhubert,9,500,0.61,0.05,180.2,,0.101\n")
    card = ModelCard(publish_units.card(read_origin(ORIGIN), "`facebook/x`", KMEANS, quality))
    assert "encoder `facebook/x`" in card.text
    assert "| hubert | 9 | 500 | 0.610 | 0.050 | 180 | – | 10.1 |" in card.text


def test_the_front_lists_factors_and_sums_that_hold(call, tmp_path, summary):
    factors = tmp_path / "factors.csv"
    factors.write_text(
        ",".join(publish_index.FACTOR_COLUMNS) + "\n"
        "B,phone-raw,phone-repeat,swuggy,accuracy,-5.0,-12.1,1.8\n"
        "B,phone-raw,phone-repeat,continuation,perplexity,,,\n"
    )
    root = tmp_path / "publish"
    for name in ("models/phone-raw", "models/gone"):
        (root / name).mkdir(parents=True)
        (root / name / "weights").write_text(name)
        (root / name / ".snakemake_timestamp").touch()
    call(
        publish_index,
        *("--folders", "models/phone-raw", "--root", root, "--scores", summary, factors, "--factors", factors),
        *("--config", '{"name": "village"}', "--origin", ORIGIN),
    )
    front = (root / "README.md").read_text()
    assert "| B | Phone-Raw | Phone-Repeat | sWUGGY | −5.0 [−12.1, +1.8] |" in front
    assert "continuation" not in front.lower()
    assert not (root / "models/gone").exists()
    listed = [line.split("  ")[1] for line in (root / "SHA256SUMS").read_text().splitlines()]
    assert listed == [
        "README.md",
        "config.json",
        "models/phone-raw/weights",
        "scores/factors.csv",
        "scores/summary.csv",
    ]
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=root, check=True)
    assert read_json(root / "config.json") == {"name": "village"}
    assert read_csv(root / "scores/summary.csv") == read_csv(summary)


def test_the_world_needs_no_words_and_other_sources_are_asked_for_what_nobody_knows():
    config = default_config()
    assert json.loads(origin(config)) == {
        "experiment": "mini",
        "seed": 1,
        "license": "mit",
        "data": "Texts that the workflow writes (`corpus.world`), spoken by espeak-ng.",
    }
    config["corpus"]["source"] = "manifest"
    with pytest.raises(ValueError, match=r"publish\.license is null.*\n.*publish\.data is null"):
        origin(config)
    config["publish"]["license"] = "cc-by-4.0"
    with pytest.raises(ValueError, match=r"publish\.data is null and corpus\.source is manifest"):
        origin(config)
    config["publish"]["data"] = "Recordings of a village."
    assert json.loads(origin(config))["license"] == "cc-by-4.0"
