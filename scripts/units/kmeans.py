"""Cluster the encoder's features into K units.

Notable: frames are a seeded sample, spread evenly over speakers (who take turns until the sampled
utterances hold twice as many frames) and over each utterance (each gives the same share of its frames, so
half of the neighbouring frames, which resemble each other, are left out). Memory is bounded by the sample.
`kmeans.json` has a fingerprint of the encoder that the centroids belong to; extraction refuses another.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import NamedTuple

import numpy as np

from scripts.common import audio, cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import num_samples
from scripts.common.files import atomic_path, write_json
from scripts.common.frames import frame_count
from scripts.common.progress import Progress
from scripts.common.seeds import derive
from scripts.units import extract
from scripts.units.backend import Encoder, choose_device, load
from scripts.units.clustering import choose_backend, k_means
from scripts.units.config import Chunking, Clustering, Fitting
from scripts.units.encoder import WaveBatch
from scripts.units.fingerprint import kmeans_fingerprint
from scripts.units.frame_sampling import sample_frames, sample_utterances
from scripts.units.speakers import project_out, speaker_directions


def features_of(network: Encoder, config: Chunking) -> Callable[[np.ndarray], np.ndarray]:
    """Waveform float32 [N] -> features float32 [frame_count(N), D]; of a long one in chunks, as at extraction."""

    def features(wave: np.ndarray) -> np.ndarray:
        parts: dict[int, np.ndarray] = {}  # by their first frame
        batch = WaveBatch.of([wave], normalise=network.normalise)
        for rows, encoded in extract.encode_rows(batch, network, config):
            for row, frames in zip(rows, encoded, strict=True):
                parts[row.chunk.keep[0]] = frames[row.kept].float().cpu().numpy()
        return np.concatenate([parts[first] for first in sorted(parts)])

    return features


class Sample(NamedTuple):
    """Frames float32 [N, D] and the speaker of each, int64 [N]."""

    frames: np.ndarray
    speakers: np.ndarray


def sample_features(
    manifests: Sequence[str],
    root: str,
    features: Callable[[np.ndarray], np.ndarray],
    frames: int,
    seed: int,
    name: str,
) -> Sample:
    """Features of the seeded sample of frames, N = min(frames, all).

    Args:
        manifests: files of cuts.
        root: folder of the audio.
        features: waveform float32 [N] -> float32 [frame_count(N), D].
        frames: size of the sample.
        seed: the experiment's seed.
        name: of the progress line.

    Raises:
        ValueError: the utterances have no frame.
    """
    cuts = sample_utterances(manifests, 2 * frames, seed)
    lengths = [frame_count(num_samples(cut)) for cut in cuts]
    total = min(frames, sum(lengths))
    if total == 0:
        raise ValueError(f"{', '.join(manifests)}: no cut is as long as one frame (25 ms)")
    sample: np.ndarray | None = None
    speakers = np.zeros(total, np.int64)
    names: dict[str, int] = {}
    filled = 0
    progress = Progress(name, total, "frames")
    for cut, kept in zip(cuts, sample_frames(lengths, frames, seed), strict=True):
        if len(kept) == 0:
            continue
        rows = features(audio.read(cut, root))[kept]
        if sample is None:
            sample = np.empty((total, rows.shape[1]), np.float32)
        sample[filled : filled + len(rows)] = rows
        speakers[filled : filled + len(rows)] = names.setdefault(cut["speaker"], len(names))
        filled += len(rows)
        progress.update(filled)
    assert sample is not None, "at least one frame is sampled"
    assert filled == total, "the sampled frames are as many as asked for"
    return Sample(sample, speakers)


def remove_speakers(sample: Sample, config: Fitting) -> np.ndarray:
    """The sample's frames without `config.speaker_directions`, changed in place: to be called once per sample."""
    project_out(sample.frames, speaker_directions(*sample, config.speaker_directions))
    return sample.frames


def cluster(
    frames: np.ndarray, config: Fitting, clusters: int, seed: int, threads: int
) -> tuple[np.ndarray, list[float]]:
    """Centroids float32 [K, D] and the objective after each iteration.

    Args:
        frames: of `remove_speakers`.
        config: all settings but K.
        clusters: K.
        seed: the experiment's seed.
        threads: CPU threads.
    """
    backend, device = choose_backend(config.kmeans_backend, choose_device(config.device))
    print(f"k-means: {len(frames)} frames, {clusters} clusters, by {backend} on {device}", file=sys.stderr)
    return k_means(
        frames,
        clusters,
        seed=derive(seed, "units", "kmeans"),
        redo=config.kmeans_redo,
        iterations=config.kmeans_iterations,
        threads=threads,
        spherical=config.kmeans_spherical,
        backend=backend,
        device=device,
    )


def main() -> None:
    """Command line of rule units_kmeans."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", nargs="+", required=True, help="aligned training cuts")
    parser.add_argument("--audio-root", required=True)
    parser.add_argument("--encoder", required=True, help="Hugging Face folder")
    parser.add_argument("--config", required=True, help="keys of section units as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", required=True, help="centroids (.npy)")
    parser.add_argument("--about", required=True, help="what they belong to (.json)")
    args = parser.parse_args()

    cpu.prepare(args.threads)
    config = parse(Clustering, args.config, "units")
    network, fingerprint = load(
        args.encoder, config.layer, device=config.device, precision=config.precision, threads=args.threads
    )
    sample = sample_features(
        args.cuts,
        args.audio_root,
        features_of(network, config),
        config.sample_frames,
        args.seed,
        "units/kmeans features",
    )
    frames = remove_speakers(sample, config)
    centroids, objective = cluster(frames, config, config.clusters, args.seed, args.threads)
    with atomic_path(args.output) as aside:
        np.save(aside, centroids)
    about = {"encoder": fingerprint, **asdict(config), "seed": args.seed, "frames": len(frames), "objective": objective}
    about["kmeans"] = kmeans_fingerprint(fingerprint, config.layer, centroids)
    write_json(args.about, about)
    print(
        f"{len(frames)} frames of layer {config.layer} in {config.clusters} clusters, mean squared distance"
        f" {objective[-1] / len(frames):.3f}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
