"""What precisions do to scores, and how changed decisions are counted."""

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from benchmarks.precision import compare, emulated_tf32, round_to_tf32
from scripts.evaluation.logprobs import score, score_tokens
from scripts.evaluation.precision import float32_products, resolve_precision
from tests.evaluation.conftest import item
from tests.factories.models import random_sequence


def test_bf16_rounds_the_decoder_and_neither_logits_nor_log_softmax(model: LlamaForCausalLM) -> None:
    rng = np.random.default_rng(0)
    sequences = {f"s{i}": random_sequence(rng, int(n)) for i, n in enumerate(rng.integers(0, 60, 40))}
    exact, rounded = (
        np.concatenate(list(score_tokens(model, sequences, 512, "toy", precision).values()))
        for precision in ("fp32", "bf16")
    )
    assert 1e-4 < np.abs(exact - rounded).max() < 1.0
    assert not np.array_equal(rounded, torch.from_numpy(rounded).bfloat16().double().numpy())
    assert len(np.unique(rounded)) > 0.9 * len(rounded), "logits in bf16 would give the same few values again and again"


def test_auto_is_exact_on_a_cpu_and_tf32_on_a_gpu() -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert [resolve_precision("auto", device) for device in (cpu, gpu)] == ["fp32", "tf32"]
    assert [resolve_precision("bf16", device) for device in (cpu, gpu)] == ["bf16", "bf16"]
    with pytest.raises(ValueError, match=r"evaluation\.precision is tf32, which a cpu does not have; take auto"):
        resolve_precision("tf32", cpu)
    with pytest.raises(ValueError, match=r"evaluation\.precision is 'fp16'; it must be one of auto, fp32, tf32, bf16"):
        resolve_precision("fp16", gpu)


def test_a_gpus_products_are_as_before_afterwards() -> None:
    before = torch.backends.cuda.matmul.allow_tf32
    for precision, allowed in (("tf32", True), ("bf16", True), ("fp32", False)):
        with float32_products(precision):
            assert torch.backends.cuda.matmul.allow_tf32 is allowed
            assert (torch.backends.cuda.matmul.fp32_precision == "tf32") is allowed
    assert torch.backends.cuda.matmul.allow_tf32 == before


def test_rounding_to_tf32_keeps_ten_bits() -> None:
    x = torch.tensor([1.0, 1.0 + 2**-10, 1.0 + 0.4 * 2**-10, 1.0 + 0.6 * 2**-10, -3.0 - 2**-13])
    assert round_to_tf32(x).tolist() == [1.0, 1.0 + 2**-10, 1.0, 1.0 + 2**-10, -3.0]


def test_emulated_tf32_is_nearer_than_bf16_and_leaves_the_model(model: LlamaForCausalLM) -> None:
    sequences = {"a": random_sequence(np.random.default_rng(0), 80)}
    exact, bf16 = (score(model, sequences, 512, "toy", precision)["a"] for precision in ("fp32", "bf16"))
    with emulated_tf32(model):
        tf32 = score(model, sequences, 512, "toy")["a"]
    assert 0 < abs(tf32 - exact) < abs(bf16 - exact)
    assert score(model, sequences, 512, "toy")["a"] == exact


def test_changed_decisions_and_orders_are_counted() -> None:
    items = [item("a"), item("b")]
    names = [side["id"] for each in items for side in (each["positive"], each["negative"])]
    exact = dict(zip(names, (-1.0, -2.0, -3.0, -4.0), strict=True))
    rounded = dict(zip(names, (-1.0, -3.5, -3.6, -3.5), strict=True))  # b's pair turns, and b against a's negative
    found = compare(items, exact, rounded)
    assert (found.pairs, found.changed, found.orders, found.orders_changed) == (2, 1, 4, 1)
    assert found.max_error == 1.5
