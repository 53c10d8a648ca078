"""Models load whole, in the dtype asked for, with exact rotary frequencies; untrained models have the same shape."""

import copy
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedModel

from scripts.lm.model.load import load_model, untrained_model
from tests.factories.models import tiny_llama

CONTEXT = 1200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lm") / "model"
    tiny_llama(context=CONTEXT, hidden_size=64, num_hidden_layers=2).save_pretrained(path)
    return path


def inv_freq(model: PreTrainedModel) -> torch.Tensor:
    return model.base_model.rotary_emb.inv_freq


def test_a_checkpoint_in_bf16_loads_in_fp32(folder: Path, tmp_path: Path) -> None:
    copy.deepcopy(load_model(folder, device="cpu")).to(torch.bfloat16).save_pretrained(tmp_path)
    assert {p.dtype for p in load_model(tmp_path, device="cpu").parameters()} == {torch.float32}


@pytest.mark.parametrize("load", [load_model, lambda folder, **kwargs: untrained_model(folder, 1, **kwargs)])
def test_bf16_is_the_dtype_of_the_parameters_alone(folder: Path, load) -> None:
    exact, rounded = load(folder, device="cpu"), load(folder, dtype=torch.bfloat16, device="cpu")
    assert {p.dtype for p in rounded.parameters()} == {torch.bfloat16}
    assert not rounded.training
    assert torch.equal(inv_freq(rounded), inv_freq(exact))
    for (name, a), (_, b) in zip(exact.named_parameters(), rounded.named_parameters(), strict=True):
        assert torch.equal(a.bfloat16(), b), name


def test_casting_a_loaded_model_would_turn_distant_tokens_by_the_wrong_angle(folder: Path) -> None:
    exact, rounded = load_model(folder, device="cpu"), load_model(folder, dtype=torch.bfloat16, device="cpu")
    cast = load_model(folder, device="cpu").to(torch.bfloat16)
    phase = 1000 * (inv_freq(cast).float() - inv_freq(exact)).abs().max()
    assert phase > 0.1, "rad; if a new transformers keeps the buffer exact, this test can go"
    assert 1000 * (inv_freq(rounded) - inv_freq(exact)).abs().max() == 0
    ids = torch.randint(3, 20, (1, CONTEXT), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        truth, ours, theirs = (model(input_ids=ids).logits.float() for model in (exact, rounded, cast))
    late = slice(1000, None)
    error = (ours - truth)[:, late].square().mean().sqrt()
    assert (theirs - truth)[:, late].square().mean().sqrt() > 1.5 * error


def test_a_missing_model_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=re.escape(f"{tmp_path}: holds no config.json")):
        load_model(tmp_path)


def test_damaged_weights_name_the_folder(folder: Path, tmp_path: Path) -> None:
    load_model(folder, device="cpu").save_pretrained(tmp_path)
    weights = tmp_path / "model.safetensors"
    state = load_file(weights)
    del state["model.layers.1.mlp.up_proj.weight"]
    save_file(state, weights, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"missing from the file, e\.g\. model\.layers\.1\.mlp\.up_proj\.weight"):
        load_model(tmp_path)
    weights.write_bytes(weights.read_bytes()[:5000])
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path}: the weights cannot be read")):
        load_model(tmp_path)


def test_an_untrained_model_has_the_shape_and_none_of_the_weights(folder: Path) -> None:
    trained = load_model(folder, device="cpu")
    fresh, again, other = (untrained_model(folder, seed, device="cpu") for seed in (3, 3, 4))
    assert fresh.config.to_diff_dict() == trained.config.to_diff_dict()
    weight = "model.layers.0.mlp.up_proj.weight"
    assert torch.equal(fresh.state_dict()[weight], again.state_dict()[weight])
    assert not torch.equal(fresh.state_dict()[weight], other.state_dict()[weight])
    assert not torch.equal(fresh.state_dict()[weight], trained.state_dict()[weight])
