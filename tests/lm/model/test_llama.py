"""The packed forward pass against transformers' own, one sequence at a time."""

import json

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from scripts.lm.batching.batches import pack, pad_to_bucket
from scripts.lm.config import parse_config
from scripts.lm.model.llama import build_model, packed_logits, packed_loss, prepare_for_device

SEQUENCES = [np.array([1, *np.random.default_rng(n).integers(3, 11, n), 2]) for n in (1, 30, 7, 12)]


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
    loss = packed_loss(model, pad_to_bucket(pack(SEQUENCES)))
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
    small, large = (build_model(config, size, 1, 2, seed=3).state_dict() for size in (11, 300))
    for name in small:
        if "layers" in name:
            assert torch.equal(small[name], large[name]), name


def test_heads_that_a_gpus_attention_cannot_compute_are_refused(section):
    section["model"] |= {"hidden_size": 24, "heads": 2, "kv_heads": 2}
    model = build_model(parse_config(json.dumps(section)).model, 11, 1, 2, seed=0)
    prepare_for_device(model, torch.device("cpu"), True, 64)  # a CPU computes any size
    with pytest.raises(ValueError, match="hidden_size / heads is 12; FlashAttention needs a multiple of 8"):
        prepare_for_device(model, torch.device("cuda"), True, 64)
