"""A toy language small enough to train on in a second."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models

from scripts.common.ragged import Ragged, save_bin
from scripts.lm import train as command

VOCABULARY = {"<unk>": 0, "<s>": 1, "</s>": 2, **{letter: 3 + i for i, letter in enumerate("abcdefgh")}}

TIMED = ("seconds", "tokens_per_second", "mfu", "memory_mib")


def toy_sequence(rng: np.random.Generator) -> np.ndarray:
    """A walk on a ring of 8 symbols: two steps to choose from, evenly, so 1 bit per symbol."""
    steps = rng.choice([1, 3], size=rng.integers(5, 40))
    return np.array([1, *(3 + np.cumsum(steps) % 8), 2])


def ragged(lengths, last=2):
    """Random sequences of these lengths, named u0, u1, ..."""
    rng = np.random.default_rng(0)
    sequences = [np.array([1, *rng.integers(3, 11, n - 2), last]) for n in lengths]
    return Ragged.join([f"u{i}" for i in range(len(lengths))], sequences)


def arguments(toy: Path, section, out="out", *more):
    return [
        *("--train", str(toy / "train.bin"), "--dev", str(toy / "dev.bin"), "--tokenizer", str(toy / "tokenizer")),
        *("--config", json.dumps(section), "--seed", "1", "--name", "toy", "--out", str(toy / out), *more),
    ]


def files(folder: Path):
    """Content of everything under a folder; log.csv without its columns of time and memory."""
    found = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    found["log.csv"] = [{**row, **dict.fromkeys(TIMED, "")} for row in log(folder)]
    return found


def log(folder: Path):
    with open(folder / "log.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """Tokens of 60 + 12 utterances and their tokenizer, as the tokens stage leaves them."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 60), ("dev", 12)):
        names = [f"{split}-{i}" for i in range(count)]
        save_bin(tmp_path / f"{split}.bin", Ragged.join(names, [toy_sequence(rng) for _ in names]))
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    Tokenizer(models.WordLevel(VOCABULARY, unk_token="<unk>")).save(str(folder / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(about))
    return tmp_path


@pytest.fixture
def section() -> dict[str, Any]:
    """The config's lm section for a model that trains in seconds."""
    return {
        "model": {
            "hidden_size": 16,
            "intermediate_size": 32,
            "layers": 2,
            "heads": 2,
            "kv_heads": 1,
            "context": 64,
        },
        "training": {
            "epochs": 3,
            "batch_utterances": 8,
            "row_tokens": 4096,
            "optimizer": "muon",
            "learning_rate": 0.01,
            "warmup_share": 0.1,
            "final_learning_rate_share": 0.1,
            "weight_decay": 0.1,
            "betas": [0.9, 0.95],
            "clip_norm": 1.0,
            "checkpoints_in_epoch_1": 4,
            "evaluations_per_epoch": 1,
            "patience": None,
            "threads": 1,
            "precision": "auto",
            "compile": "auto",
            "deterministic": False,
        },
    }


@pytest.fixture
def train(toy: Path, section: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Run the command in this process; returns the output folder."""

    def call(out: str = "out", *more: str) -> Path:
        monkeypatch.setattr(sys, "argv", ["train", *arguments(toy, section, out, *more)])
        command.main()
        return toy / out

    return call
