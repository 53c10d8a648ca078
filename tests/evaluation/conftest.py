"""Models and task files small enough to check by hand or against a slow loop."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from scripts.common.files import write_jsonl
from scripts.common.ragged import Ragged, save_bin

VOCABULARY, CONTEXT = 20, 400


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def build_model(seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.3,  # large, so that a random model has strong opinions
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="session")
def model() -> LlamaForCausalLM:
    return build_model()


@pytest.fixture(scope="session")
def model_folder(model: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lm") / "model"
    model.save_pretrained(folder)
    return folder


def sequence(rng: np.random.Generator, length: int) -> np.ndarray:
    """BOS, `length` symbols, EOS."""
    return np.concatenate([[1], rng.integers(3, VOCABULARY, length), [2]]).astype(np.uint16)


def cut(name: str, *, speaker: str = "speaker-0", seconds: float = 1.0, text: str = "A dog.") -> dict:
    """A cut with one phone per letter of its text, 0.1 s each, after 0.1 s of silence."""
    letters = [letter for letter in text.upper() if letter.isalpha()]
    phones = [["SIL", 0.0, 0.1, -1.0], *([p, 0.1 * i, 0.1, -1.0] for i, p in enumerate(letters, start=1))]
    words = "".join(c for c in text.upper() if c.isalpha() or c == " ")
    supervision = {
        "id": name,
        "speaker": speaker,
        "alignment": {"phone": phones, "word": []},
        "custom": {"texts": [text, words]},
    }
    return {"id": name, "start": 0.0, "duration": seconds, "supervisions": [supervision]}


def item(name: str, voice: str = "speaker-0", **sides: dict) -> dict:
    """A task item; `positive` and `negative` are further arguments of `cut`."""
    return {
        "id": name,
        "task": "toy",
        "subset": "all",
        "group": "g",
        **{s: cut(f"{name}-{voice}-{s}", speaker=voice, **sides.get(s, {})) for s in ("positive", "negative")},
    }


@pytest.fixture
def toy_task(tmp_path: Path) -> Callable[..., tuple[list[dict], dict[str, np.ndarray]]]:
    """Writes toy.jsonl.gz and toy.bin (in shuffled order) and returns items and tokens."""

    def make(pairs: int = 6, voices: int = 2, length: int = 12) -> tuple[list[dict], dict[str, np.ndarray]]:
        rng = np.random.default_rng(3)
        items = [item(f"p{i}", f"speaker-{v}") for i in range(pairs) for v in range(voices)]
        cuts = [i[side] for i in items for side in ("positive", "negative")]
        tokens = {c["id"]: sequence(rng, int(rng.integers(1, length))) for c in cuts}
        write_jsonl(tmp_path / "toy.jsonl.gz", items)
        order = rng.permutation(list(tokens))
        save_bin(tmp_path / "toy.bin", Ragged.join(order.tolist(), [tokens[name] for name in order]))
        return items, tokens

    return make
