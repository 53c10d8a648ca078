"""The layers written out, against transformers' own."""

import numpy as np
import torch
from torch.nn import functional as F

from scripts.lm.batching.batches import pack, pad_to_bucket
from scripts.lm.model import cpu_layers as layer
from scripts.lm.model.llama import packed_logits, packed_loss

SEQUENCES = [np.array([1, *np.random.default_rng(n).integers(3, 11, n), 2]) for n in (150, 1, 30, 7, 300)]


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


def one_by_one(model, bf16):
    """The same by transformers' layers and attention, under autocast where `bf16`, one utterance at a time."""
    model.zero_grad()
    model.set_attn_implementation("eager")
    total = 0.0
    for sequence in SEQUENCES:
        ids = torch.from_numpy(sequence)[None]
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = model(ids[:, :-1], use_cache=False).logits[0]
            loss = F.cross_entropy(logits.float(), ids[0, 1:], reduction="sum")
            loss.backward()
        total += loss.detach()
    model.set_attn_implementation("packed")
    return total, {name: p.grad.clone() for name, p in model.named_parameters()}


def test_in_bf16_the_error_is_at_most_1_5_times_that_of_autocast_one_by_one(model):
    exact_loss, exact = one_by_one(model, bf16=False)
    _, autocast = one_by_one(model, bf16=True)
    loss, ours = learnt(model, pad_to_bucket(pack(SEQUENCES)), bf16=True)
    torch.testing.assert_close(loss, exact_loss, rtol=2e-3, atol=0)
    right, found, reference = (torch.cat([g.ravel() for g in each.values()]) for each in (exact, ours, autocast))
    error, allowed = (found - right).norm(), 1.5 * (reference - right).norm()
    assert 0 < error < allowed, (error, allowed)


def test_without_gradients_the_logits_are_the_same(model):
    packed = pack(SEQUENCES)
    with torch.autocast("cpu", torch.bfloat16):
        expected = packed_logits(model, packed)
        with torch.no_grad():
            assert torch.equal(packed_logits(model, packed), expected)
