"""The layers of a GPU, run on a CPU: all but the attention kernel, which only GPUs have."""

import functools

import numpy as np
import pytest
import torch
from torch._dynamo.utils import counters
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from scripts.lm.batching.batches import pack, pad_to_bucket
from scripts.lm.distributed.ranks import Ranks
from scripts.lm.loop.gradients import Gradients
from scripts.lm.model import gpu_layers as module
from scripts.lm.model.gpu_layers import Decoder

LENGTHS = (150, 1, 30, 7, 300)


def row(*lengths):
    draws = (np.random.default_rng(n).integers(3, 11, n) for n in lengths)
    return pad_to_bucket(pack([np.array([1, *draw, 2]) for draw in draws]))


def masked_attention(query, key, value, cu_seqlens, max_seqlen):
    """What `flash_attention` computes, with a mask over the whole row."""
    count = query.shape[0]
    sequence = (torch.arange(count)[:, None] >= cu_seqlens[1:]).sum(1)
    seen = (sequence[:, None] == sequence) & torch.ones(count, count, dtype=torch.bool).tril()
    heads = (x.transpose(0, 1)[None] for x in (query, key, value))
    return F.scaled_dot_product_attention(*heads, attn_mask=seen, enable_gqa=True)[0].transpose(0, 1)


@pytest.fixture(autouse=True)
def attention_of_a_cpu(monkeypatch):
    monkeypatch.setattr(module, "flash_attention", masked_attention)
    torch._dynamo.reset()
    counters.clear()


def learnt(model, hidden_states, rows, bf16=True):
    """The loss and every gradient, summed over rows."""
    model.zero_grad()
    total = 0.0
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for packed in rows:
            logits = model.lm_head(model.model.norm(hidden_states(packed)))
            loss = F.cross_entropy(logits.float(), packed.targets, reduction="sum")
            loss.backward()
            total += loss.item()
    return total, torch.cat([p.grad.ravel() for p in model.parameters()])


def transformers_alone(model):
    """The layers as transformers runs them, one sequence at a time."""

    def hidden_states(packed):
        model.set_attn_implementation("eager")
        body = model.model
        parts = []
        for inputs, positions in zip(
            packed.inputs.split(packed.sizes), packed.positions.split(packed.sizes), strict=True
        ):
            hidden = body.embed_tokens(inputs)[None]
            tables = body.rotary_emb(hidden, positions[None])
            mask = torch.full((len(inputs), len(inputs)), float("-inf")).triu(1)[None, None]
            for layer in body.layers:
                hidden = layer(hidden, attention_mask=mask, position_embeddings=tables)
            parts.append(hidden[0])
        return torch.cat(parts)

    return hidden_states


def with_backend(monkeypatch, backend):
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=backend))


def test_in_float32_loss_and_gradients_are_transformers_one_by_one(model, monkeypatch):
    monkeypatch.setattr(module, "PRODUCTS", torch.float32)
    expected, expected_gradient = learnt(model, transformers_alone(model), [row(*LENGTHS)], bf16=False)
    loss, gradient = learnt(model, Decoder(model, False, 0).hidden_states, [row(*LENGTHS)], bf16=False)
    assert loss == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-3, atol=2e-4)


def test_in_bf16_it_is_as_near_to_float32_as_transformers_one_by_one(model):
    _, exact = learnt(model, transformers_alone(model), [row(*LENGTHS)], bf16=False)
    _, theirs = learnt(model, transformers_alone(model), [row(*LENGTHS)])
    _, ours = learnt(model, Decoder(model, False, 0).hidden_states, [row(*LENGTHS)])
    error, reference = (float((found - exact).norm() / exact.norm()) for found in (ours, theirs))
    assert 0 < error < 1.5 * reference, (error, reference)


def test_compiled_rows_of_any_lengths_share_two_graphs_and_equal_eager_ones(model, monkeypatch):
    with_backend(monkeypatch, "aot_eager")
    eager, compiled = Decoder(model, False, 0), Decoder(model, True, 480)
    assert compiled.layer is not module.decoder_layer
    for lengths in (LENGTHS, (40,), (3, 5, 200), (127, 127), (9,) * 30):
        expected, expected_gradient = learnt(model, eager.hidden_states, [row(*lengths)])
        loss, gradient = learnt(model, compiled.hidden_states, [row(*lengths)])
        assert loss == pytest.approx(expected, rel=1e-6)
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-6, atol=1e-6)
        with torch.no_grad(), compiled.weights_cast_once():
            compiled.hidden_states(row(*lengths))
    assert counters["stats"]["unique_graphs"] == 2  # with gradients and without


def test_inside_ddp_the_same_two_graphs_serve_and_give_the_same_gradients(model, monkeypatch):
    """Dynamo splits what it compiles inside DDP's forward pass; the layers must not be compiled there."""
    with_backend(monkeypatch, "aot_eager")
    decoder, rows = Decoder(model, True, 480), [row(*LENGTHS), row(3, 5, 200)]
    monkeypatch.setattr("scripts.lm.model.llama.hidden_states", lambda _, packed: decoder.hidden_states(packed))

    def gradient(distributed):
        model.zero_grad()
        ranks = Ranks()
        ranks.distributed = distributed
        Gradients(model, "bf16", ranks).add(rows, 700)
        return torch.cat([p.grad.ravel() for p in model.parameters()])

    expected = gradient(distributed=False)
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        assert torch.equal(gradient(distributed=True), expected)
    finally:
        torch.distributed.destroy_process_group()
    assert counters["stats"]["unique_graphs"] == 2


@pytest.mark.slow
def test_by_the_default_compiler_it_is_as_near_to_float32(model):
    compiled = Decoder(model, True, 480)
    if compiled.layer is module.decoder_layer:
        pytest.skip("no C++ compiler here")
    _, exact = learnt(model, transformers_alone(model), [row(*LENGTHS)], bf16=False)
    _, theirs = learnt(model, transformers_alone(model), [row(*LENGTHS)])
    _, ours = learnt(model, compiled.hidden_states, [row(*LENGTHS)])
    error, reference = (float((found - exact).norm() / exact.norm()) for found in (ours, theirs))
    assert 0 < error < 1.5 * reference, (error, reference)


@pytest.mark.parametrize("when", ["forward", "backward"])
def test_where_compiling_fails_one_line_says_so_and_it_runs_eagerly(model, monkeypatch, capsys, when):
    def fails(graph, inputs):
        raise RuntimeError("no compiler\nand a long story")

    stages = {"fw_compiler": lambda graph, _: graph, "bw_compiler": fails}
    broken = torch._dynamo.backends.common.aot_autograd(**stages) if when == "backward" else fails
    with_backend(monkeypatch, broken)
    decoder = Decoder(model, True, 480)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("the decoder layers run eagerly, since compiling them failed (")
    assert decoder.layer is module.decoder_layer
    assert learnt(model, decoder.hidden_states, [row(*LENGTHS)])[0] > 0


def test_the_compilers_trial_leaves_no_gradients(model, monkeypatch):
    with_backend(monkeypatch, "aot_eager")
    Decoder(model, True, 480)
    assert all(p.grad is None for p in model.parameters())


class Casts(TorchDispatchMode):
    """Counts matrices that are cast to bf16."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten._foreach_copy_.default and args[0][0].dtype == torch.bfloat16:
            self.count += len(args[0])
        return func(*args, **(kwargs or {}))


def test_rows_of_a_step_share_one_cast_of_the_weights(model):
    decoder, rows = Decoder(model, False, 0), [row(*LENGTHS), row(40, 9), row(77)]
    expected, expected_gradient = learnt(model, decoder.hidden_states, rows)
    with Casts() as casts, decoder.weights_cast_once():
        loss, gradient = learnt(model, decoder.hidden_states, rows)
    assert casts.count == 7 * len(model.model.layers)
    assert loss == expected
    assert torch.equal(gradient, expected_gradient)


def test_a_step_begins_with_new_casts(model):
    decoder = Decoder(model, False, 0)
    with torch.no_grad(), decoder.weights_cast_once():
        before = decoder.hidden_states(row(40))
    with torch.no_grad():
        model.model.layers[0].mlp.up_proj.weight.mul_(2)
    with torch.no_grad(), decoder.weights_cast_once():
        assert not torch.equal(decoder.hidden_states(row(40)), before)
