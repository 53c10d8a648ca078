"""Stage 4: optimizer steps of the paper's model: speed, share of the peak, memory, the largest kernels.

A step is what `scripts.lm.loop.trainer` does between two states: the rows' gradients, the norm, AdamW. All toggles
see as many tokens in a step, in utterances of the same lengths, of fresh random symbols; "base again" shows what the
same measurement differs by.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import replace
from functools import partial
from io import StringIO

import numpy as np
import torch

from benchmarks.gpu.ceilings import card, datasheet
from benchmarks.gpu.correctness import check_neighbours, ragged_sequences
from benchmarks.gpu.data import BOS, EOS, LARGE, TINY, recipe, utterances
from benchmarks.gpu.record import Recorder
from benchmarks.gpu.timing import kernels, seconds
from benchmarks.gpu.toggles import TOGGLES, Toggle, Variant, setting
from scripts.common import cpu
from scripts.lm.batching.loader import Batch, Loader
from scripts.lm.distributed.ranks import Ranks
from scripts.lm.loop.gradients import Gradients
from scripts.lm.loop.meter import measured_peak, step_flops
from scripts.lm.loop.optimizer import Optimizer
from scripts.lm.model import llama
from scripts.lm.model.gpu_layers import decoder_layer
from scripts.lm.model.llama import prepare_for_device

LARGEST = 10  # kernels
COMPILED_ERROR = 0.03  # of gradients in bf16, which eager layers have from fp32 as well


class Bench:
    """A model with its optimizer, and the steps of a variant."""

    def __init__(self, device: torch.device, full: bool):
        self.device = device
        self.count, self.warm = (5, 2) if full else (3, 1)  # steps
        self.sizes = LARGE if full else TINY
        self.precision = cpu.precision("auto", device)
        self.scale = 1.0 if full else 0.02  # of row and utterance lengths
        self.step_tokens = 32768 * self.scale
        self.ranks = Ranks()
        self.symbols = np.random.default_rng(1)  # fresh ones for every toggle, so that no step is learnt by heart
        # `draw_weights` draws 0.98e9 numbers on one CPU thread, 20 s; transformers has drawn the same distribution
        # on the device before.
        with torch.device(device), setting(llama, "draw_weights", lambda *_: None):
            self.model = llama.build_model(self.sizes, Variant().vocabulary, BOS, EOS, 0)
        self.optimizer = Optimizer(self.model, recipe(1, self.precision), self.ranks)
        self.gradients = Gradients(self.model, self.precision, self.ranks)
        self.peak = measured_peak(device, self.precision)
        self.datasheet = datasheet(card(device))

    @contextmanager
    def prepared(self, variant: Variant) -> Iterator[None]:
        """Give the model the variant's vocabulary, draw its utterances, and load its steps while this lasts."""
        if variant.vocabulary != self.model.config.vocab_size:
            self.model.zero_grad()
            self.model.resize_token_embeddings(variant.vocabulary, mean_resizing=False)
            self.optimizer = Optimizer(self.model, recipe(1, self.precision), self.ranks)
        steps = self.warm + self.count
        lengths = np.random.default_rng(0)  # the same for every toggle
        self.tokens = utterances(
            lengths, self.symbols, variant.length_profile, variant.vocabulary, steps * self.step_tokens, self.scale
        )
        row_tokens = max(64, round(variant.row_tokens * self.scale))
        self.config = replace(recipe(row_tokens, self.precision), batch_utterances=-(-len(self.tokens) // steps))
        self.losses: list[float] = []
        self.lengths: list[np.ndarray] = []  # predicted tokens of each utterance of each step
        self.useful: list[float] = []
        with Loader(self.config, 0, self.ranks).batches(self.tokens, 0, steps) as self.batches:
            yield

    def step(self) -> None:
        """The next optimizer step."""
        batch = next(self.batches)
        lengths = self.tokens.lengths[batch.indices] - 1
        count = int(lengths.sum())
        self.optimizer.zero_grad()
        loss_sum = self.gradients.add(batch.rows, count)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        loss, _ = torch.stack([loss_sum, norm.double()]).tolist()
        self.optimizer.step(self.config.learning_rate)
        self.losses.append(loss / count)
        self.lengths.append(lengths)
        self.useful.append(count / batch.computed)


def run(record: Recorder, device: torch.device, full: bool) -> None:
    """Every toggle, then the profile of the base's step."""
    made: list[Bench] = []
    if not record.run("model", lambda: made.append(Bench(device, full))):
        return
    bench = made.pop()
    record.add("model", "parameters", bench.model.num_parameters(), "")
    record.add("model", "measured peak", bench.peak / 1e12, "TFLOP/s")
    record.run("compilation", partial(_compile, record, bench), 45 if full else 0)
    for toggle in TOGGLES:
        record.run(toggle.name, partial(measure, record, bench, toggle), toggle.needs if full else 1)
        if toggle.name == "base":
            record.run("profile", partial(profile_step, record, bench), 8 if full else 1)


def _compile(record: Recorder, bench: Bench) -> None:
    """Compile the layers and compare a step's gradient with that of eager layers, which stage 2 has checked.

    Where compiling fails the layers run eagerly, the check of that fails, and its note holds the reason.
    """
    with bench.prepared(Variant()):
        batch = next(bench.batches)
    count = int((bench.tokens.lengths[batch.indices] - 1).sum())
    eager = _gradient(bench, batch, count)
    noise = _difference(_gradient(bench, batch, count), eager)
    record.add("compilation", "relative difference of gradients, eager twice", noise, "")
    began = time.perf_counter()
    with redirect_stderr(StringIO()) as output:  # where compiling fails, the library says why on standard error
        prepare_for_device(bench.model, bench.device, compiled=True, row_tokens=Variant().row_tokens)
    reason = output.getvalue().strip()
    if reason:
        print(reason, file=sys.stderr)
    record.add("compilation", "time", time.perf_counter() - began, "s")
    if bench.device.type == "cuda":
        compiled = bench.model.gpu_decoder.layer is not decoder_layer
        record.check("compilation", "layers are compiled", compiled, "", compiled, "" if compiled else reason[-500:])
    error = _difference(_gradient(bench, batch, count), eager)
    record.check("compilation", "relative difference of gradients", error, "", error < COMPILED_ERROR, "from eager's")
    case = "compilation, neighbours"
    check_neighbours(record, case, bench.model, bench.precision, ragged_sequences(Variant().vocabulary))


def _difference(gradients: list[torch.Tensor], right: list[torch.Tensor]) -> float:
    """Norm of the difference over that of the right ones, all as one vector."""
    wrong = sum(float((a - b).square().sum()) for a, b in zip(gradients, right, strict=True)) ** 0.5
    return wrong / sum(float(b.square().sum()) for b in right) ** 0.5


def _gradient(bench: Bench, batch: Batch, count: int) -> list[torch.Tensor]:
    bench.optimizer.zero_grad()
    bench.gradients.add(batch.rows, count)
    return [parameter.grad for parameter in bench.model.parameters() if parameter.grad is not None]


def measure(record: Recorder, bench: Bench, toggle: Toggle) -> None:
    """Speed, shares and memory of a toggle's steps."""
    with toggle.within(bench.model), bench.prepared(toggle.variant):
        if bench.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        elapsed = seconds(bench.step, bench.device, bench.count, bench.warm)
    case, lengths = toggle.name, bench.lengths[bench.warm :]
    tokens = [int(step.sum()) for step in lengths]
    flops = [step_flops(bench.sizes, toggle.variant.vocabulary, step) for step in lengths]
    pairs = list(zip(flops, elapsed, strict=True))
    record.add(case, "step", elapsed, "s")
    record.add(case, "speed", [n / s for n, s in zip(tokens, elapsed, strict=True)], "tokens/s", headline=True)
    record.add(case, "MFU, measured peak", [n / s / bench.peak for n, s in pairs], "", headline=True)
    if bench.datasheet is not None:
        record.add(case, "MFU, datasheet", [n / s / bench.datasheet for n, s in pairs], "", headline=True)
    if bench.device.type == "cuda":
        record.add(case, "peak memory", torch.cuda.max_memory_allocated() / 2**30, "GiB", headline=True)
    record.add(case, "useful tokens", bench.useful[bench.warm :], "", note="share of the computed ones")
    record.add(case, "loss", bench.losses[bench.warm :], "nats per token")


def profile_step(record: Recorder, bench: Bench) -> None:
    """The ten largest kernels of a step, how many there are, and the share of the step that they fill."""
    with bench.prepared(Variant()):
        elapsed = seconds(bench.step, bench.device, 1, bench.warm)[0]
        measured = kernels(bench.step, bench.device)
    busy = sum(kernel.seconds for kernel in measured)
    rows = round(int(bench.lengths[-1].sum()) / bench.useful[-1] / bench.config.row_tokens, 2)
    note = f"of a step of as many tokens as {rows} full rows, the optimizer's among them"
    record.add("profile", "kernels", sum(kernel.calls for kernel in measured), "", note=note)
    record.add("profile", "kernels' time", busy, "s", note=f"a step takes {elapsed:.4f} s without the profiler")
    for kernel in measured[:LARGEST]:
        note = f"{kernel.calls} calls, {kernel.seconds / busy:.1%} of the kernels' time"
        record.add(f"profile: {kernel.name[:100]}", "time", kernel.seconds * 1000, "ms", note=note, headline=True)
