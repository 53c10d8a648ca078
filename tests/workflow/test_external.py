"""Alignments, units and tokens made elsewhere: a whole run without one sample of audio, without tasks and prompts."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import yaml

from scripts.common.files import read_csv, write_jsonl
from scripts.common.frames import frame_count
from scripts.common.ragged import load_bin
from scripts.corpus.pronounce import cmudict_lexicon
from tests.factories.cuts import make_cut
from tests.factories.workflow import Workflow

WORDS = ["the", "little", "girl", "was", "thoughtful", "for", "a", "moment", "before", "she", "asked", "why"]


def corpus(folder: Path, split: str, count: int) -> tuple[list[dict], list[tuple[str, str]]]:
    """Cuts, and CTM lines (words, phones) that give each phone a tenth of a second."""
    rng = random.Random(split)
    cuts, lines = [], []
    for number in range(count):
        words = rng.choices(WORDS, k=6)
        phones = [cmudict_lexicon()[word.upper()][0].split() for word in words]
        name, at = f"{split}-{number}", 0.0
        for word, mine in zip(words, phones, strict=True):
            lines.append(("words", f"{name} 1 {at:.2f} {0.1 * len(mine):.2f} {word.upper()}"))
            for phone in mine:
                lines.append(("phones", f"{name} 1 {at:.2f} 0.10 {phone}"))
                at += 0.1
        cuts.append(make_cut(name, f"{split}{number % 3}", " ".join(words), round(at, 2)))
        (folder / f"{split}{number % 3}.wav").touch()
    return cuts, lines


@pytest.mark.slow
def test_everything_made_elsewhere(workflow: Workflow, tmp_path_factory: pytest.TempPathFactory):
    mine = tmp_path_factory.mktemp("mine")
    parts = {split: corpus(mine, split, count) for split, count in (("train", 40), ("dev", 12))}
    cuts = {split: found for split, (found, _) in parts.items()}
    lines = [line for _, found in parts.values() for line in found]
    for name, found in cuts.items():
        write_jsonl(mine / f"{name}.jsonl.gz", found)
    (mine / "times").mkdir()
    for name in ("words", "phones"):
        (mine / f"times/{name}.ctm").write_text("".join(f"{text}\n" for kind, text in lines if kind == name))
    rng = random.Random(1)
    (mine / "units").mkdir()
    table, rows = ["/audio"], []
    for one in [*cuts["train"], *cuts["dev"]]:
        count = frame_count(round(one["duration"] * 16_000))
        table.append(f"{one['id']}.wav\t{round(one['duration'] * 16_000)}")
        rows.append(" ".join(str(rng.randrange(20)) for _ in range(count)))
    (mine / "units/all.tsv").write_text("\n".join(table) + "\n")
    (mine / "units/all.km").write_text("\n".join(rows) + "\n")
    ids = [one["id"] for one in [*cuts["train"], *cuts["dev"]]]
    tokens = {name: [rng.randrange(900) for _ in range(9)] for name in ids}
    write_jsonl(mine / "tokens/all.jsonl.gz", [{"id": name, "tokens": row} for name, row in tokens.items()])

    config = yaml.safe_load((workflow.folder / "workflow/configs/smoke.yaml").read_text())
    manifest = {"train": f"{mine}/train.jsonl.gz", "dev": f"{mine}/dev.jsonl.gz", "audio_root": str(mine)}
    config |= {
        "name": "x",
        "corpus": {"source": "manifest", "shards": {"train": 2, "dev": 1}, "manifest": manifest},
        "alignment": {"external": str(mine / "times")},
        "continuation": {"prompts": 0},
        "units": {"external": str(mine / "units"), "clusters": 20},
        "modalities": {
            "text-bpe": {"source": "text", "tokenizer": "bpe", "vocab_size": 40},
            "phone-bpe": {"source": "phones", "tokenizer": "bpe", "vocab_size": 90},
            "text-llama": {"source": "tokens", "tokenizer": "symbol", "vocab_size": 900, "external": f"{mine}/tokens"},
        },
    }
    made = ("--configfile", workflow.overlay(json.dumps(config)))
    results = workflow.folder / "results/x"
    workflow.snakemake(*made, "--", "report")
    (quality,) = read_csv(results / "units/quality.csv")
    assert quality["encoder"] == "external"
    assert int(quality["used_units"]) == 20
    assert 0 < float(quality["pnmi"]) < 0.5
    theirs = load_bin(results / "tokens/text-llama/train.bin").by_id()
    assert len(theirs) == 40
    for name, row in theirs.items():
        assert row.tolist() == [1, *(token + 3 for token in tokens[name]), 2]
    units = load_bin(results / "tokens/speech-hubert/dev.bin").by_id()
    expected = np.array([1, *(int(unit) + 3 for unit in rows[40].split()), 2])
    assert np.array_equal(units["dev-0"], expected)

    # Nothing of the report needs a task, and nothing that does is asked for.
    tables = {"modalities", "results", "bit_breakdown", "bit_factors", "dropped"}
    assert {path.stem for path in (results / "report/tables").iterdir()} == tables
    assert {path.stem for path in (results / "report/figures").iterdir()} == {
        "training",
        "unit_quality",
        "bit_breakdown",
        "bit_factors",
    }
    page = (results / "report.html").read_text()
    for item in ("1. Summary", "2. Tables", "3. Figures", "training.svg", "This run is called"):
        assert item in page
    assert workflow.would_run(*made) == set()
