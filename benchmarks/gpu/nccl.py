"""Stage 3: a training's exchanges in a process group of one rank: NCCL loads, and nothing changes a value."""

import os
import socket
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.distributed as dist

from benchmarks.gpu.correctness import MEDIUM
from benchmarks.gpu.data import BOS, EOS, TINY, recipe, sequence
from benchmarks.gpu.record import Recorder
from benchmarks.gpu.timing import seconds
from benchmarks.gpu.toggles import deterministic
from scripts.common import cpu
from scripts.lm.batching.batches import pack, pad_to_bucket
from scripts.lm.distributed.ranks import Ranks
from scripts.lm.loop.gradients import Gradients
from scripts.lm.loop.optimizer import Optimizer
from scripts.lm.model.llama import build_model

ADDRESS = ("MASTER_ADDR", "MASTER_PORT")
SAME = 1e-3  # relative difference


def run(record: Recorder, device: torch.device, full: bool) -> None:
    """The exchanges of `scripts.lm.distributed.ranks`, of DDP and of the optimizer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        os.environ |= dict(zip(ADDRESS, ("127.0.0.1", str(free.getsockname()[1])), strict=True))
    ranks = Ranks(0, 1, 0, distributed=True)
    try:
        size = 2**28 if full else 2**20
        for name, exchange in (("all_reduce", dist.all_reduce), ("broadcast", partial(dist.broadcast, src=0))):
            record.run(name, partial(_exchange, record, name, exchange, ranks.device, size), 2)
        record.run("decisions", partial(_decisions, record, ranks))
        record.run("step", partial(_step, record, ranks, full), 4 if full else 1)
    finally:
        dist.destroy_process_group()
        for name in ADDRESS:  # later stages start trainings, which are in no group
            del os.environ[name]


def _exchange(
    record: Recorder, name: str, exchange: Callable[[torch.Tensor], object], device: torch.device, size: int
) -> None:
    values = torch.randn(size // 4, device=device)
    before = values.clone()
    elapsed = seconds(lambda: exchange(values), device, 5)
    equal = torch.equal(values, before)
    record.check(name, "values unchanged", equal, "", equal)
    record.add(
        name, "rate", [size / one / 1e9 for one in elapsed], "GB/s", note=f"{size / 2**20:.0f} MiB", headline=True
    )


def _decisions(record: Recorder, ranks: Ranks) -> None:
    """Sums and maxima, which go over gloo on the host."""
    equal = ranks.sum(1.5, 2.0) == [1.5, 2.0] and ranks.all_reduce_max(3, 4) == [3, 4] and ranks.broadcast("a") == "a"
    record.check("decisions", "values unchanged", equal, "", equal)


def _step(record: Recorder, ranks: Ranks, full: bool) -> None:
    """The same optimizer step in the group (DDP, gathered parameters) and without it, in deterministic mode.

    Otherwise attention adds the gradient in any order, and the first step of Adam, which is the learning rate times the
    gradient's sign, turns over for every gradient near 0.
    """
    device = ranks.device
    precision, vocabulary = cpu.precision("auto", device), 80
    rng = np.random.default_rng(0)
    rows = [pad_to_bucket(pack([sequence(rng, n, vocabulary) for n in part])) for part in ((40, 300), (700, 20))]
    count = sum(int((row.targets >= 0).sum()) for row in rows)
    gradients, weights, moments = [], [], []
    for group in (Ranks(), ranks):
        model = build_model(MEDIUM if full else TINY, vocabulary, BOS, EOS, 0).to(device)
        optimizer = Optimizer(model, recipe(8192, precision), group)
        step = Gradients(model, precision, group)
        optimizer.zero_grad()
        with deterministic():
            step.add(rows, count)
        gradients.append([p.grad.clone() for p in model.parameters()])
        optimizer.step(1e-3)
        weights.append([p.detach().clone() for p in model.parameters()])
        moments.append(len(optimizer.state_dict()["adamw"]["state"]))
    difference = _difference(*gradients)
    record.check("step", "relative difference of gradients", difference, "", difference < SAME)
    difference = _difference(*weights)
    record.check("step", "relative difference of weights after it", difference, "", difference < SAME)
    record.check("step", "parameters with moments in the state", moments[1], "", moments[0] == moments[1] > 0)


def _difference(gradients: list[torch.Tensor], right: list[torch.Tensor]) -> float:
    wrong = sum(float((a - b).square().sum()) for a, b in zip(gradients, right, strict=True)) ** 0.5
    return wrong / sum(float(b.square().sum()) for b in right) ** 0.5
