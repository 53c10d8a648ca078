"""A tiny corpus with results that can be computed by hand: aligned cuts, units, a lexicon."""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts.common.cuts import Cut, num_samples
from scripts.common.files import write_json, write_jsonl
from scripts.common.frames import frame_count
from scripts.common.ragged import Ragged, save_npz
from scripts.common.seeds import generator
from scripts.tokens import modality as modalities
from tests.factories.cuts import LEXICON, TEXTS, spoken_cut

CLUSTERS = 12

LINES = {
    "text-bpe": {"source": "text", "tokenizer": "bpe", "vocab_size": 60},
    "text-raw": {"source": "text", "tokenizer": "char"},
    "phone-bpe": {"source": "phones", "tokenizer": "bpe", "vocab_size": 45},
    "phone-raw": {"source": "phones", "tokenizer": "symbol"},
    "phone-repeat": {"source": "phones", "tokenizer": "symbol", "frame_rate": 50},
    "phone-repeat-bpe": {"source": "phones", "tokenizer": "bpe", "frame_rate": 50, "vocab_size": 60},
    "speech-hubert": {"source": "units", "tokenizer": "symbol", "frame_rate": 50},
    "unit-25-collapsed": {"source": "units", "tokenizer": "symbol", "frame_rate": 25, "repeats": "drop"},
    "phone-run-length": {"source": "phones", "tokenizer": "symbol", "frame_rate": 50, "repeats": "count"},
    "unit-run-length": {"source": "units", "tokenizer": "symbol", "frame_rate": 50, "repeats": "count"},
    "text-bpe-spaceless": {"source": "text", "tokenizer": "bpe", "vocab_size": 60, "spaces": "drop"},
    "phone-bpe-words": {"source": "phones", "tokenizer": "bpe", "vocab_size": 48, "word_boundaries": "keep"},
    "phone-raw-words": {"source": "phones", "tokenizer": "symbol", "word_boundaries": "keep", "stress": "drop"},
    "unit-bpe-collapsed": {
        "source": "units",
        "tokenizer": "bpe",
        "frame_rate": 50,
        "vocab_size": 60,
        "repeats": "drop",
    },
    "unit-bpe": {"source": "units", "tokenizer": "bpe", "frame_rate": 50, "vocab_size": 60},
}


def modality(name: str, silence: str = "keep", **changes: Any) -> modalities.Modality:
    """One of LINES with changes to its line."""
    return modalities.from_config(name, {**LINES[name], **changes}, {"silence": silence})


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """tmp_path with alignment/, units/ and corpus/lexicon.txt: train 0 and 1, dev 0, one task."""
    cuts = {
        "cuts/train/0": [spoken_cut(f"a{i}", text) for i, text in enumerate(TEXTS[:3] * 3)],
        "cuts/train/1": [spoken_cut(f"b-longer-id-{i}", text) for i, text in enumerate(TEXTS[3:] * 3)],
        "cuts/dev/0": [spoken_cut("c0", TEXTS[0]), spoken_cut("c1", TEXTS[4])],
    }
    for place, shard in cuts.items():
        write_jsonl(tmp_path / f"alignment/{place}.jsonl.gz", shard)
        write_units(tmp_path / f"units/{place.removeprefix('cuts/')}.npz", shard)
    sides = [spoken_cut("p", "The dog sat."), spoken_cut("n", "The dog sit.")]
    item = {"id": "0", "task": "toy", "subset": "", "group": "", "positive": sides[0], "negative": sides[1]}
    write_jsonl(tmp_path / "alignment/tasks/toy.jsonl.gz", [item])
    write_units(tmp_path / "units/tasks/toy.npz", sides)
    write_json(tmp_path / "units/kmeans.json", {"clusters": CLUSTERS})
    (tmp_path / "corpus").mkdir()
    lines = [f"{word} {phones}\n" for word, phones in LEXICON.items()]
    (tmp_path / "corpus/lexicon.txt").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def write_units(path: Path, cuts: Sequence[Cut]) -> None:
    """Units that follow the phones loosely, so that BPE finds something to merge."""
    streams = []
    for cut in cuts:
        draw = generator(0, "units", cut["id"])
        count = frame_count(num_samples(cut))
        streams.append(np.repeat(draw.integers(0, CLUSTERS - 1, count), draw.integers(1, 6, count))[:count])
    save_npz(path, Ragged.join([cut["id"] for cut in cuts], streams))


@pytest.fixture
def files(corpus: Path) -> Callable[[str], dict[str, list[str]]]:
    """Arguments of tokenizer.build for a modality of LINES."""
    inventories = {"phones": "corpus/lexicon.txt", "units": "units/kmeans.json"}

    def of(name: str) -> dict[str, Any]:
        source = LINES[name]["source"]
        units = [str(corpus / f"units/train/{i}.npz") for i in (0, 1)]
        return {
            "cuts": [str(corpus / f"alignment/cuts/train/{i}.jsonl.gz") for i in (0, 1)],
            "units": units if source == "units" else [],
            "inventory_file": str(corpus / inventories[source]) if source in inventories else None,
        }

    return of


@pytest.fixture
def step(monkeypatch):
    """Run a step's main with these arguments."""

    def call(module, *arguments):
        monkeypatch.setattr(sys, "argv", ["step", *map(str, arguments)])
        module.main()

    return call


def flag(name: str, **changes: Any) -> str:
    """The --modality flag of a modality of LINES."""
    return modalities.to_json(modality(name, **changes))


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
