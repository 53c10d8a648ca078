"""Turn every utterance of a shard, or all sides of every task item, into units.

Notable: one pass; features never touch the disk and leave memory batch by batch. Utterances are read in windows, by
worker processes while the encoder runs, sorted by length within a window and batched so that padding stays under 5%;
an utterance's units do not depend on its neighbours (see scripts.units.encoder). A long utterance goes through in
chunks that overlap (see scripts.units.spans). Order and ids are those of the alignment file, and the file carries the
fingerprint of its k-means.
"""

import argparse
import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.cuts import Cut, num_samples, read_cuts
from scripts.common.files import read_json
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.common.progress import Progress
from scripts.common.ragged import Ragged, save_npz
from scripts.units.backend import Encoder, load
from scripts.units.clustering import nearest
from scripts.units.encoder import Piece, normalised
from scripts.units.marks import kmeans_mark
from scripts.units.reading import read_ahead
from scripts.units.sampling import without_text
from scripts.units.spans import HOP, Span, spans

MAX_PADDING = 0.05  # share of a batch's samples that may be padding
WINDOW = 256  # utterances sorted by length together; what is held is their cuts, not their audio


@dataclass(frozen=True)
class Config:
    """What of section units the extraction depends on."""

    layer: int
    clusters: int
    batch_seconds: float
    chunk_seconds: float = 30.0
    overlap_seconds: float = 2.0
    decode_workers: int = 0
    device: str = "cpu"
    precision: str = "fp32"


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
    if "kmeans" in about and about["kmeans"] != kmeans_mark(mark, config.layer, centroids):
        raise ValueError(f"{source}: its centroids are not those that its .json was written for; make it again")


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


class Assigner:
    """The nearest centroid of each frame, where the features are: on the CPU by numpy, on a GPU by torch."""

    def __init__(self, centroids: np.ndarray):
        self.centroids = centroids
        self.there: torch.Tensor | None = None  # float32 [K, D] on the features' device

    def __call__(self, features: torch.Tensor) -> np.ndarray:
        """[T, D] -> uint16 [T]; ValueError if a feature is not a finite number."""
        if not bool(torch.isfinite(features).all()):
            raise ValueError("the encoder's features hold NaN or infinite values; units.precision fp32 may help")
        if features.device.type == "cpu":
            return nearest(features.float().numpy(), self.centroids)
        if self.there is None:
            self.there = torch.from_numpy(self.centroids).to(features.device)
        distances = (self.there**2).sum(dim=1) - 2.0 * (features.float() @ self.there.T)  # [T, K]
        return distances.argmin(dim=1).cpu().numpy().astype(np.uint16)


def pieces_of(wave: np.ndarray, network: Encoder, config: Config) -> list[tuple[Span, Piece]]:
    """The rows in which an utterance goes through the encoder."""
    frames = frame_count(len(wave))
    if network.normalise:
        wave = normalised(wave)
    chunk, overlap = (round(seconds * SAMPLE_RATE / HOP) for seconds in (config.chunk_seconds, config.overlap_seconds))
    found = spans(frames, chunk, overlap)
    whole = network.moments(wave) if len(found) > 1 else None
    return [(span, Piece(span.samples(wave), whole)) for span in found]


def kept_frames(
    waves: Sequence[np.ndarray], network: Encoder, config: Config
) -> Iterator[tuple[int, slice, torch.Tensor]]:
    """Features of a batch of utterances: which one, which of its frames, [frames, D]; each frame once, in no order."""
    rows = [(owner, *row) for owner, wave in enumerate(waves) for row in pieces_of(wave, network, config)]
    lengths = [len(piece.wave) for _, _, piece in rows]
    for group in batches(lengths, round(config.batch_seconds * SAMPLE_RATE)):
        for index, features in zip(group, network.encode([rows[i][2] for i in group]), strict=True):
            owner, span, _ = rows[index]
            assert len(features) == span.count, "one clock for all modalities"
            yield owner, slice(*span.keep), features[span.keep[0] - span.first : span.keep[1] - span.first]


def encode_batch(waves: Sequence[np.ndarray], network: Encoder, assign: Assigner, config: Config) -> list[np.ndarray]:
    """Units of a batch of utterances, uint16 [frame_count] each."""
    units = [np.zeros(frame_count(len(wave)), np.uint16) for wave in waves]
    for owner, place, features in kept_frames(waves, network, config):
        units[owner][place] = assign(features)
    return units


def extract(
    cuts: Iterable[Cut], root: str, network: Encoder, centroids: np.ndarray, config: Config, progress: Progress
) -> Iterator[tuple[str, np.ndarray]]:
    """(id, units uint16 [frame_count]) per cut, in the cuts' order.

    Raises:
        AudioError: audio of a cut that passed the alignment cannot be read any more.
        ValueError: naming cuts whose features are not finite.
    """
    # What is read ahead is a batch of waveforms; the windows and batches it belongs to wait here.
    waiting: deque[tuple[list[Cut], list[list[int]]]] = deque()

    def plan() -> Iterator[list[Cut]]:
        stream = map(without_text, cuts)
        while window := list(islice(stream, WINDOW)):
            # Shorter than one window of the encoder: no frame, no unit.
            heard = [i for i, cut in enumerate(window) if frame_count(num_samples(cut)) > 0]
            lengths = [num_samples(window[i]) for i in heard]
            # An empty batch where nothing is heard: every window has its turn.
            planned = [[heard[i] for i in batch] for batch in batches(lengths, batch_samples)] or [[]]
            waiting.append((window, planned))
            for batch in planned:
                yield [window[i] for i in batch]

    batch_samples = round(config.batch_seconds * SAMPLE_RATE)
    waves = read_ahead(plan(), root, config.decode_workers)
    assign = Assigner(centroids)
    seconds = 0.0
    while True:
        first = next(waves, None)
        if first is None and not waiting:
            return
        window, planned = waiting.popleft()
        units = [np.zeros(0, np.uint16)] * len(window)
        for number, batch in enumerate(planned):
            heard = first if number == 0 else next(waves)
            assert heard is not None
            try:
                found = encode_batch(heard, network, assign, config)
            except ValueError as error:
                raise ValueError(f"{window[batch[0]]['id']} or a cut beside it: {error}") from None
            for i, mine in zip(batch, found, strict=True):
                units[i] = mine
            seconds += sum(window[i]["duration"] for i in batch)
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
    network, mark = load(
        args.encoder, config.layer, device=config.device, precision=config.precision, threads=args.threads
    )
    centroids = load_centroids(args.kmeans)
    check_kmeans(centroids, read_json(args.about), mark, config, args.kmeans)
    total = sum(cut["duration"] for cut in read_cuts(args.cuts))
    progress = Progress(f"units/{Path(args.output).stem}", total, "s of audio")
    found = list(extract(read_cuts(args.cuts), args.audio_root, network, centroids, config, progress))
    ragged = Ragged.join([name for name, _ in found], [units for _, units in found])
    ragged = replace(ragged, made_by=kmeans_mark(mark, config.layer, centroids))
    save_npz(args.output, ragged)
    print(f"{len(ragged)} utterances, {total / 3600:.2f} h, {len(ragged.stream)} units", file=sys.stderr)


if __name__ == "__main__":
    run(main)
