"""The packed forward pass against transformers' own, one sequence at a time."""

import itertools
import json

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F
from transformers import AttentionInterface

from scripts.lm import model as module
from scripts.lm.batches import fill_up, pack
from scripts.lm.config import parse_config
from scripts.lm.model import build_model, packed_logits, packed_loss

SEQUENCES = [np.array([1, *np.random.default_rng(n).integers(3, 11, n), 2]) for n in (1, 30, 7, 12)]


@pytest.fixture(params=[1, 2], ids=["grouped-query", "multi-head"])
def model(section, request):
    section["model"]["kv_heads"] = request.param
    model = build_model(parse_config(json.dumps(section)).model, 11, 1, 2, seed=0, precision="fp32")
    with torch.no_grad():
        for parameter in model.parameters():  # larger weights: attention that is far from uniform
            parameter.mul_(0.16 / parameter.std() if parameter.dim() > 1 else 1)
    return model


def one_by_one(model, sequences):
    """Loss sum by transformers' standard attention, each sequence in a batch of its own."""
    model.set_attn_implementation("eager")
    losses = []
    for sequence in sequences:
        ids = torch.from_numpy(sequence)[None]
        losses.append(F.cross_entropy(model(ids).logits[0, :-1], ids[0, 1:], reduction="sum"))
    model.set_attn_implementation("packed")
    return torch.stack(losses).sum()


def gradients(model):
    found = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    return found


def test_packed_loss_and_gradients_equal_one_by_one(model):
    expected = one_by_one(model, SEQUENCES)
    expected.backward()
    expected_gradients = gradients(model)
    loss = packed_loss(model, fill_up(pack(SEQUENCES)))
    loss.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-5, atol=1e-4)
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient, expected_gradients[name], rtol=1e-4, atol=1e-4, msg=name)


def test_bf16_attention_by_products_is_close_to_fp32(model):
    expected = packed_logits(model, pack(SEQUENCES))
    with torch.autocast("cpu", torch.bfloat16):
        logits = packed_logits(model, pack(SEQUENCES))
    assert logits.dtype == torch.bfloat16
    error = (logits.float() - expected).std() / expected.std()
    assert error < 0.03


def test_an_utterance_does_not_see_its_neighbours(model):
    with torch.autocast("cpu", torch.bfloat16):
        alone = packed_logits(model, pack([SEQUENCES[1]]))
        among = packed_logits(model, pack(SEQUENCES))[len(SEQUENCES[0]) - 1 :][: len(SEQUENCES[1]) - 1]
    torch.testing.assert_close(among, alone, rtol=0.02, atol=0.05)


def test_nothing_sees_the_future(model):
    changed = SEQUENCES[1].copy()
    changed[20] = 3 + (changed[20] - 2) % 8
    with torch.autocast("cpu", torch.bfloat16):
        before, after = (packed_logits(model, pack([s])) for s in (SEQUENCES[1], changed))
    assert torch.equal(before[:20], after[:20])
    assert not torch.equal(before[20:], after[20:])


def test_modalities_begin_with_the_same_weights_but_for_the_vocabulary(section):
    config = parse_config(json.dumps(section)).model
    small, large = (build_model(config, size, 1, 2, seed=3, precision="fp32").state_dict() for size in (11, 300))
    for name in small:
        if "layers" in name:
            assert torch.equal(small[name], large[name]), name


def by_edges(query, key, value, edges, edges_k, longest, longest_k, *, scale, window_size, enable_gqa):
    """What the GPU's kernel is documented to compute, sequence by sequence; checks what it is given."""
    assert edges is edges_k
    assert edges.dtype == torch.int32
    assert window_size == (-1, 0)  # causal
    assert longest == longest_k == max(np.diff(edges))
    assert edges[-1] == len(query) == len(key) == len(value)
    parts = []
    for start, end in itertools.pairwise(edges.tolist()):
        one = (x[start:end].transpose(0, 1)[None] for x in (query, key, value))
        out = F.scaled_dot_product_attention(*one, is_causal=True, scale=scale, enable_gqa=enable_gqa)
        parts.append(out[0].transpose(0, 1))
    return torch.cat(parts)


def test_the_gpus_attention_is_asked_for_the_same_loss(model, monkeypatch):
    packed = fill_up(pack(SEQUENCES))
    expected = packed_loss(model, packed)
    monkeypatch.setattr(module, "varlen_attn", by_edges)
    monkeypatch.setattr(module, "_fused", None)
    real = module.packed_attention

    def as_on_a_gpu(_, query, key, value, mask, scaling, sizes, edges, **rest):
        out = module._all_at_once(query[0], key[0], value[0], scaling, max(sizes), edges)
        return out[None], None

    AttentionInterface.register("packed", as_on_a_gpu)
    try:
        torch.testing.assert_close(packed_loss(model, packed), expected, rtol=1e-6, atol=1e-5)
    finally:
        AttentionInterface.register("packed", real)


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_the_gpus_kernel_takes_what_it_is_given_forward_and_backward(kv_heads):
    with FakeTensorMode():  # shapes and types only: the kernel itself is a GPU's
        tensors = [torch.randn(h, 24, 64, dtype=torch.bfloat16, requires_grad=True) for h in (2, kv_heads, kv_heads)]
        edges = torch.zeros(3, dtype=torch.int32)
        out = module._all_at_once(*tensors, 0.125, 16, edges)
        assert out.shape == (24, 2, 64)
        for tensor, gradient in zip(tensors, torch.autograd.grad(out.sum(), tensors), strict=True):
            assert gradient.shape == tensor.shape


@pytest.mark.parametrize("piece", [1, 7, 20])
def test_a_loss_in_pieces_is_the_loss(model, monkeypatch, piece):
    packed = fill_up(pack(SEQUENCES))
    expected = packed_loss(model, packed)
    expected.backward()
    expected_gradients = gradients(model)
    monkeypatch.setattr(module, "PIECE", piece)
    loss = packed_loss(model, packed)
    loss.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=1e-5)
    for name, gradient in gradients(model).items():
        torch.testing.assert_close(gradient, expected_gradients[name], rtol=1e-5, atol=1e-5, msg=name)
