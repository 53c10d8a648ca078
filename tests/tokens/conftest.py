"""A tiny corpus with results that can be computed by hand: aligned cuts, units, a lexicon."""

import json
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

TEXTS = [
    "The cat sat on the mat.",
    "A dog, said she; the dog ran!",
    "The cats were on the mats.",
    "Did the dog sit? The dog sat.",
    "On the mat the cat ran, and the dogs ran.",
    "She said: the cat and the dog sat.",
]
LEXICON = {
    "A": "AH0",
    "AND": "AH0 N D",
    "CAT": "K AE1 T",
    "CATS": "K AE1 T S",
    "DID": "D IH1 D",
    "DOG": "D AO1 G",
    "DOGS": "D AO1 G Z",
    "MAT": "M AE1 T",
    "MATS": "M AE1 T S",
    "ON": "AA1 N",
    "RAN": "R AE1 N",
    "SAID": "S EH1 D",
    "SAT": "S AE1 T",
    "SHE": "SH IY1",
    "SIT": "S IH1 T",
    "THE": "DH AH0",
    "WERE": "W ER0",
}
CLUSTERS = 12

LINES = {
    "text-bpe": {"source": "text", "tokenizer": "bpe", "vocab_size": 60},
    "text-raw": {"source": "text", "tokenizer": "char"},
    "phone-bpe": {"source": "phones", "tokenizer": "bpe", "vocab_size": 45},
    "phone-raw": {"source": "phones", "tokenizer": "symbol"},
    "phone-repeat": {"source": "phones", "tokenizer": "symbol", "frame_rate": 50},
    "phone-repeat-bpe": {"source": "phones", "tokenizer": "bpe", "frame_rate": 50, "vocab_size": 60},
    "speech-hubert": {"source": "units", "tokenizer": "symbol", "frame_rate": 50},
    "unit-bpe": {"source": "units", "tokenizer": "bpe", "frame_rate": 50, "vocab_size": 60},
}


def modality(name: str, silence: str = "keep", **changes: Any) -> modalities.Modality:
    """One of LINES with changes to its line."""
    return modalities.from_config(name, {**LINES[name], **changes}, {"silence": silence})


def make_cut(name: str, text: str, phones: Sequence[tuple[str, float, float]], duration: float) -> Cut:
    """A cut as the alignment stage writes it."""
    words = "".join(letter for letter in text.upper() if letter.isalpha() or letter == " ")
    return {
        "id": name,
        "start": 0.0,
        "duration": duration,
        "channel": 0,
        "supervisions": [
            {
                "id": name,
                "speaker": "speaker-0",
                "custom": {"texts": [text, words]},
                "alignment": {"phone": [[symbol, start, length, -50.0] for symbol, start, length in phones]},
            }
        ],
        "recording": {"id": "r", "sources": [], "sampling_rate": 16000},
        "type": "MonoCut",
    }


def spoken_cut(name: str, text: str) -> Cut:
    """A cut whose words follow LEXICON, phones of 10 to 130 ms drawn from the cut's name."""
    draw = generator(0, name)
    words = "".join(letter for letter in text.upper() if letter.isalpha() or letter == " ").split()
    names = ["SIL"]
    for word in words:
        names += LEXICON[word].split()
        names += ["SIL"] if draw.random() < 0.2 else []
    names += ["SIL"] if names[-1] != "SIL" else []
    lengths = draw.integers(1, 14, len(names)) / 100
    ends = np.round(np.cumsum(lengths), 4)
    starts = [0.0, *ends[:-1].tolist()]
    phones = [(symbol, start, round(end - start, 4)) for symbol, start, end in zip(names, starts, ends, strict=True)]
    return make_cut(name, text, phones, float(ends[-1]))


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


def flag(name: str, **changes: Any) -> str:
    """The --modality flag of a modality of LINES."""
    return modalities.to_json(modality(name, **changes))


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
