"""Learning rates, the steps of the checkpoints, and what decays, by hand."""

import itertools
import json
import math

import pytest

from scripts.lm.config import parse_config
from scripts.lm.loop.optimizer import parameter_groups
from scripts.lm.loop.schedule import learning_rate, scaling_steps
from scripts.lm.model.llama import build_model


def test_learning_rate_by_hand(section):
    config = parse_config(json.dumps(section)).training  # peak 0.01, 10% warm-up, ends at a tenth
    rates = [learning_rate(step, 20, config) for step in range(20)]
    assert rates[:2] == [0.005, 0.01]
    assert rates[10] == pytest.approx(0.01 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 2))))
    assert rates[-1] == pytest.approx(0.001)
    assert all(a > b for a, b in itertools.pairwise(rates[1:]))


@pytest.mark.parametrize(
    ("steps", "count", "warmup", "expected"),
    [
        (75, 8, 1, [2, 4, 6, 10, 17, 28, 46, 75]),
        (80, 4, 10, [10, 20, 40, 80]),
        (80, 2, 300, [40, 80]),
        (8, 8, 2, list(range(1, 9))),
        (3, 8, 1, [1, 2, 3]),
        (1, 8, 1, [1]),
        (10, 1, 1, [10]),
    ],
)
def test_scaling_steps_by_hand(steps, count, warmup, expected):
    found = scaling_steps(steps, count, warmup)
    assert found[-1] == steps if count > 1 else len(found) == 1
    assert count == 1 or found == expected


@pytest.mark.parametrize("steps", range(1, 60))
@pytest.mark.parametrize("warmup", [1, 10, 40])
def test_scaling_steps_are_distinct_and_rise_to_the_epochs_end(steps, warmup):
    found = scaling_steps(steps, 8, warmup)
    assert len(found) == min(8, steps)
    assert found == sorted(set(found))
    assert found[0] >= 1
    assert found[-1] == steps


MATRICES = 7 * 2  # per layer q, k, v, o, gate, up, down
OTHERS = 2 * 2 + 1 + 1  # norms, and the embedding


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        ("adamw", {"adamw": [(0.1, MATRICES + 1), (0.0, OTHERS)]}),  # 1: the output
        ("muon", {"muon": [(0.1, MATRICES)], "adamw": [(0.1, 1), (0.0, OTHERS)]}),
    ],
)
def test_only_matrices_of_linear_layers_decay(section, optimizer, expected):
    section["training"]["optimizer"] = optimizer
    config = parse_config(json.dumps(section))
    model = build_model(config.model, 11, 1, 2, 0)
    found = {
        name: [(group["weight_decay"], len(group["params"])) for group in groups]
        for name, groups in parameter_groups(model, config.training).items()
    }
    assert found == expected
