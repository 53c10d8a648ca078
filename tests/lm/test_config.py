import json
import re

import pytest
import torch
import yaml

from scripts.common.config import part_json
from scripts.lm.config import LMConfig, parse_config


def test_the_default_config_is_read():
    with open("config.yaml", encoding="utf-8") as file:
        section = yaml.safe_load(file)["lm"]
    config = parse_config(part_json(section, LMConfig))
    assert config.model.layers == section["model"]["layers"]
    assert config.flat()["lm.training.betas"] == section["training"]["betas"]


@pytest.mark.parametrize(
    ("part", "key", "value", "message"),
    [
        ("training", "batch_utterances", -4, "lm.training.batch_utterances is -4; it must be at least 1"),
        ("training", "batch_utterances", 0, "batch_utterances is 0; it must be at least 1"),
        ("training", "epochs", 2.5, "lm.training.epochs is 2.5"),
        ("training", "learning_rate", 0, "lm.training.learning_rate is 0; it must be greater than 0"),
        ("training", "learning_rate", "fast", "lm.training.learning_rate is 'fast'; it must be of type number"),
        ("training", "warmup_share", 1.5, "lm.training.warmup_share is 1.5; it must be at most 1"),
        ("training", "weight_decay", -0.1, "lm.training.weight_decay is -0.1; it must be at least 0"),
        ("training", "betas", [0.9], "lm.training.betas is [0.9]; it must have 2 items"),
        ("training", "betas", [0.9, True], "lm.training.betas.1 is True; it must be of type number"),
        ("training", "precision", "fp8", "lm.training.precision is 'fp8'; it must be one of auto, bf16, fp32"),
        ("training", "compile", "on", "lm.training.compile is 'on'; it must be one of auto, off"),
        ("training", "deterministic", 1, "lm.training.deterministic is 1; it must be of type boolean"),
        ("training", "patience", 0, "lm.training.patience is 0; it must be at least 1"),
        ("training", "evaluations_per_epoch", 0, "evaluations_per_epoch is 0; it must be at least 1"),
        ("training", "batchsize", 4, "lm.training.batchsize is not a known key; known here: epochs"),
        ("model", "heads", 3, "lm.model.hidden_size is 16; it must be an even multiple of lm.model.heads (3)"),
        ("model", "kv_heads", 4, "lm.model.kv_heads is 4; it must divide lm.model.heads (2)"),
        ("model", "layers", True, "lm.model.layers is True"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(section, part, key, value, message):
    section[part][key] = value
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_config(part_json(section, LMConfig))


def test_a_missing_key_and_broken_json_are_refused(section):
    del section["model"]["layers"]
    with pytest.raises(ValueError, match=r"lm\.model\.layers is missing"):
        parse_config(part_json(section, LMConfig))
    with pytest.raises(ValueError, match="not JSON"):
        parse_config("{")
    with pytest.raises(ValueError, match=r"lm\.training is missing"):
        parse_config(json.dumps({"model": section["model"]}))


def test_auto_becomes_what_the_device_computes_in(section, monkeypatch):
    config = parse_config(part_json(section, LMConfig))
    for bf16, found in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda bf16=bf16: {"avx512_bf16": bf16})
        resolved = config.resolved(torch.device("cpu"))
        assert resolved.flat()["lm.training.precision"] == found
        assert resolved.flat() | {"lm.training.precision": "auto"} == config.flat()
