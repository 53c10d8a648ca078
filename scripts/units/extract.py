"""Turn every utterance of a shard, or all sides of every task item, into units.

Notable: one pass; features never touch the disk and leave memory batch by batch. Utterances are sorted by length within
a window and batched (scripts.units.batching); processes decode, normalise and pad the next batches while the encoder
runs (scripts.units.prefetch). On a GPU the next batch is queued before the units of the one before are waited for, and
those come back in one copy. An utterance's units do not depend on its batch (scripts.units.encoder); a long utterance
goes through in overlapping chunks (scripts.units.chunking). Order and ids are those of the alignment file, and the
output carries the fingerprint of its k-means.
"""

import argparse
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, num_samples, read_cuts
from scripts.common.files import read_json
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.common.progress import Progress
from scripts.common.ragged import Ragged, save_npz
from scripts.units.assignment import Assigner, NotFiniteError
from scripts.units.backend import Encoder, load
from scripts.units.batching import batches, window_size, windows
from scripts.units.chunking import HOP, Chunk, split_into_chunks
from scripts.units.config import Choice, Chunking, Extraction
from scripts.units.encoder import WaveBatch
from scripts.units.fingerprint import kmeans_fingerprint
from scripts.units.frame_sampling import drop_supervisions
from scripts.units.prefetch import prefetch


def check_kmeans(centroids: np.ndarray, about: dict, fingerprint: str, config: Choice, source: str) -> None:
    """Refuse centroids that were not made from this encoder and this config.

    Raises:
        ValueError: another encoder, another layer, another number of clusters, or a damaged file.
    """
    if about["encoder"] != fingerprint:
        raise ValueError(
            f"{source}: made with encoder {about['encoder'][:12]}, but units/encoder is {fingerprint[:12]};"
            " its clusters mean nothing here, make it again from this encoder"
        )
    for key, expected in [("layer", config.layer), ("clusters", config.clusters)]:
        if about[key] != expected:
            raise ValueError(f"{source}: made with units.{key} {about[key]}, the config says {expected}; make it again")
    if centroids.dtype != np.float32 or centroids.ndim != 2 or len(centroids) != config.clusters:
        raise ValueError(
            f"{source}: holds {centroids.dtype} {centroids.shape}; float32 ({config.clusters}, features) is expected"
        )
    if "kmeans" in about and about["kmeans"] != kmeans_fingerprint(fingerprint, config.layer, centroids):
        raise ValueError(f"{source}: its centroids are not those that its .json was written for; make it again")


class Row(NamedTuple):
    """One row of a forward pass: a chunk of an utterance, or all of it."""

    utterance: int
    chunk: Chunk

    @property
    def kept(self) -> slice:
        """The frames of the row that are kept."""
        return slice(self.chunk.keep[0] - self.chunk.first, self.chunk.keep[1] - self.chunk.first)


def encode_rows(batch: WaveBatch, network: Encoder, config: Chunking) -> Iterator[tuple[list[Row], torch.Tensor]]:
    """Features of a batch of utterances: rows and their [B, T, D]; the rows' kept frames are each frame once."""
    chunk, overlap = (round(seconds * SAMPLE_RATE / HOP) for seconds in (config.chunk_seconds, config.overlap_seconds))
    rows = [
        Row(utterance, part)
        for utterance, length in enumerate(batch.lengths)
        for part in split_into_chunks(frame_count(length), chunk, overlap)
    ]
    batch = batch.to(network.device)
    chunked = {row.utterance for row in rows if row.chunk.first > 0}
    stats = {u: network.channel_stats(batch.samples[u, : batch.lengths[u]]) for u in chunked}
    spans = [row.chunk.samples(batch.lengths[row.utterance]) for row in rows]
    for group in batches([span.stop - span.start for span in spans], round(config.batch_seconds * SAMPLE_RATE)):
        members = [rows[i] for i in group]
        whole = not chunked and group == list(range(len(batch.lengths)))
        inputs = batch if whole else _gather(batch, members, [spans[i] for i in group])
        yield members, network.encode(inputs, [stats.get(row.utterance) for row in members])


def _gather(batch: WaveBatch, rows: Sequence[Row], spans: Sequence[slice]) -> WaveBatch:
    """The rows' samples as a batch of their own."""
    lengths = [span.stop - span.start for span in spans]
    samples = batch.samples.new_zeros(len(rows), max(lengths))  # [B, N]
    for target, row, span, length in zip(samples, rows, spans, lengths, strict=True):
        target[:length] = batch.samples[row.utterance, span]
    return WaveBatch(samples, lengths)


def launch(batch: WaveBatch, network: Encoder, assign: Assigner, config: Chunking) -> Callable[[], list[np.ndarray]]:
    """Start encoding a batch; the function that is returned waits for its units, uint16 [frame_count] each."""
    started = [
        (rows, assign.start(features, [row.kept for row in rows]))
        for rows, features in encode_rows(batch, network, config)
    ]

    def finish() -> list[np.ndarray]:
        units = [np.zeros(frame_count(length), np.uint16) for length in batch.lengths]
        for rows, wait in started:
            for row, kept in zip(rows, wait(), strict=True):
                units[row.utterance][slice(*row.chunk.keep)] = kept
        return units

    return finish


def encode_batch(waves: Sequence[np.ndarray], network: Encoder, assign: Assigner, config: Chunking) -> list[np.ndarray]:
    """Units of waveforms in memory, uint16 [frame_count(N_b)] each.

    Args:
        waves: float32 [N_b] at 16 kHz each, at least 400 samples, not normalised.
        network: of `scripts.units.backend.load`.
        assign: of the centroids.
        config: batch, chunk and overlap lengths.

    Raises:
        NotFiniteError: a feature is not a finite number.
    """
    return launch(WaveBatch.of(waves, normalise=network.normalise), network, assign, config)()


def queue_depth(network: Encoder) -> int:
    """Batches that are queued beyond the one whose units are waited for."""
    return 1 if network.device.type == "cuda" else 0


def _encode_ahead(
    stream: Iterable[WaveBatch], network: Encoder, assign: Assigner, config: Chunking
) -> Iterator[list[np.ndarray]]:
    """Units of each batch; on a GPU the next batch is queued before they are waited for."""
    queued: deque[Callable[[], list[np.ndarray]]] = deque()
    for batch in stream:
        queued.append(launch(batch, network, assign, config))
        if len(queued) > queue_depth(network):
            yield queued.popleft()()
    while queued:
        yield queued.popleft()()


class _Step(NamedTuple):
    """A batch that is on its way: its cuts' places in a window of cuts, whose units it fills in."""

    cuts: list[Cut]
    units: list[np.ndarray]
    batch: list[int]
    last: bool  # of the window


def extract(
    cuts: Iterable[Cut], root: str, network: Encoder, centroids: np.ndarray, config: Extraction, progress: Progress
) -> Iterator[tuple[str, np.ndarray]]:
    """(id, units uint16 [frame_count]) per cut, in the cuts' order.

    Raises:
        AudioError: audio of a cut that passed the alignment cannot be read any more.
        ValueError: naming cuts whose features are not finite.
    """
    steps: deque[_Step] = deque()  # prefetching runs ahead of encoding by these

    def plan() -> Iterator[list[Cut]]:
        for window in windows(map(drop_supervisions, cuts), window_size(config.batch_seconds)):
            units = [np.zeros(0, np.uint16)] * len(window)
            encodable = [i for i, cut in enumerate(window) if frame_count(num_samples(cut)) > 0]
            lengths = [num_samples(window[i]) for i in encodable]
            # A window without a single frame still passes through, as one empty batch, for its place in the order.
            planned = list(batches(lengths, round(config.batch_seconds * SAMPLE_RATE))) or [[]]
            for number, batch in enumerate(planned, start=1):
                steps.append(_Step(window, units, [encodable[i] for i in batch], number == len(planned)))
                yield [window[i] for i in steps[-1].batch]

    gpu = network.device.type == "cuda"
    audio = prefetch(plan(), root, config.decode_workers, normalise=network.normalise, pin=gpu)
    results = _encode_ahead(audio, network, Assigner(centroids), config)
    seconds = 0.0
    while True:
        try:
            encoded = next(results, None)
        except NotFiniteError as error:
            raise ValueError(f"{steps[0].cuts[steps[0].batch[0]]['id']} or a cut beside it: {error}") from None
        if encoded is None:
            return
        step = steps.popleft()
        for i, units in zip(step.batch, encoded, strict=True):
            step.units[i] = units
            seconds += step.cuts[i]["duration"]
        progress.update(seconds)
        if step.last:
            yield from zip((cut["id"] for cut in step.cuts), step.units, strict=True)


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
    config = parse(Extraction, args.config, "units")
    network, fingerprint = load(
        args.encoder, config.layer, device=config.device, precision=config.precision, threads=args.threads
    )
    centroids = load_centroids(args.kmeans)
    check_kmeans(centroids, read_json(args.about), fingerprint, config, args.kmeans)
    total = sum(cut["duration"] for cut in read_cuts(args.cuts))
    progress = Progress(f"units/{Path(args.output).stem}", total, "s of audio")
    extracted = list(extract(read_cuts(args.cuts), args.audio_root, network, centroids, config, progress))
    ragged = Ragged.join([name for name, _ in extracted], [units for _, units in extracted])
    ragged = replace(ragged, made_by=kmeans_fingerprint(fingerprint, config.layer, centroids))
    save_npz(args.output, ragged)
    print(f"{len(ragged)} utterances, {total / 3600:.2f} h, {len(ragged.stream)} units", file=sys.stderr)


if __name__ == "__main__":
    run(main)
