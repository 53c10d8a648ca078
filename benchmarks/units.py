"""Audio to units: in one pass, in two with features on disk between, and one utterance at a time by plain transformers.

Run `python -m benchmarks.units` from the repository root. The three ways have the same weights (random), audio,
centroids and thread, each in a process of its own so that its peak memory is its own; the clock is the processor's (on
a GPU the wall's). What the encoder computes per second stands beside the rate of a large matrix product. Then FAISS
against scikit-learn's MiniBatchKMeans, one start each, at equal inertia, and against k-means in torch. With a GPU,
HuBERT-Large's size in bf16 too. `python -m benchmarks.units --windows` only counts: how full batches are, and how much
of them is padding, by the size of the window, on lengths like LibriHeavy's; and what a decoding process imports.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import yaml
from transformers import HubertConfig, HubertModel

from scripts.common import audio, cpu
from scripts.common.config import parse, part_json
from scripts.common.cuts import Cut, read_cuts
from scripts.common.files import write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.common.progress import Progress
from scripts.common.ragged import Ragged, load_npz, save_npz
from scripts.units import encoder, extract, pretrain
from scripts.units.batching import batches, window_size, windows
from scripts.units.clustering import k_means, nearest
from scripts.units.config import Chunking, Extraction, Pretraining
from scripts.units.waveforms import normalise

GPU = torch.cuda.is_available()
WAYS = ("one pass", "two passes", "one by one")
AGREE = 0.999  # share of units that must be the same whatever the way
# Name: seconds of audio, layer, K, precision.
SIZES: dict[str, tuple[float, int, int, str]] = {"miniature": (840, 2, 100, "fp32"), "base": (30, 6, 500, "fp32")}
if GPU:
    SIZES |= {"large": (3600, 18, 2048, "bf16")}
KMEANS = {"frames": 40_000, "iterations": 25, "clusters": (100, 500)}


def clock() -> float:
    """Seconds of the processor, or of the wall where a GPU computes."""
    if GPU:
        torch.cuda.synchronize()
    return time.perf_counter() if GPU else time.process_time()


def network(size: str) -> HubertModel:
    """Random weights in the shape of the miniature's encoder, of HuBERT base or of HuBERT large."""
    torch.manual_seed(0)
    if size == "miniature":
        section = yaml.safe_load(Path("config.yaml").read_text())["units"]["encoder"]
        return pretrain.build(parse(Pretraining, part_json(section, Pretraining), "units.encoder"), 0)
    if size == "base":
        return HubertModel(HubertConfig())
    return HubertModel(
        HubertConfig(
            hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16,
            feat_extract_norm="layer", do_stable_layer_norm=True, conv_bias=True,
        )
    )  # fmt: skip


def prepare(size: str, folder: Path) -> None:
    """Encoder, cuts of 2 to 20 s of tones and noise, and centroids drawn from their features."""
    seconds, layer, clusters, _ = SIZES[size]
    folder.mkdir()
    encoder.save(network(size), True, folder / "encoder")
    rng = np.random.default_rng(0)
    cuts: list[Cut] = []
    while sum(cut["duration"] for cut in cuts) < seconds:
        samples = int(rng.integers(2 * SAMPLE_RATE, 20 * SAMPLE_RATE))
        pitch = np.repeat(rng.uniform(80, 4000, samples // 1600 + 1), 1600)[:samples]
        wave = 0.2 * np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE) + 0.05 * rng.standard_normal(samples)
        name = f"{len(cuts)}.flac"
        soundfile.write(folder / name, wave, SAMPLE_RATE)
        source = {"type": "file", "channels": [0], "source": name}
        cuts.append({"id": name, "start": 0.0, "duration": samples / SAMPLE_RATE, "recording": {"sources": [source]}})
        cuts[-1]["recording"]["id"] = name
    write_jsonl(folder / "cuts.jsonl.gz", cuts)
    loaded, _ = encoder.load(folder / "encoder", layer)
    waves = [audio.read(cut, folder) for cut in cuts[: 4 if size != "miniature" else None]]
    features = np.concatenate([loaded.features([wave])[0] for wave in waves])
    np.save(folder / "centroids.npy", features[rng.choice(len(features), clusters, replace=len(features) < clusters)])
    if size == "miniature":
        np.save(folder / "features.npy", features[: KMEANS["frames"]])


def one_pass(size: str, folder: Path, cuts: list[Cut], centroids: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """As the workflow does it."""
    _, layer, clusters, precision = SIZES[size]
    device = "cuda" if GPU else "cpu"
    loaded, _ = encoder.load(folder / "encoder", layer, device=device, precision=precision)
    config = Extraction(layer, clusters, device, precision, 400 if GPU else 60, 30.0, 2.0, 4 if GPU else 0)
    yield from extract.extract(cuts, str(folder), loaded, centroids, config, Progress("bench", 1e9, "s"))


def two_passes(size: str, folder: Path, cuts: list[Cut], centroids: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The same batches, but features are written and then read again."""
    _, layer, _, precision = SIZES[size]
    loaded, _ = encoder.load(folder / "encoder", layer, device="cuda" if GPU else "cpu", precision=precision)
    config = Chunking(400 if GPU else 60, 30.0, 2.0)
    (folder / "dumped").mkdir()
    order = batches([round(cut["duration"] * SAMPLE_RATE) for cut in cuts], round(config.batch_seconds * SAMPLE_RATE))
    for batch in order:
        waves = encoder.WaveBatch.of([audio.read(cuts[i], folder) for i in batch], normalise=loaded.normalise)
        for rows, features in extract.encode_rows(waves, loaded, config):
            for row, frames in zip(rows, features, strict=True):
                np.save(
                    folder / f"dumped/{cuts[batch[row.utterance]]['id']}.npy", frames[row.kept].float().cpu().numpy()
                )
    for cut in cuts:
        yield cut["id"], nearest(np.load(folder / f"dumped/{cut['id']}.npy"), centroids)


@torch.inference_mode()
def one_by_one(size: str, folder: Path, cuts: list[Cut], centroids: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Transformers as its documentation has it: the whole model, one utterance, one hidden state picked."""
    _, layer, _, precision = SIZES[size]
    model = HubertModel.from_pretrained(folder / "encoder").eval()
    model = model.to("cuda" if GPU else "cpu", encoder.PRECISIONS[precision])
    for cut in cuts:
        values = torch.from_numpy(normalise(audio.read(cut, folder)))[None].to(model.device, model.dtype)
        hidden = model(values, output_hidden_states=True).hidden_states[layer][0]
        yield cut["id"], nearest(hidden.float().cpu().numpy(), centroids)


def peak_mib() -> float:
    """The most memory that this process has held (getrusage would count what its parent held before)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(way: str, size: str, folder: Path) -> dict[str, Any]:
    """Seconds, peak memory and bytes on disk of one way; its units go to a file."""
    cuts, centroids = list(read_cuts(folder / "cuts.jsonl.gz")), np.load(folder / "centroids.npy")
    walk = {"one pass": one_pass, "two passes": two_passes, "one by one": one_by_one}[way]
    idle = peak_mib()
    began = clock()
    extracted = list(walk(size, folder, cuts, centroids))
    out = folder / f"{way}.npz"
    save_npz(out, Ragged.join([name for name, _ in extracted], [units for _, units in extracted]))
    seconds = clock() - began
    dumped = sum(path.stat().st_size for path in folder.glob("dumped/*")) if way == "two passes" else 0
    return {"seconds": seconds, "mib": peak_mib() - idle, "bytes": dumped + out.stat().st_size}


def operations(config: HubertConfig, layer: int, samples: int) -> float:
    """Multiplications and additions of the encoder up to a layer, for one utterance."""
    total, length, channels = 0.0, samples, 1
    for width, kernel, stride in zip(config.conv_dim, config.conv_kernel, config.conv_stride, strict=True):
        length = (length - kernel) // stride + 1
        total += 2.0 * length * channels * kernel * width
        channels = width
    hidden, inner = config.hidden_size, config.intermediate_size
    total += 2.0 * length * hidden * channels
    total += 2.0 * length * config.num_conv_pos_embeddings * hidden * hidden / config.num_conv_pos_embedding_groups
    return total + layer * (length * (8.0 * hidden**2 + 4.0 * hidden * inner) + 4.0 * length**2 * hidden)


def matrix_rate(precision: str) -> float:
    """Operations per second of a large matrix product."""
    size = 8192 if GPU else 1024
    left = torch.randn(size, size, device="cuda" if GPU else "cpu", dtype=encoder.PRECISIONS[precision])
    best = 0.0
    for _ in range(5):
        began = clock()
        for _ in range(4):
            left @ left
        best = max(best, 4 * 2.0 * size**3 / (clock() - began))
    return best


def compare_ways(size: str, folder: Path) -> None:
    """One table row per way."""
    _, layer, _, precision = SIZES[size]
    prepare(size, folder)
    cuts = list(read_cuts(folder / "cuts.jsonl.gz"))
    seconds = sum(cut["duration"] for cut in cuts)
    config = network(size).config
    work = sum(operations(config, layer, round(cut["duration"] * SAMPLE_RATE)) for cut in cuts)
    rate = matrix_rate(precision)
    expected: np.ndarray | None = None
    for way in WAYS:
        command = [sys.executable, "-m", "benchmarks.units", "--way", way, "--size", size, "--folder", str(folder)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        units = load_npz(folder / f"{way}.npz").stream
        expected = units if expected is None else expected
        same = float((units == expected).mean())
        assert same >= AGREE, f"{size}, {way}: only {same:.4f} of units are those of {WAYS[0]}"
        share = work / found["seconds"] / rate
        print(
            f"{size:<10} {way:<11} {seconds / found['seconds']:>8.1f} x real time {found['mib']:>7.0f} MiB"
            f" {found['bytes'] / seconds / 1024:>8.2f} kB/s of audio on disk"
            + (f"  {work / found['seconds'] / 1e9:>6.0f} GFLOP/s, {share:.0%} of a matrix product" * (way == WAYS[0])),
            flush=True,
        )


def inertia(frames: np.ndarray, centroids: np.ndarray) -> float:
    """Sum of squared distances from the nearest centroids."""
    return float(((frames - centroids[nearest(frames, centroids)]) ** 2).sum())


def compare_kmeans(frames: np.ndarray, clusters: int) -> None:
    """Seconds to the inertia that MiniBatchKMeans ends with, or to FAISS's if that one is higher."""
    from sklearn.cluster import MiniBatchKMeans

    def run(backend: str, iterations: int) -> tuple[float, list[float]]:
        began = time.process_time()
        _, objective = k_means(frames.copy(), clusters, seed=1, redo=1, iterations=iterations, backend=backend)
        return time.process_time() - began, objective

    def faiss(iterations: int) -> tuple[float, list[float]]:
        return run("faiss", iterations)

    # Settings of fairseq's learn_kmeans.py, but for one start of twenty.
    began = time.process_time()
    other = MiniBatchKMeans(
        clusters, batch_size=10_000, max_iter=100, n_init=1, tol=0.0, max_no_improvement=100, reassignment_ratio=0.0,
        random_state=1,
    ).fit(frames)  # fmt: skip
    theirs = time.process_time() - began
    reached = inertia(frames, other.cluster_centers_.astype(np.float32))
    whole, objective = faiss(KMEANS["iterations"])
    seconds_torch, objective_torch = run("torch", KMEANS["iterations"])
    passed = next((i for i, value in enumerate(objective, start=1) if value <= reached), None)
    said = f"gets there in {faiss(passed)[0]:.2f} s ({passed} iterations)" if passed else "does not get there"
    print(
        f"k-means of {len(frames):,} frames, K {clusters}: MiniBatchKMeans {theirs:.2f} s, inertia {reached:.6g};"
        f" FAISS {said}; its {len(objective)} iterations take {whole:.2f} s, to {objective[-1] / reached:.4f} of that;"
        f" torch's {len(objective_torch)} take {seconds_torch:.2f} s, to {objective_torch[-1] / reached:.4f}",
        flush=True,
    )


def count_windows(utterances: int = 50_000) -> None:
    """Mean batch and padding by the size of the window; lengths: gamma of shape 7.5 and mean 14.8 s."""
    seconds = np.random.default_rng(0).gamma(7.5, 14.8 / 7.5, utterances)
    print(f"mean {seconds.mean():.1f} s, {(seconds < 31).mean():.1%} under 31 s")
    samples = (seconds * SAMPLE_RATE).astype(int).tolist()
    for batch_seconds in (60, 400):
        for size in sorted({256, 512, 1024, 2048, 4096, window_size(batch_seconds)}):
            held = [
                (sum(window[i] for i in batch), max(window[i] for i in batch) * len(batch))
                for window in windows(samples, size)
                for batch in batches(window, batch_seconds * SAMPLE_RATE)
            ]
            audio_samples, padded = (sum(column) for column in zip(*held, strict=True))
            chosen = "  <- window_size" if size == window_size(batch_seconds) else ""
            print(
                f"batch_seconds {batch_seconds:>3}  window {size:>4}  mean batch"
                f" {audio_samples / len(held) / SAMPLE_RATE:>5.0f} s  padding {1 - audio_samples / padded:.2%}{chosen}"
            )


def time_imports() -> None:
    """Seconds of the processor until a decoding process is ready, and until one that imports the step would be."""
    for module in ("scripts.units.decode_worker", "scripts.units.extract"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"import {module}: {seconds:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--size")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--windows", action="store_true", help="count batches and imports, encode nothing")
    args = parser.parse_args()
    cpu.prepare(1)
    if args.windows:
        count_windows()
        time_imports()
        return
    if args.way:
        print(json.dumps(measure(args.way, args.size, args.folder)))
        return
    with tempfile.TemporaryDirectory() as name:
        for size in SIZES:
            compare_ways(size, Path(name) / size)
        frames = np.load(Path(name) / "miniature/features.npy")
    for clusters in KMEANS["clusters"]:
        compare_kmeans(frames, clusters)


if __name__ == "__main__":
    main()
