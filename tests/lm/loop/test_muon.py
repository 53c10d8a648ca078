"""Muon against torch's own, and what it refuses."""

import pytest
import torch
from torch import nn

from scripts.lm.loop.muon import Muon, orthogonalised

SHAPES = [(24, 24), (24, 24), (40, 24), (24, 40), (24, 40)]


def parameters():
    generator = torch.Generator().manual_seed(0)
    return [nn.Parameter(torch.randn(shape, generator=generator) * 0.1) for shape in SHAPES]


def steps(optimizer, weights, count=5):
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        for p in weights:
            p.grad = torch.randn(p.shape, generator=generator)
        optimizer.step()


def test_updates_are_those_of_torch():
    ours, theirs, start = parameters(), parameters(), parameters()
    steps(Muon(ours, lr=0.02, weight_decay=0.1), ours)
    steps(torch.optim.Muon(theirs, lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw"), theirs)
    for our, their, before in zip(ours, theirs, start, strict=True):
        moved = (their - before).norm()
        assert (our - their).norm() < 0.02 * moved  # the products are in bf16


def test_singular_values_of_an_update_are_near_one():
    matrices = torch.randn(3, 24, 40, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalised(matrices))
    assert values.min() > 0.6
    assert values.max() < 1.3
    assert torch.linalg.svdvals(matrices).max() > 5  # so that the bounds above say something


def test_a_matrix_without_gradient_signal_does_not_become_infinite():
    weights = [nn.Parameter(torch.ones(4, 4))]
    weights[0].grad = torch.zeros(4, 4)
    Muon(weights, lr=0.1).step()
    assert torch.equal(weights[0], torch.ones(4, 4))


def test_vectors_are_refused():
    with pytest.raises(ValueError, match="matrices only"):
        Muon([nn.Parameter(torch.ones(4))], lr=0.1)
