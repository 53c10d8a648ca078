"""Sampling equals transformers' own where that can be, and is deterministic."""

import time

import numpy as np
import pytest
import torch
from transformers import GenerationConfig, LlamaForCausalLM, TopPLogitsWarper

from scripts.continuation.token_sampling import Request, continue_all, continue_batch, sample_tokens
from tests.continuation.conftest import say
from tests.factories.models import tiny_llama


def request(length: int, limit: int, seed: int = 0) -> Request:
    rng = np.random.default_rng(seed + 1000 * length)
    return Request(np.concatenate([[1], rng.integers(3, 20, length)]), limit, rng.random(limit))


@pytest.mark.parametrize("top_p", [0.3, 0.9, 1.0])
@pytest.mark.parametrize("temperature", [0.7, 1.0, 1.3])
def test_the_nucleus_and_its_shares_are_transformers(top_p: float, temperature: float):
    logits = torch.from_numpy(np.random.default_rng(0).normal(0, 2, 20)).float()[None]
    kept = TopPLogitsWarper(top_p)(None, logits / temperature) if top_p < 1 else logits / temperature
    expected = torch.softmax(kept, dim=-1)[0]
    draws = (torch.arange(20_000) + 0.5) / 20_000  # every part of [0, 1) equally
    chosen = sample_tokens(logits.expand(20_000, -1), draws, temperature, top_p)
    shares = torch.bincount(chosen, minlength=20) / 20_000
    assert (shares - expected).abs().max() < 1e-3
    assert set(torch.nonzero(shares)[:, 0].tolist()) <= set(torch.nonzero(expected)[:, 0].tolist())


def greedy(model: LlamaForCausalLM, prompt: np.ndarray, limit: int) -> list[int]:
    options = GenerationConfig(
        do_sample=False, max_new_tokens=limit, eos_token_id=2, bos_token_id=1, pad_token_id=0, suppress_tokens=[0, 1]
    )
    said = model.generate(torch.tensor(prompt)[None], generation_config=options)[0, len(prompt) :].tolist()
    return said[: said.index(2)] if 2 in said else said


def test_rows_of_all_lengths_together_equal_transformers_one_at_a_time():
    model = tiny_llama(seed=3)
    asked = [request(length, limit) for length, limit in [(1, 150), (5, 40), (30, 12), (12, 150), (29, 1), (3, 70)]]
    said = continue_batch(model, asked, temperature=1.0, top_p=1e-9)
    for one, (tokens, stop) in zip(asked, said, strict=True):
        assert tokens == greedy(model, one.prompt, one.limit)
        assert stop == ("limit" if len(tokens) == one.limit else "eos")


def test_a_row_does_not_depend_on_when_others_leave():
    model = tiny_llama(seed=1)
    asked = [request(8, 60, seed) for seed in range(12)]
    together = continue_batch(model, asked, 1.0, 0.9)
    assert len({len(tokens) for tokens, _ in together}) > 6, "they leave at different times"
    for one, said in zip(asked, together, strict=True):
        assert continue_batch(model, [one], 1.0, 0.9)[0] == said


def test_batches_give_every_request_its_own_answer_and_the_same_twice():
    model = tiny_llama()
    asked = [request(length, 20) for length in (9, 2, 7, 4, 3)]
    first = sorted(continue_all(model, asked, 2, 1.0, 0.9))
    assert [index for index, *_ in first] == [0, 1, 2, 3, 4]
    assert first == sorted(continue_all(model, asked, 2, 1.0, 0.9))


def test_a_model_that_never_ends_is_stopped_at_the_limit():
    tokens, stop = continue_batch(say(tiny_llama(), 7), [request(3, 25)], 1.0, 0.9)[0]
    assert tokens == [7] * 25
    assert stop == "limit"


def test_a_model_that_ends_at_once_gives_an_empty_continuation():
    assert continue_batch(say(tiny_llama(), 2), [request(3, 25)], 1.0, 0.9) == [([], "eos")]


@pytest.mark.parametrize("token", [0, 1])
def test_unknown_and_bos_are_never_said(token: int):
    tokens, _ = continue_batch(say(tiny_llama(), token), [request(3, 25)], 1.0, 0.9)[0]
    assert token not in tokens


def test_at_least_three_times_as_fast_as_one_at_a_time():
    model = tiny_llama()
    asked = [request(10, 60, seed) for seed in range(24)]
    list(continue_all(model, asked[:2], 2, 1.0, 0.9))  # what is done once is done
    began = time.perf_counter()
    said = sum(len(tokens) for _, tokens, _ in continue_all(model, asked, 24, 1.0, 0.9))
    ours = said / (time.perf_counter() - began)
    options = GenerationConfig(do_sample=True, top_p=0.9, max_new_tokens=60, eos_token_id=2, bos_token_id=1,
                               pad_token_id=0, suppress_tokens=[0, 1])  # fmt: skip
    began, said = time.perf_counter(), 0
    for one in asked[:6]:
        said += model.generate(torch.tensor(one.prompt)[None], generation_config=options).shape[1] - 11
    theirs = said / (time.perf_counter() - began)
    assert ours > 3 * theirs, f"{ours:.0f} against {theirs:.0f} tokens per second"
