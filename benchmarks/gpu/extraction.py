"""Stage 6: waveforms in memory to units, through an encoder of HuBERT-Large's size with random weights.

The operations are counted by the network's shape (convolutions, products, attention over the padded batch), so the
share of the matrix rate says how near to the device's limit the whole extraction is, host and all.
"""

import time
from functools import partial
from typing import Any

import numpy as np
import torch
from transformers import HubertConfig, HubertModel

from benchmarks.gpu.data import utterance_seconds
from benchmarks.gpu.record import Recorder
from benchmarks.gpu.timing import synchronize
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.lm.loop.meter import measured_peak
from scripts.units import encoder
from scripts.units.assignment import Assigner
from scripts.units.batching import batches
from scripts.units.config import Choice, Chunking
from scripts.units.encoder import WaveBatch
from scripts.units.extract import _encode_ahead, encode_batch

# facebook/hubert-large-ll60k
LARGE = {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
    "conv_bias": True,
}
TINY = {**LARGE, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4}
TINY |= {"conv_dim": [32] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2}
BATCHES, WARM = 8, 2
COMPARED = 8  # utterances whose units are compared with those of another way


class Bench:
    """An encoder per precision, centroids and waveforms."""

    def __init__(self, device: torch.device, full: bool):
        self.device = device
        self.config = Chunking(400 if full else 20, 30.0, 2.0)
        self.choice = Choice(18, 2048) if full else Choice(2, 50)
        self.shape = LARGE if full else TINY
        self.waves = _waves(*((1600, 1.0) if full else (60, 0.15)))
        self.batches = list(batches([len(w) for w in self.waves], round(self.config.batch_seconds * SAMPLE_RATE)))
        # One padded batch, whose units are compared with those of other ways.
        largest = max(self.batches, key=len)
        self.reference_waves = [self.waves[i] for i in largest[:COMPARED]]
        self.encoders = {precision: self._encoder(precision) for precision in ("fp32", "bf16")}
        frames = np.concatenate(self.encoders["fp32"].features(self.reference_waves))
        chosen = np.random.default_rng(0).choice(len(frames), self.choice.clusters, len(frames) < self.choice.clusters)
        self.assign = Assigner(frames[chosen])

    def _encoder(self, precision: str) -> encoder.Encoder:
        torch.manual_seed(0)
        with torch.device(self.device):
            model = HubertModel(HubertConfig(**self.shape))
        network = encoder.prepare(model, self.choice.layer, True)
        encoder.place(network, self.device.type, precision)
        return network

    def units(self, waves: list[np.ndarray], precision: str) -> list[np.ndarray]:
        """Of a batch of utterances."""
        return encode_batch(waves, self.encoders[precision], self.assign, self.config)


def _waves(count: int, scale: float) -> list[np.ndarray]:
    """Parts of two minutes of tones that change every tenth of a second, and noise; float32, in utterances' lengths."""
    rng = np.random.default_rng(0)
    samples = 120 * SAMPLE_RATE
    pitch = np.repeat(rng.uniform(80, 4000, samples // 1600), 1600)
    tones = 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE) + 0.05 * rng.standard_normal(samples)
    lengths = (utterance_seconds(rng, count) * scale * SAMPLE_RATE).astype(int)
    firsts = (rng.random(count) * (samples - lengths)).astype(int)
    wave = tones.astype(np.float32)
    return [wave[first : first + length] for first, length in zip(firsts, lengths, strict=True)]


def flops(model: Any, samples: int) -> float:
    """Operations of one padded row: convolutions, linear layers, attention's two products.

    Args:
        model: of an `encoder.Encoder`, later layers cut off.
        samples: of the row.
    """
    config, total, length, width = model.config, 0.0, samples, 1
    for size, kernel, stride in zip(config.conv_dim, config.conv_kernel, config.conv_stride, strict=True):
        length = (length - kernel) // stride + 1
        total += 2.0 * length * size * width * kernel
        width = size
    hidden, groups = config.hidden_size, config.num_conv_pos_embedding_groups
    total += 2.0 * length * hidden * (width + hidden // groups * config.num_conv_pos_embeddings)
    each = 4 * hidden * hidden + 2 * hidden * config.intermediate_size
    return total + len(model.encoder.layers) * (2.0 * length * each + 4.0 * length * length * hidden)


def run(record: Recorder, device: torch.device, full: bool) -> None:
    """Speed in both precisions, then what changes the units."""
    made: list[Bench] = []
    if not record.run("encoder", lambda: made.append(Bench(device, full))):
        return
    bench = made.pop()
    for precision in ("bf16", "fp32"):
        record.run(f"{precision}, speed", partial(_speed, record, bench, precision), 6 if full else 1)
        if precision == "bf16":
            record.run("pipeline", partial(_pipeline, record, bench), 4 if full else 1)
    record.run("precisions", partial(_precisions, record, bench), 2)
    for precision in ("bf16", "fp32"):
        record.run(f"{precision}, padding", partial(_padding, record, bench, precision), 2)


def _speed(record: Recorder, bench: Bench, precision: str) -> None:
    """Whole batches, planned as extraction plans them, one after another."""
    network, model = bench.encoders[precision], bench.encoders[precision].model
    planned = _planned(bench)
    if bench.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    inside = _Inside(model, bench.device)
    elapsed, audio, needed, shares = [], [], [], []
    for number, batch in enumerate(planned):
        waves = [bench.waves[i] for i in batch]
        inside.clear()
        synchronize(bench.device)
        began = time.perf_counter()
        encode_batch(waves, network, bench.assign, bench.config)
        synchronize(bench.device)
        seconds = time.perf_counter() - began
        if number >= WARM:
            elapsed.append(seconds)
            audio.append(sum(map(len, waves)) / SAMPLE_RATE)
            needed.append(sum(flops(model, len(wave)) for wave in waves))
            shares.append(1 - inside.seconds() / seconds)
        if record.left < 2:
            record.skipped.append(f"{precision}, speed: {len(planned) - number - 1} of {len(planned)} batches")
            break
    inside.remove()
    case = f"{precision}, speed"
    peak = measured_peak(bench.device, precision)
    record.add(case, "batch", elapsed, "s", note=f"{np.mean(audio):.0f} s of audio in the mean")
    speeds = [seconds / one for seconds, one in zip(audio, elapsed, strict=True)]
    record.add(case, "hours of audio per hour, by batch", speeds, "")
    record.add(case, "hours of audio per hour", sum(audio) / sum(elapsed), "", headline=True)
    share = sum(needed) / sum(elapsed) / peak
    record.add(case, "share of the matrix rate", share, "", note=f"{peak / 1e12:.4g} TFLOP/s measured", headline=True)
    record.add(case, "host's share of the time", shares, "", note="outside of the network", headline=True)
    if bench.device.type == "cuda":
        record.add(case, "peak memory", torch.cuda.max_memory_allocated() / 2**30, "GiB")


def _pipeline(record: Recorder, bench: Bench) -> None:
    """The batches of `_speed` as extraction runs them: padded and in page-locked memory before the encoder asks.

    In `scripts.units.prefetch` processes decode audio files to that state; here waveforms are already in memory. The
    next batch is queued before the units of the one before are waited for.
    """
    network = bench.encoders["bf16"]
    planned = _planned(bench)
    ready = [WaveBatch.of([bench.waves[i] for i in batch], normalise=network.normalise) for batch in planned]
    if bench.device.type == "cuda":
        ready = [WaveBatch(batch.samples.pin_memory(), batch.lengths) for batch in ready]
    ends, frames = [], []
    for units in _encode_ahead(ready, network, bench.assign, bench.config):
        ends.append(time.perf_counter())
        frames.append([len(one) for one in units])
    complete = frames == [[frame_count(length) for length in batch.lengths] for batch in ready]
    record.check("pipeline", "every frame has a unit", complete, "", complete)
    audio = sum(sum(batch.lengths) for batch in ready[WARM:]) / SAMPLE_RATE
    elapsed = ends[-1] - ends[WARM - 1]
    needed = sum(flops(network.model, length) for batch in ready[WARM:] for length in batch.lengths)
    share = needed / elapsed / measured_peak(bench.device, "bf16")
    note = f"bf16, {len(ready) - WARM} batches in a row; decoding of files is not in it"
    record.add("pipeline", "hours of audio per hour", audio / elapsed, "", note=note, headline=True)
    record.add("pipeline", "share of the matrix rate", share, "", headline=True)


def _planned(bench: Bench) -> list[list[int]]:
    """The batches that are measured, in random order; the first `WARM` are not timed."""
    order = np.random.default_rng(1).permutation(len(bench.batches))[: WARM + BATCHES]
    return [bench.batches[i] for i in order]


class _Inside:
    """The time between the beginning and the end of a network's forward passes, on the device's own clock."""

    def __init__(self, model: Any, device: torch.device):
        self.cuda, self.events = device.type == "cuda", []
        self.hooks = [
            model.register_forward_pre_hook(lambda *_: self._mark()),
            model.register_forward_hook(lambda *_: self._mark()),
        ]

    def _mark(self) -> None:
        if self.cuda:
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self.events.append(event)
        else:
            self.events.append(time.perf_counter())

    def clear(self) -> None:
        """Forget what was measured."""
        self.events.clear()

    def seconds(self) -> float:
        """Of all forward passes since `clear`; the device must have done them."""
        pairs = zip(self.events[::2], self.events[1::2], strict=True)
        return sum(a.elapsed_time(b) / 1000 if self.cuda else b - a for a, b in pairs)

    def remove(self) -> None:
        """Take the hooks away."""
        for hook in self.hooks:
            hook.remove()


def _share(units: list[np.ndarray], others: list[np.ndarray]) -> float:
    """Share of units that are the same."""
    return float(np.mean(np.concatenate(units) == np.concatenate(others)))


def _precisions(record: Recorder, bench: Bench) -> None:
    waves = bench.reference_waves
    share = _share(bench.units(waves, "bf16"), bench.units(waves, "fp32"))
    note = "random weights, centroids drawn from frames: more near ties than in a trained encoder"
    record.add("precisions", "units equal in bf16 and fp32", share, "", note=note, headline=True)


def _padding(record: Recorder, bench: Bench, precision: str) -> None:
    """A batch against each of its utterances alone."""
    waves = bench.reference_waves
    assert len({len(wave) for wave in waves}) > 1, "padding needs different lengths"
    padded = bench.units(waves, precision)
    alone = [bench.units([wave], precision)[0] for wave in waves]
    assert [len(units) for units in padded] == [frame_count(len(wave)) for wave in waves]
    share = _share(padded, alone)
    bound = 0.999 if precision == "fp32" else 0.9
    record.check(f"{precision}, padding", "units equal padded and alone", share, "", share >= bound)
