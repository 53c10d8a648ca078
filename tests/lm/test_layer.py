"""The layers written out, against transformers' own."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from scripts.lm import layer
from scripts.lm.batches import pack, pad_to_bucket
from scripts.lm.config import parse_config
from scripts.lm.model import build_model, packed_logits, packed_loss

SEQUENCES = [np.array([1, *np.random.default_rng(n).integers(3, 11, n), 2]) for n in (150, 1, 30, 7, 300)]


@pytest.fixture(params=[1, 2], ids=["grouped-query", "multi-head"])
def model(section, request):
    section["model"] |= {"kv_heads": request.param, "context": 512}
    model = build_model(parse_config(json.dumps(section)).model, 11, 1, 2, seed=0)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():  # attention that is far from uniform; norms that are not 1
            draw = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(0.16 * draw if parameter.dim() > 1 else 1 + 0.3 * draw)
    return model


def learnt(model, packed, bf16):
    """The loss and every gradient."""
    model.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = packed_loss(model, packed)
        loss.backward()
    return loss.detach(), {name: p.grad.clone() for name, p in model.named_parameters()}


def test_in_float32_it_is_transformers_layer(model):
    packed = pad_to_bucket(pack(SEQUENCES))
    expected, expected_gradients = learnt(model, packed, bf16=False)  # by transformers' layers
    model.zero_grad()
    logits = model.lm_head(model.model.norm(layer.hidden_states(model, packed, torch.float32)))
    loss = F.cross_entropy(logits, packed.targets, reduction="sum")
    loss.backward()
    torch.testing.assert_close(loss.detach(), expected, rtol=1e-5, atol=1e-4)
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, expected_gradients[name], rtol=1e-3, atol=2e-4, msg=name)


def test_in_bf16_it_is_as_near_to_float32_as_transformers_layer(model, monkeypatch):
    packed = pad_to_bucket(pack(SEQUENCES))
    _, exact = learnt(model, packed, bf16=False)
    _, ours = learnt(model, packed, bf16=True)
    monkeypatch.setattr("scripts.lm.model.hidden_states", transformers_hidden_states)
    _, theirs = learnt(model, packed, bf16=True)
    whole = [torch.cat([gradient.ravel() for gradient in found.values()]) for found in (exact, ours, theirs)]
    error, reference = (float((found - whole[0]).norm() / whole[0].norm()) for found in whole[1:])
    assert 0 < error < 1.5 * reference, (error, reference)


def transformers_hidden_states(model, packed):
    hidden = model.model.embed_tokens(packed.inputs)[None]
    tables = [table.bfloat16() for table in model.model.rotary_emb(hidden, packed.positions[None])]
    for one in model.model.layers:
        hidden = one(hidden, position_embeddings=tables, sizes=packed.sizes, edges=None)
    return hidden[0]


def test_without_gradients_the_logits_are_the_same(model):
    packed = pack(SEQUENCES)
    with torch.autocast("cpu", torch.bfloat16):
        expected = packed_logits(model, packed)
        with torch.no_grad():
            assert torch.equal(packed_logits(model, packed), expected)
