"""The output head's loss in chunks against all at once."""

import pytest
import torch
from torch import nn

from scripts.lm.model import loss as module
from scripts.lm.model.loss import token_loss

TOKENS, WIDTH, VOCABULARY = 20, 8, 11


@pytest.fixture
def parts():
    """Head, hidden states and targets, some of which are left out."""
    torch.manual_seed(0)
    targets = torch.randint(VOCABULARY, (TOKENS,))
    targets[[3, 19]] = -100
    return nn.Linear(WIDTH, VOCABULARY, bias=False), torch.randn(TOKENS, WIDTH, requires_grad=True), targets


def learnt(head, hidden, targets, bf16=False):
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        loss = token_loss(head, hidden, targets)
    return [loss.detach(), *torch.autograd.grad(3 * loss, (hidden, head.weight))]


@pytest.mark.parametrize("chunk", [1, 7, 19])
@pytest.mark.parametrize("bf16", [False, True])
def test_a_loss_in_chunks_is_the_loss(parts, monkeypatch, chunk, bf16):
    expected = learnt(*parts, bf16)
    monkeypatch.setattr(module, "LOGIT_BYTES", 4 * VOCABULARY * chunk)
    tolerance = 0.01 if bf16 else 1e-6  # in bf16 the chunks' gradients of the head are rounded one by one
    for ours, whole in zip(learnt(*parts, bf16), expected, strict=True):
        assert ours.dtype == whole.dtype
        assert (ours - whole).norm() <= tolerance * whole.norm()


def test_without_gradients_the_chunks_sum_to_the_same(parts, monkeypatch):
    with torch.no_grad():
        expected = token_loss(*parts)
        monkeypatch.setattr(module, "LOGIT_BYTES", 4 * VOCABULARY * 7)
        torch.testing.assert_close(token_loss(*parts), expected)


def test_chunks_are_chosen_by_the_bytes_of_the_logits(parts, monkeypatch):
    head, hidden, targets = parts
    calls = []
    head.register_forward_hook(lambda *_: calls.append(1))
    monkeypatch.setattr(module, "LOGIT_BYTES", 4 * VOCABULARY * TOKENS)
    token_loss(head, hidden, targets)
    assert len(calls) == 1  # one product for all tokens
    monkeypatch.setattr(module, "LOGIT_BYTES", 4 * VOCABULARY * TOKENS - 1)
    with torch.no_grad():
        token_loss(head, hidden, targets)
    assert len(calls) == 3


def test_a_row_of_32768_tokens_with_the_papers_vocabulary_is_one_chunk():
    assert module.LOGIT_BYTES >= 4 * 2048 * 32768
