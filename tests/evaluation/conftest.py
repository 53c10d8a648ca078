"""Models and task files small enough to check by hand or against a slow loop."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from scripts.common.files import write_jsonl
from scripts.common.ragged import Ragged, save_bin
from tests.factories.cuts import lettered_cut
from tests.factories.models import random_sequence, tiny_llama


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def model() -> LlamaForCausalLM:
    return tiny_llama()


@pytest.fixture(scope="session")
def model_folder(model: LlamaForCausalLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lm") / "model"
    model.save_pretrained(folder)
    return folder


def item(name: str, voice: str = "speaker-0", **sides: dict) -> dict:
    """A task item; `positive` and `negative` are further arguments of `lettered_cut`."""
    return {
        "id": name,
        "task": "toy",
        "subset": "all",
        "group": "g",
        **{s: lettered_cut(f"{name}-{voice}-{s}", speaker=voice, **sides.get(s, {})) for s in ("positive", "negative")},
    }


@pytest.fixture
def toy_task(tmp_path: Path) -> Callable[..., tuple[list[dict], dict[str, np.ndarray]]]:
    """Writes toy.jsonl.gz and toy.bin (in shuffled order) and returns items and tokens."""

    def make(pairs: int = 6, voices: int = 2, length: int = 12) -> tuple[list[dict], dict[str, np.ndarray]]:
        rng = np.random.default_rng(3)
        items = [item(f"p{i}", f"speaker-{v}") for i in range(pairs) for v in range(voices)]
        cuts = [i[side] for i in items for side in ("positive", "negative")]
        tokens = {c["id"]: random_sequence(rng, int(rng.integers(1, length))) for c in cuts}
        write_jsonl(tmp_path / "toy.jsonl.gz", items)
        order = rng.permutation(list(tokens))
        save_bin(tmp_path / "toy.bin", Ragged.join(order.tolist(), [tokens[name] for name in order]))
        return items, tokens

    return make
