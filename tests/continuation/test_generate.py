"""The step: every prompt, every seed, the same seconds for all; what cannot be continued is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from scripts.common.files import read_jsonl, write_json
from scripts.common.ragged import Ragged, save_bin
from scripts.continuation.generate import main, token_limit
from scripts.tokens import hf_tokenizer
from tests.factories.cuts import LETTER_PHONES
from tests.factories.models import tiny_llama

CONFIG = {"seconds": 2.0, "seeds": 3, "temperature": 1.0, "top_p": 0.9, "batch": 4, "precision": "fp32", "threads": 1}
STATS = {"frame_rate": None, "splits": {"train": {"tokens_per_second": 12.4}}}


@pytest.fixture
def step(tmp_path: Path, model_folder: Path, run_step):
    write_json(tmp_path / "stats.json", STATS)

    def call(sequences: dict[str, list[int]], *more: object, **changes: object) -> tuple[list[dict], list[dict]]:
        arrays = [np.array(s, np.uint16) for s in sequences.values()]
        save_bin(tmp_path / "x.bin", Ragged.join(list(sequences), arrays))
        run_step(
            main, "--tokens", tmp_path / "x.bin", "--stats", tmp_path / "stats.json", "--model", model_folder,
            "--modality", "toy", "--config", json.dumps({**CONFIG, **changes}), "--seed", 1,
            "--generated", tmp_path / "generated.jsonl", "--real", tmp_path / "real.jsonl", *more,
        )  # fmt: skip
        return list(read_jsonl(tmp_path / "generated.jsonl")), list(read_jsonl(tmp_path / "real.jsonl"))

    return call


TOY = {"p0/prompt": [1, 4, 5, 2], "p0/real": [1, 6, 7, 2], "p1/prompt": [1, 8, 2], "p1/real": [1, 9, 2]}


def test_a_line_per_prompt_and_seed_in_order(step):
    generated, real = step(TOY)
    assert [line["id"] for line in generated] == ["p0-0", "p0-1", "p0-2", "p1-0", "p1-1", "p1-2"]
    assert len({str(line["tokens"]) for line in generated}) > 1
    for line in generated:
        assert line["stop"] == ("limit" if len(line["tokens"]) == 25 else "eos")
        assert line["symbols"].split() == [LETTER_PHONES[token - 3] for token in line["tokens"]]
    assert [(line["id"], line["symbols"]) for line in real] == [("p0-real", "F G"), ("p1-real", "L")]


def test_listed_prompts_take_the_place_of_those_from_dev(step, tmp_path: Path):
    save_bin(tmp_path / "listed.bin", Ragged.join(["door"], [np.array([1, 4, 2], np.uint16)]))
    generated, real = step(TOY, "--prompts", tmp_path / "listed.bin")
    assert {line["prompt"] for line in generated} == {"door"}
    assert {line["prompt"] for line in real} == {"p0", "p1"}


def test_the_same_seed_gives_the_same_bytes(step, tmp_path: Path):
    step(TOY)
    first = (tmp_path / "generated.jsonl").read_bytes()
    step(TOY)
    assert (tmp_path / "generated.jsonl").read_bytes() == first


def test_seconds_become_tokens_by_the_frame_rate_or_the_rate_of_train():
    assert token_limit(STATS, 2.0) == 25
    assert token_limit({**STATS, "frame_rate": 50.0}, 2.0) == 100


def test_a_model_that_ends_at_once_gives_empty_lines(step, model_folder: Path, capsys):
    model = tiny_llama(len(LETTER_PHONES) + 3, context=200)

    model.lm_head.weight.data[2] = 0.0
    model.model.norm.weight.data.zero_()  # hidden states of zero: all logits are 0
    model.save_pretrained(model_folder)
    hf_tokenizer.save(hf_tokenizer.from_symbols(LETTER_PHONES), model_folder)
    generated, _ = step(TOY, top_p=0.04)  # ties: the first of equals, <unk> and <s> apart: </s>
    assert all(not line["tokens"] and line["stop"] == "eos" for line in generated)
    assert "6 empty" in capsys.readouterr().err


def test_a_prompt_longer_than_the_window_is_refused_before_anything_is_said(step):
    with pytest.raises(ValueError, match=r"toy: prompt p1 has 180 tokens and continuation.seconds asks for 25 more"):
        step({**TOY, "p1/prompt": [1, *[5] * 179, 2]})


def test_a_prompt_with_unknown_characters_is_refused(step):
    with pytest.raises(ValueError, match=r"x.bin: prompt p0 holds 2 characters or symbols that .* never saw"):
        step({**TOY, "p0/prompt": [1, 0, 5, 0, 2]})


def test_other_cuts_are_refused(step):
    with pytest.raises(ValueError, match="u1 is neither a prompt nor a real continuation"):
        step({"u1": [1, 5, 2]})


def test_a_model_without_a_tokenizer_is_refused(step, model_folder: Path):
    (model_folder / "tokenizer.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json: no such file"):
        step(TOY)
