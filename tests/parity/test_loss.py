"""Log-probabilities equal what transformers' own loss and torch's cross entropy give for the same ids, one by one."""

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from scripts.evaluation.logprobs import score, score_layers
from scripts.lm.model.load import load_model
from tests.factories.models import random_sequence, tiny_llama

ABSOLUTE = 1e-4  # nats, over a whole sequence


@pytest.fixture(scope="module")
def pairs() -> dict[str, np.ndarray]:
    """Short and long pairs, of which some share most of their beginning and some are equal."""
    rng = np.random.default_rng(11)
    found = {
        f"p{i}-{side}": random_sequence(rng, int(rng.integers(1, 120))) for i in range(30) for side in ("good", "bad")
    }
    for i in range(5):
        beginning = rng.integers(3, 20, 200)
        for side in ("good", "bad"):
            found[f"s{i}-{side}"] = np.concatenate([[1], beginning, rng.integers(3, 20, 9), [2]]).astype(np.uint16)
    found["same-good"] = found["same-bad"] = random_sequence(rng, 40)
    return found


@torch.no_grad()
def loss_of(model: LlamaForCausalLM, ids: np.ndarray) -> float:
    row = torch.from_numpy(ids.astype(np.int64))[None]
    return -float(model(input_ids=row, labels=row).loss) * (len(ids) - 1)


def test_scores_equal_transformers_loss(pairs: dict[str, np.ndarray], tmp_path) -> None:
    tiny_llama(seed=5).save_pretrained(tmp_path / "model")
    # The reference is loaded by transformers alone, from the same folder.
    reference = LlamaForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32).eval()
    found = score(load_model(tmp_path / "model"), pairs, 512, "parity")
    for name, ids in pairs.items():
        assert found[name] == pytest.approx(loss_of(reference, ids), abs=ABSOLUTE, rel=1e-6)
    assert found["same-good"] == found["same-bad"]


@torch.no_grad()
def test_every_layer_equals_a_model_cut_off_there(pairs: dict[str, np.ndarray]) -> None:
    model = tiny_llama(seed=5)
    chosen = dict(list(pairs.items())[:12])
    found = score_layers(model, chosen, 512, "parity")
    for layers in range(4):
        cut_off = tiny_llama(seed=5)
        cut_off.model.layers = cut_off.model.layers[:layers]  # the final norm and the head stay
        cut_off.config.num_hidden_layers = layers
        for name, ids in chosen.items():
            assert found[name][layers] == pytest.approx(loss_of(cut_off, ids), abs=ABSOLUTE, rel=1e-6)
