import json
import sys

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from scripts.lm.config import parse_config
from scripts.lm.loop.checkpoint import TrainState
from scripts.lm.loop.meter import Meter, measured_peak, memory_mib, step_flops
from scripts.lm.model.llama import build_model


@pytest.mark.parametrize("kv_heads", [1, 2])
def test_flops_are_those_that_pytorch_counts_but_for_the_future(section, kv_heads):
    section["model"] |= {"kv_heads": kv_heads}
    config = parse_config(json.dumps(section)).model
    model = build_model(config, 11, 1, 2, 0)
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


def test_a_row_is_of_what_came_since_the_row_before(section, tmp_path):
    config = parse_config(json.dumps(section)).model
    events = tmp_path / "events"
    meter = Meter(config, 11, "fp32", torch.device("cpu"), ranks=2, peak=1e6, events=events)
    state = TrainState(computed=100, row_computed=100, seconds=5.0, row_seconds=5.0)
    meter.step(state, np.array([30, 10]))
    state.computed, state.loss_tokens, state.seconds = 150, 40, 7.0
    row = meter.row(state)
    assert row["useful_token_share"] == 40 / 50
    assert row["mfu"] == pytest.approx(step_flops(config, 11, np.array([30, 10])) / 2.0 / 2e6, rel=1e-3)
    assert meter.note.startswith("80.0% useful")
    assert (state.row_computed, state.row_flops) == (150, state.flops)

    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason="no tensorboard")
    meter.write({"step": 7, "epoch": 1, "train_loss": 2.5, "dev_loss": ""})
    read = accumulator.EventAccumulator(str(events))
    read.Reload()
    assert read.Tags()["scalars"] == ["train_loss"]
    assert [(event.step, event.value) for event in read.Scalars("train_loss")] == [(7, 2.5)]


def test_without_tensorboard_one_line_says_so(section, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    meter = Meter(parse_config(json.dumps(section)).model, 11, "fp32", torch.device("cpu"), peak=1.0, events=tmp_path)
    meter.write({"step": 1, "train_loss": 2.0})
    assert capsys.readouterr().err == (
        "no TensorBoard events: tensorboard is not installed (dependency group tensorboard)\n"
    )
    assert not list(tmp_path.iterdir())
