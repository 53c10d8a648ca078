import json

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from scripts.lm.config import parse_config
from scripts.lm.meter import measured_peak, memory_mib, step_flops
from scripts.lm.model import build_model


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_flops_are_those_that_pytorch_counts_but_for_the_future(section, kv_heads):
    section["model"] |= {"kv_heads": kv_heads}
    config = parse_config(json.dumps(section)).model
    model = build_model(config, 11, 1, 2, 0, "fp32")
    model.set_attn_implementation("eager")
    length = 50
    with FlopCounterMode(display=False) as counter:
        model(torch.ones(1, length, dtype=torch.long), use_cache=False).logits.sum().backward()
    future = 6 * config.layers * config.hidden_size * length**2  # half of the pairs: eager computes both halves
    expected = step_flops(config, 11, np.array([length])) + future
    assert counter.get_total_flops() == pytest.approx(expected, rel=2e-3)  # it counts the rotary tables too


def test_sequences_add_up(section):
    config = parse_config(json.dumps(section)).model
    apart = [step_flops(config, 11, np.array([n])) for n in (5, 40)]
    assert step_flops(config, 11, np.array([5, 40])) == pytest.approx(sum(apart))


def test_the_peak_is_a_plausible_rate():
    assert 1e8 < measured_peak(torch.device("cpu"), "fp32", times=1) < 1e14


def test_memory_is_at_least_what_is_held():
    held = np.ones(2**25)  # 256 MiB
    assert memory_mib(torch.device("cpu")) > held.nbytes / 2**20
