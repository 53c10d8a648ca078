"""Stage 8: the exchanges of several ranks with a world of one: NCCL loads, and what it hands back is unchanged."""

from functools import partial

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from benchmarks.gpu.correctness import MEDIUM
from benchmarks.gpu.data import BOS, EOS, TINY, sequence
from benchmarks.gpu.record import Recorder
from benchmarks.gpu.timing import seconds
from scripts.common import cpu
from scripts.lm.batches import pad_to_bucket, pack
from scripts.lm.gradients import _Loss
from scripts.lm.model import build_model
from scripts.lm.ranks import TIMEOUT


def run(record: Recorder, device: torch.device, full: bool) -> None:
    """A group of one rank with the backends of `scripts.lm.ranks`, its exchanges, and DDP."""
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.set_device(0)
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if cuda else "gloo", store=dist.HashStore(), rank=0, world_size=1, timeout=TIMEOUT
    )
    try:
        size = 2**28 if full else 2**20
        place = torch.device("cuda", 0) if cuda else device
        for name, exchange in (("all_reduce", dist.all_reduce), ("broadcast", partial(dist.broadcast, src=0))):
            record.run(name, partial(_exchange, record, name, exchange, place, size), 2)
        record.run("gloo all_gather", partial(_gather, record))
        record.run("DDP", partial(_ddp, record, place, full), 4 if full else 1)
    finally:
        dist.destroy_process_group()


def _exchange(record: Recorder, name: str, exchange: partial, device: torch.device, size: int) -> None:
    values = torch.randn(size // 4, device=device)
    before = values.clone()
    spent = seconds(lambda: exchange(values), device, 5)
    equal = torch.equal(values, before)
    record.check(name, "values unchanged", equal, "", equal)
    record.add(name, "rate", [size / one / 1e9 for one in spent], "GB/s", note=f"{size / 2**20:.0f} MiB", headline=True)


def _gather(record: Recorder) -> None:
    mine = torch.randn(3, dtype=torch.float64)
    everyones = [torch.full_like(mine, float("nan"))]
    dist.all_gather(everyones, mine)
    equal = torch.equal(everyones[0], mine)
    record.check("gloo all_gather", "values unchanged", equal, "", equal)


def _ddp(record: Recorder, device: torch.device, full: bool) -> None:
    """The same gradient through DistributedDataParallel as without it."""
    precision, vocabulary = cpu.precision("auto", device), 80
    rng = np.random.default_rng(0)
    packed = pad_to_bucket(pack([sequence(rng, length, vocabulary) for length in (40, 300, 700)])).to(device)
    found = []
    for wrapped in (False, True):
        model = build_model(MEDIUM if full else TINY, vocabulary, BOS, EOS, 0).to(device)
        loss = _Loss(model)
        loss = DistributedDataParallel(loss, gradient_as_bucket_view=True) if wrapped else loss
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            loss(packed).backward()
        found.append([p.grad for p in model.parameters()])
    wrong = sum(float((a - b).square().sum()) for a, b in zip(*found, strict=True)) ** 0.5
    norm = sum(float(a.square().sum()) for a in found[0]) ** 0.5
    record.check("DDP", "relative difference of the gradient", wrong / norm, "", wrong / norm < 1e-3)
