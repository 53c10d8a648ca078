"""Perplexity equals transformers' own loss; texts that cannot be judged are refused in one line or counted."""

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, LlamaForCausalLM

from scripts.common.files import read_csv, write_jsonl
from scripts.continuation import perplexity
from scripts.continuation.judge import COLUMNS, main, real_text
from scripts.continuation.perplexity import encode, load, mean_loss, normalise_text
from scripts.tokens import hf_tokenizer
from scripts.tokens.modality import Modality
from scripts.tokens.tokenizer import train_text_tokenizer
from tests.factories.models import tiny_llama

TEXTS = ["the dog sat on a mat", "the cat ran to me", "a dog ran"]


@pytest.fixture
def judge_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "judge"
    folder.mkdir()
    tokenizer = train_text_tokenizer(TEXTS, [], Modality("text", "bpe", name="judge", vocab_size=24), folder)
    hf_tokenizer.save(tokenizer, folder)
    tiny_llama(24, context=200).save_pretrained(folder)
    return folder


def test_alone_it_is_the_loss_of_all_tokens_after_bos(judge_folder: Path):
    model, tokenizer = load(str(judge_folder), "fp32")
    sequences = [encode(tokenizer, "", text) for text in TEXTS]
    for (ids, scored), loss in zip(sequences, mean_loss(model, sequences, 20), strict=True):
        assert ids[0] == tokenizer.bos_token_id
        assert scored == len(ids) - 1
        batch = torch.tensor([ids])
        assert loss == pytest.approx(float(model(input_ids=batch, labels=batch).loss), rel=1e-5)


def test_after_a_prompt_only_its_own_tokens_count(judge_folder: Path):
    model, tokenizer = load(str(judge_folder), "fp32")
    ids, scored = encode(tokenizer, TEXTS[0], TEXTS[1])
    alone, _ = encode(tokenizer, "", TEXTS[1])
    assert ids[-scored:] == alone[1:]
    labels = torch.tensor([[-100] * (len(ids) - scored) + ids[-scored:]])
    expected = float(model(input_ids=torch.tensor([ids]), labels=labels).loss)
    assert mean_loss(model, [(ids, scored)], 100)[0] == pytest.approx(expected, rel=1e-5)


def test_without_bos_the_first_token_is_given(judge_folder: Path):
    tokenizer = AutoTokenizer.from_pretrained(judge_folder)
    tokenizer.bos_token = None
    ids, scored = encode(tokenizer, "", TEXTS[2])
    assert scored == len(ids) - 1


def test_what_is_longer_than_the_context_loses_its_beginning(judge_folder: Path):
    model = LlamaForCausalLM.from_pretrained(judge_folder)
    long = [1, *([5, 6, 7] * 100)]
    (loss,) = mean_loss(model, [(long, 300)], 1000)
    assert loss == pytest.approx(mean_loss(model, [(long[-200:], 199)], 1000)[0])


@pytest.mark.parametrize("text", ["", " "])
def test_nothing_to_score_has_no_loss(judge_folder: Path, text: str):
    model, _ = load(str(judge_folder), "fp32")
    assert mean_loss(model, [([], 0), ([1], 0)], 100) == [None, None]
    assert normalise_text(text) == ""


def test_spoken_form():
    assert normalise_text(' Tom\'s dog, "Rex" -- sat. ') == "tom's dog rex sat"


def test_a_judge_without_a_tokenizer_is_refused(judge_folder: Path):
    for file in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "sentencepiece.model"):
        (judge_folder / file).unlink(missing_ok=True)
    with pytest.raises(ValueError, match=r"continuation.judge.source: .*(no tokenizer at|holds no fast tokenizer)"):
        load(str(judge_folder), "fp32")


def test_a_judge_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"continuation.judge.source: no tokenizer at /"):
        load(str(tmp_path / "nothing"), "fp32")


def test_a_judge_without_all_of_its_weights_is_refused(judge_folder: Path):
    weights = load_file(judge_folder / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, judge_folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"judge\.source: .*: 1 weights are missing .* e\.g\. lm_head\.weight"):
        load(str(judge_folder), "fp32")
    (judge_folder / "model.safetensors").write_bytes(b"short")
    with pytest.raises(ValueError, match="no causal language model at"):
        load(str(judge_folder), "fp32")


@pytest.mark.parametrize("precision", ["int8", "int4"])
@pytest.mark.parametrize(
    ("installed", "says"),
    [
        ([], r"needs bitsandbytes and accelerate \(pip install bitsandbytes accelerate\)"),
        (["accelerate"], r"needs bitsandbytes \(pip install bitsandbytes\)"),
        (["accelerate", "bitsandbytes"], r"needs a GPU, there is none; take fp32 or bf16"),
    ],
)
def test_quantisation_that_cannot_be_had_is_one_line(
    monkeypatch: pytest.MonkeyPatch, precision: str, installed: list[str], says: str
):
    monkeypatch.setattr(perplexity, "find_spec", lambda name: name if name in installed else None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match=rf"^continuation\.judge\.precision: {precision} {says}$"):
        load("any", precision)


def test_the_step_has_a_row_for_every_continuation(judge_folder: Path, tmp_path: Path, run_step):
    line = {"prompt": "p0", "seed": 0, "stop": "eos", "tokens": 3, "seconds": 1.5, "silence": 0.1}
    lines = [{**line, "id": "a", "text": "THE CAT RAN"}, {**line, "id": "b", "text": ""}]
    write_jsonl(tmp_path / "t.jsonl", lines)
    write_jsonl(tmp_path / "prompts.jsonl", [{"id": "p0", "text": "A dog sat.", "real": "It ran."}])
    run_step(
        main, "--transcripts", tmp_path / "t.jsonl", "--prompts", tmp_path / "prompts.jsonl", "--judge", judge_folder,
        "--text", "spoken", "--precision", "fp32", "--batch-tokens", 64, "--threads", 1, "--out", tmp_path / "t.csv",
        "--about", tmp_path / "judge.csv",
    )  # fmt: skip
    first, second = read_csv(tmp_path / "t.csv")
    assert tuple(first) == COLUMNS
    assert first["text"] == "the cat ran"
    model, tokenizer = load(str(judge_folder), "fp32")
    (loss,) = mean_loss(model, [encode(tokenizer, "", "the cat ran")], 64)
    assert float(first["perplexity"]) == pytest.approx(math.exp(loss), rel=1e-4)
    assert first["perplexity_given_prompt"] != first["perplexity"]
    assert (second["status"], second["perplexity"], second["words"]) == ("empty", "", "0")
    assert json.loads(first["words"]) == 3
    (about,) = read_csv(tmp_path / "judge.csv")
    ids, scored = encode(tokenizer, "", "a dog sat it ran")
    (real,) = mean_loss(model, [(ids, scored)], 64)
    assert (about["texts"], about["words"], about["judge_tokens"]) == ("1", "5", str(scored))
    assert float(about["perplexity"]) == pytest.approx(math.exp(real), rel=1e-4)
    assert float(about["word_perplexity"]) == pytest.approx(math.exp(real * scored / 5), rel=1e-4)


def test_a_judge_without_real_text_is_refused(judge_folder: Path):
    with pytest.raises(ValueError, match="no prompt has a real continuation"):
        real_text([{"text": "A dog sat.", "real": None}], *load(str(judge_folder), "fp32"), 64, "spoken")
