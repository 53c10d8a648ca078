"""A training's output, its loss, and the same bytes from the same seed."""

import math
import os
import threading

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from scripts.common.files import read_json
from scripts.common.ragged import load_bin
from scripts.lm.batching import loader
from scripts.lm.loop import trainer as module
from tests.lm.conftest import VOCABULARY, files, log


def test_the_output_is_complete_and_loads(train, toy, section):
    out = train()
    assert sorted(p.name for p in out.iterdir()) == ["log.csv", "model", "scaling"]
    tokens = load_bin(toy / "train.bin")
    per_epoch = int(tokens.lengths.sum()) - len(tokens)
    about = read_json(out / "model" / "training.json")
    assert about["steps"] == 3 * 8
    assert about["tokens"] == 3 * per_epoch
    assert about["vocab_size"] == len(VOCABULARY)
    assert 0.9 < about["useful_token_share"] <= 1  # rows of 200 tokens are filled up to multiples of 16
    card = (out / "model" / "README.md").read_text()
    assert f"| dev loss at the end | {about['dev_loss']} nats per token |" in card
    assert "| weights are those of | the last step |" in card
    assert about["config"]["model"] == section["model"]

    kept = sorted(int(p.name.removeprefix("tokens-")) for p in (out / "scaling").iterdir())
    assert len(kept) == 4
    assert kept[-1] == per_epoch

    tokenizer = AutoTokenizer.from_pretrained(out / "model")
    model = AutoModelForCausalLM.from_pretrained(out / "model")
    config = model.config
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (1, 2, None)
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (1, 2)
    assert tokenizer.convert_tokens_to_ids("a") == VOCABULARY["a"]
    for folder in (out / "scaling").iterdir():
        assert AutoModelForCausalLM.from_pretrained(folder).dtype == torch.float32

    rows = log(out)
    dev = [float(row["dev_loss"]) for row in rows if row["dev_loss"]]
    assert [row["epoch"] for row in rows if row["dev_loss"]] == ["1", "2", "3"]
    assert int(rows[-1]["tokens"]) == about["tokens"]
    assert about["dev_loss"] == dev[-1]

    # The loaded model, by transformers' own attention in float32, has the loss that training saw.
    total, count = 0.0, 0
    for sequence in load_bin(toy / "dev.bin"):
        ids = torch.from_numpy(sequence.astype(np.int64))[None]
        with torch.no_grad():
            total += model(ids, labels=ids).loss.item() * (len(sequence) - 1)
        count += len(sequence) - 1
    assert total / count == pytest.approx(dev[-1], rel=0.01)


def test_the_loss_falls_to_the_languages_entropy(train, section):
    section["training"]["epochs"] = 20
    rows = log(train())
    lengths = 1 + np.arange(5, 40)  # tokens predicted per sequence, of which the last is EOS
    hazard = [sum(lengths > n) / sum(lengths >= n) for n in range(5 + 1, 40)]  # that EOS does not come yet
    ending = -sum(math.log(h) * h + math.log(1 - h) * (1 - h) for h in hazard if 0 < h < 1) / len(hazard)
    bound = math.log(2) + ending  # of the step, and at most of the ending
    last = float(rows[-1]["dev_loss"])
    assert 0.9 * math.log(2) < last < bound + 0.1
    assert float(rows[0]["train_loss"]) > 1.8  # from about the log of 8


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(train, toy):
    a, b = files(train("a")), files(train("b"))
    assert a == b
    c = files(train("c", "--seed", "2"))
    assert a["model/model.safetensors"] != c["model/model.safetensors"]


def test_rows_built_ahead_by_a_thread_give_the_same_bytes_and_its_errors_end_the_run(train, toy, monkeypatch):
    """As on a GPU, where rows are also copied and the device is not waited for."""
    plain = files(train("plain"))
    init = loader.Loader.__init__

    def prefetching(self, *arguments):
        init(self, *arguments)
        self.prefetch = True

    monkeypatch.setattr(loader.Loader, "__init__", prefetching)
    assert files(train("ahead")) == plain

    build, calls = loader.micro_batches, []

    def damaged(*arguments):
        calls.append(1)
        if len(calls) == 5:
            raise ValueError("train.bin: u5 holds a token outside the vocabulary")
        return build(*arguments)

    monkeypatch.setattr(loader, "micro_batches", damaged)
    with pytest.raises(ValueError, match=r"train\.bin: u5 holds"):
        train("damaged")
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.mark.parametrize(("precision", "expected"), [("bf16", 1), ("fp32", 0)])
def test_layers_are_compiled_for_bf16_alone(train, section, monkeypatch, precision, expected):
    section["training"] |= {"precision": precision, "epochs": 1}
    calls = []
    monkeypatch.setattr(module, "prepare_for_device", lambda *arguments: calls.append(arguments))
    train()
    assert len(calls) == expected


def test_deterministic_mode_trains_the_same_model_on_a_cpu(train, toy, section, monkeypatch):
    section["training"]["epochs"] = 1
    weights = (train("plain") / "model" / "model.safetensors").read_bytes()
    section["training"]["deterministic"] = True
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    try:
        assert (train("deterministic") / "model" / "model.safetensors").read_bytes() == weights
        assert torch.are_deterministic_algorithms_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(False)


def test_fewer_utterances_than_a_batch_and_checkpoints_than_steps_work(train, section):
    section["training"]["batch_utterances"] = 500
    out = train()
    assert len(list((out / "scaling").iterdir())) == 1
    assert int(log(out)[-1]["step"]) == 3
