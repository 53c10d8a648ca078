"""What a training starts from, as the configuration says it, and what is refused before any job."""

import copy
import json
from pathlib import Path

import pytest

from scripts.lm.config import ModelConfig
from scripts.lm.model.llama import build_model
from scripts.lm.starts import check_shape, start_of
from scripts.project.check import check
from scripts.project.defaults import default_config

MODEL = ModelConfig(hidden_size=16, intermediate_size=32, layers=2, heads=2, kv_heads=1, context=64)
DEFAULT = default_config()


def config_with(**inits: str) -> dict:
    """The default configuration with these modalities' `init`."""
    config = copy.deepcopy(DEFAULT)
    for name, init in inits.items():
        config["modalities"][name.replace("_", "-")]["init"] = init
    return config


def test_models_of_further_seeds_and_shares_start_from_those_of_the_same_seed_and_share():
    config = config_with(phone_raw="text-bpe", text_raw="models/llama")
    config["seeds"], config["lm"]["data_shares"] = [7], [0.25]
    assert start_of("text-bpe", config) is None
    assert start_of("phone-raw", config) == ("text-bpe", True)
    assert start_of("phone-raw-seed7", config) == ("text-bpe-seed7", True)
    assert start_of("phone-raw-data25", config) == ("text-bpe-data25", True)
    assert start_of("text-raw-seed7", config) == ("models/llama", False)
    assert start_of("text-bpe-seed7", config) is None


def test_chains_are_accepted_and_circles_refused_with_their_keys():
    check(config_with(phone_raw="text-bpe", phone_repeat="phone-raw"))
    with pytest.raises(ValueError, match=r"modalities\.phone-raw\.init is 'phone-raw', which starts from it in turn"):
        check(config_with(phone_raw="phone-raw"))
    with pytest.raises(ValueError, match="circle") as error:
        check(config_with(phone_raw="text-bpe", text_bpe="text-raw", text_raw="phone-raw", phone_bpe="text-bpe"))
    lines = str(error.value).splitlines()[1:]
    assert [line.split(" is ")[0].strip() for line in lines] == [
        f"config: modalities.{name}.init" for name in ("text-bpe", "text-raw", "phone-raw")
    ]
    assert "phone-raw <- text-bpe <- text-raw <- phone-raw; break the circle" in lines[2]


def test_what_is_neither_a_modality_nor_a_folder_is_refused(tmp_path: Path):
    for start in ("text-bep", str(tmp_path)):
        with pytest.raises(
            ValueError, match=r"phone-raw\.init is '.*', neither a modality nor .* known modalities: text"
        ):
            check(config_with(phone_raw=start))
    with pytest.raises(ValueError, match=r"modalities\.phone-raw\.init is 3; it must be of type string or null"):
        check(config_with(phone_raw=3))
    with pytest.raises(ValueError, match=r"modalities\.phone-raw\.init is 'a\{b'; Snakemake cannot take"):
        check(config_with(phone_raw="a{b"))


def test_a_model_built_here_has_the_shape_that_is_asked_for(tmp_path: Path):
    build_model(MODEL, 9, 1, 2, seed=0).save_pretrained(tmp_path)
    check_shape(tmp_path, MODEL)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 24}, "hidden_size is 24, but lm.model.hidden_size is 16"),
        ({"intermediate_size": 64}, "intermediate_size is 64, but lm.model.intermediate_size is 32"),
        ({"num_hidden_layers": 3}, "num_hidden_layers is 3, but lm.model.layers is 2"),
        ({"num_attention_heads": 4}, "num_attention_heads is 4, but lm.model.heads is 2"),
        ({"num_key_value_heads": None}, "num_key_value_heads is 2, but lm.model.kv_heads is 1"),
        ({"head_dim": 4}, "head_dim is 4, but models trained here have 8"),
        ({"rms_norm_eps": 1e-6}, "rms_norm_eps is 1e-06, but models trained here have 1e-05"),
        ({"rope_parameters": {"rope_theta": 5e5, "rope_type": "default"}}, "rope_theta is 500000.0, but models"),
        ({"rope_parameters": {"rope_theta": 1e4, "rope_type": "llama3"}}, "rope_type is 'llama3', but models"),
        ({"rope_parameters": None, "rope_theta": 5e5}, "rope_theta is 500000.0, but models"),
        ({"rope_parameters": None, "rope_scaling": {"type": "linear"}}, "rope_type is 'linear', but models"),
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu', but models trained here have silu"),
        ({"attention_bias": True}, "attention_bias is True, but models trained here have False"),
        ({"architectures": ["GPT2LMHeadModel"]}, r"architectures is \['GPT2LMHeadModel'\]; .* LlamaForCausalLM only"),
    ],
)
def test_another_shape_is_refused_in_one_line_with_file_and_key(tmp_path: Path, changes, message):
    build_model(MODEL, 9, 1, 2, seed=0).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    with pytest.raises(ValueError, match=message) as error:
        check_shape(tmp_path, MODEL)
    assert str(error.value).startswith(f"{file}: ")
    assert "\n" not in str(error.value)


def test_a_folder_of_another_shape_is_refused_with_the_configuration(tmp_path: Path):
    build_model(MODEL, 9, 1, 2, seed=0).save_pretrained(tmp_path)
    with pytest.raises(
        ValueError, match=r"modalities\.phone-raw\.init: .*config\.json: hidden_size is 16, but lm\.model"
    ):
        check(config_with(phone_raw=str(tmp_path)))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"modalities\.phone-raw\.init: .*config\.json"):
        check(config_with(phone_raw=str(tmp_path)))
