"""Turn every utterance of a shard, or both sides of every task item, into units.

Notable: features never touch the disk and leave memory batch by batch. Utterances are read in windows,
sorted by length within a window and batched so that padding stays under 5%; an utterance's units do not
depend on its neighbours (see scripts.units.encoder). Order and ids are those of the alignment file.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from scripts.common import audio, cpu
from scripts.common.cli import run
from scripts.common.cuts import Cut, num_samples, read_cuts
from scripts.common.files import read_json
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.common.progress import Progress
from scripts.common.ragged import Ragged, save_npz
from scripts.units import encoder
from scripts.units.clustering import nearest
from scripts.units.encoder import Encoder
from scripts.units.sampling import without_text

MAX_PADDING = 0.05  # share of a batch's samples that may be padding
WINDOW = 256  # utterances sorted by length together; what is held is their cuts, not their audio


@dataclass(frozen=True)
class Config:
    """What of section units the extraction depends on."""

    layer: int
    clusters: int
    batch_seconds: float


def check_kmeans(centroids: np.ndarray, about: dict, mark: str, config: Config, source: str) -> None:
    """Refuse centroids that were not made from this encoder and this config.

    Raises:
        ValueError: another encoder, another layer, another number of clusters, or a damaged file.
    """
    if about["encoder"] != mark:
        raise ValueError(
            f"{source}: made with encoder {about['encoder'][:12]}, but units/encoder is {mark[:12]};"
            " its clusters mean nothing here, make it again from this encoder"
        )
    for key, wanted in [("layer", config.layer), ("clusters", config.clusters)]:
        if about[key] != wanted:
            raise ValueError(f"{source}: made with units.{key} {about[key]}, the config says {wanted}; make it again")
    if centroids.dtype != np.float32 or centroids.ndim != 2 or len(centroids) != config.clusters:
        raise ValueError(
            f"{source}: holds {centroids.dtype} {centroids.shape}; float32 ({config.clusters}, features) is expected"
        )


def batches(lengths: Sequence[int], batch_samples: int) -> Iterator[list[int]]:
    """Group utterances, shortest first, so that padding is at most `MAX_PADDING` of a batch.

    Args:
        lengths: samples per utterance.
        batch_samples: largest padded batch; a longer utterance goes alone.

    Yields:
        Indices into `lengths`.
    """
    batch: list[int] = []
    held = 0
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        padded = lengths[index] * (len(batch) + 1)
        if batch and (padded > batch_samples or padded - held - lengths[index] > MAX_PADDING * padded):
            yield batch
            batch, held = [], 0
        batch.append(index)
        held += lengths[index]
    if batch:
        yield batch


def extract(
    cuts: Iterable[Cut], root: str, network: Encoder, centroids: np.ndarray, batch_seconds: float, progress: Progress
) -> Iterator[tuple[str, np.ndarray]]:
    """(id, units uint16 [frame_count]) per cut, in the cuts' order.

    Raises:
        AudioError: audio of a cut that passed the alignment cannot be read any more.
    """
    stream = map(without_text, cuts)
    seconds = 0.0
    while window := list(islice(stream, WINDOW)):
        units = [np.zeros(0, np.uint16)] * len(window)
        # Shorter than one window of the encoder: no frame, no unit.
        heard = [i for i, cut in enumerate(window) if frame_count(num_samples(cut)) > 0]
        for batch in batches([num_samples(window[i]) for i in heard], round(batch_seconds * SAMPLE_RATE)):
            chosen = [heard[place] for place in batch]
            features = network.features([audio.read(window[i], root) for i in chosen])
            for i, frames in zip(chosen, features, strict=True):
                units[i] = nearest(frames, centroids)
                assert len(units[i]) == frame_count(num_samples(window[i])), "one clock for all modalities"
            seconds += sum(window[i]["duration"] for i in chosen)
            progress.update(seconds)
        yield from zip((cut["id"] for cut in window), units, strict=True)


def load_centroids(path: str) -> np.ndarray:
    """The .npy's content; ValueError naming the file if it is damaged."""
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path}: not a k-means file ({error})") from None


def main() -> None:
    """Command line of rules units_extract and units_extract_task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, help="aligned cuts or task items")
    parser.add_argument("--audio-root", required=True)
    parser.add_argument("--encoder", required=True, help="Hugging Face folder")
    parser.add_argument("--kmeans", required=True, help="centroids (.npy)")
    parser.add_argument("--about", required=True, help="what they belong to (.json)")
    parser.add_argument("--config", required=True, help="keys of section units as JSON")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", required=True, help="units (.npz)")
    args = parser.parse_args()

    cpu.prepare(args.threads)
    config = Config(**json.loads(args.config))
    network, mark = encoder.load(args.encoder, config.layer)
    centroids = load_centroids(args.kmeans)
    check_kmeans(centroids, read_json(args.about), mark, config, args.kmeans)
    total = sum(cut["duration"] for cut in read_cuts(args.cuts))
    progress = Progress(f"units/{Path(args.output).stem}", total, "s of audio")
    found = list(extract(read_cuts(args.cuts), args.audio_root, network, centroids, config.batch_seconds, progress))
    ragged = Ragged.join([name for name, _ in found], [units for _, units in found])
    save_npz(args.output, ragged)
    print(f"{len(ragged)} utterances, {total / 3600:.2f} h, {len(ragged.stream)} units", file=sys.stderr)


if __name__ == "__main__":
    run(main)
