"""Agreement of the units with the aligned phones, beside MFCC clusters and an untrained encoder, on held-out speech.

Beside the measures of frames (scripts.units.measures) the table has the ABX errors of units and of features
(scripts.units.abx).

Notable: all three have the same K, the same sample of frames and the same k-means; the untrained encoder
has the architecture and layer of the trained one. The phone of a frame is the aligned phone at its centre, without
stress, as published figures count them; silence counts as a phone. The trained encoder's units are read from
their files, so they are those that the language models get.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModel

from scripts.common import audio, cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, num_samples, phone_alignment, read_cuts, speaker
from scripts.common.files import write_csv
from scripts.common.frames import frame_centres, frame_count
from scripts.common.ragged import load_npz
from scripts.common.seeds import derive
from scripts.units import abx, encoder
from scripts.units.abx_task import Task, build_task
from scripts.units.backend import choose_device, is_fairseq, load
from scripts.units.clustering import nearest
from scripts.units.config import Clustering, Measuring
from scripts.units.kmeans import cluster, features_of, remove_speakers, sample_features
from scripts.units.measures import joint_counts, measure, normalised_information
from scripts.units.mfcc_features import mfcc

COLUMNS = [
    "encoder", "layer", "clusters", "pnmi", "phone_purity", "cluster_purity", "speaker_pnmi", "used_units", "bitrate",
    "frames", *abx.COLUMNS,
]  # fmt: skip


def frame_phones(cut: Cut) -> list[str]:
    """The phone, without stress, at each frame's centre; ValueError if the alignment leaves a gap there."""
    aligned = phone_alignment(cut)
    ends = np.cumsum([duration for _, _, duration in aligned])
    centres = frame_centres(frame_count(num_samples(cut)))
    # A frame on a border belongs to the phone that begins there; the last phone has no successor.
    places = np.searchsorted(ends, centres, side="right")
    if len(centres) and places[-1] >= len(aligned):
        if not aligned or centres[-1] > ends[-1] + 0.02:
            raise ValueError(f"{cut['id']}: its phones end at {ends[-1:]} s but its frames at {centres[-1]:.3f} s")
        places = np.minimum(places, len(aligned) - 1)
    return [aligned[place][0].rstrip("012") for place in places]


def phone_indices(cuts: Sequence[Cut], source: Sequence[str]) -> list[np.ndarray]:
    """The phone at each frame of each cut as a number, int64 [frames]; ValueError naming `source` without cuts."""
    if not cuts:
        raise ValueError(f"{', '.join(source)}: no cuts to measure units on")
    index: dict[str, int] = {}
    return [np.array([index.setdefault(p, len(index)) for p in frame_phones(cut)], np.int64) for cut in cuts]


def count_pairs(cuts: list[Cut], phones: list[np.ndarray], units: dict[str, np.ndarray], clusters: int) -> np.ndarray:
    """Frames per (phone, unit), int64 [phones, clusters].

    Raises:
        ValueError: the units are of other utterances, or of other lengths, than the cuts.
    """
    for cut, expected in zip(cuts, phones, strict=True):
        if cut["id"] not in units:
            raise ValueError(f"{cut['id']}: aligned but without units")
        if len(units[cut["id"]]) != len(expected):
            raise ValueError(f"{cut['id']}: {len(units[cut['id']])} units for {len(expected)} frames")
    return joint_counts(np.concatenate(phones), np.concatenate([units[cut["id"]] for cut in cuts]), clusters)


def speaker_pnmi(cuts: list[Cut], units: dict[str, np.ndarray], clusters: int) -> float:
    """Share of the speaker's entropy that a unit removes, 0 to 1; 1 if there is one speaker."""
    index: dict[str, int] = {}
    speakers = [np.full(len(units[cut["id"]]), index.setdefault(speaker(cut), len(index))) for cut in cuts]
    streams = [units[cut["id"]] for cut in cuts]
    return normalised_information(joint_counts(np.concatenate(speakers), np.concatenate(streams), clusters))


def measures(
    cuts: list[Cut], phones: list[np.ndarray], units: dict[str, np.ndarray], clusters: int, frame_rate: float
) -> dict[str, float]:
    """All measures of frames: of phones, and of speakers."""
    counts = count_pairs(cuts, phones, units, clusters)
    return measure(counts, frame_rate) | {"speaker_pnmi": speaker_pnmi(cuts, units, clusters)}


def in_words(row: Mapping[str, Any]) -> str:
    """The main measures of a row of the table, for the log."""
    errors = "/".join(f"{row[name]:.1%}" if row[name] != "" else "-" for name in ("abx_within", "abx_across"))
    return (
        f"PNMI {row['pnmi']:.3f}  phone purity {row['phone_purity']:.3f}  speaker PNMI {row['speaker_pnmi']:.3f}"
        f"  ABX within/across {errors}"
    )


def encode(
    cuts: Sequence[Cut],
    root: str,
    features: Callable[[np.ndarray], np.ndarray],
    centroids: Mapping[int, np.ndarray],
    task: Task,
) -> tuple[dict[int, dict[str, np.ndarray]], abx.Rows]:
    """One pass over the audio: units under each k-means, and the frames of the task's tokens.

    Args:
        cuts: of the task, in its order.
        root: folder of the audio.
        features: waveform float32 [N] -> float32 [frame_count(N), D].
        centroids: K -> float32 [K, D].
        task: of the cuts.

    Returns:
        {K: {cut id: uint16 [frame_count]}} and the frames.
    """
    units: dict[int, dict[str, np.ndarray]] = {clusters: {} for clusters in centroids}

    def passed() -> Iterator[tuple[int, np.ndarray]]:
        for number, cut in enumerate(cuts):
            wave = audio.read(cut, root)
            frames = features(wave) if frame_count(len(wave)) else None
            for clusters, of_k in centroids.items():
                units[clusters][cut["id"]] = np.zeros(0, np.uint16) if frames is None else nearest(frames, of_k)
            if frames is not None:
                yield number, frames

    rows = abx.rows_of(task, passed())
    return units, rows


def random_encoder(folder: str, config: Clustering, seed: int) -> encoder.Encoder:
    """An encoder of the architecture in `folder` with random weights, on the configured device and in its precision."""
    torch.manual_seed(derive(seed, "units", "untrained"))
    model = AutoModel.from_config(AutoConfig.from_pretrained(folder, local_files_only=True))
    network = encoder.prepare(model, config.layer, encoder.wants_normalisation(folder), folder)
    encoder.place(network, choose_device(config.device), config.precision)
    return network


def main() -> None:
    """Command line of rule units_quality."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train-cuts", nargs="+", required=True, help="aligned cuts the baselines are clustered on")
    parser.add_argument("--dev-cuts", nargs="+", required=True, help="aligned cuts that are measured")
    parser.add_argument("--dev-units", nargs="+", required=True, help="units of the dev cuts")
    parser.add_argument("--audio-root", required=True)
    parser.add_argument("--encoder", required=True, help="Hugging Face folder")
    parser.add_argument("--config", required=True, help="keys of section units as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", required=True, help="table to write (.csv)")
    args = parser.parse_args()

    cpu.prepare(args.threads)
    config = parse(Measuring, args.config, "units")
    cuts = [cut for path in args.dev_cuts for cut in read_cuts(path)]
    ids = [cut["id"] for cut in cuts]
    phones = phone_indices(cuts, args.dev_cuts)
    trained: dict[str, np.ndarray] = {}
    for path in args.dev_units:
        trained |= load_npz(path).by_id()

    task = build_task(cuts, args.seed)
    print(task, file=sys.stderr)
    network, _ = load(
        args.encoder, config.layer, device=config.device, precision=config.precision, threads=args.threads
    )
    _, features_of_tokens = encode(cuts, args.audio_root, features_of(network, config), {}, task)
    del network
    rows = [("hubert", config.layer, trained, features_of_tokens)]
    untrained = None if is_fairseq(args.encoder) else random_encoder(args.encoder, config, args.seed)
    baselines: list[tuple[str, int, Callable[[np.ndarray], np.ndarray]]] = [("mfcc", 0, mfcc)]
    if untrained is not None:
        baselines.append(("random-init", config.layer, features_of(untrained, config)))
    for name, layer, features in baselines:
        sample = sample_features(
            args.train_cuts, args.audio_root, features, config.sample_frames, args.seed, f"units/quality {name}"
        )
        centroids, _ = cluster(remove_speakers(sample, config), config, config.clusters, args.seed, args.threads)
        units, frames = encode(cuts, args.audio_root, features, {config.clusters: centroids}, task)
        rows.append((name, layer, units[config.clusters], frames))
    table = [
        {"encoder": name, "layer": layer, "clusters": config.clusters}
        | measures(cuts, phones, units, config.clusters, config.frame_rate)
        | abx.unit_columns(task, ids, units, args.seed)
        | abx.feature_columns(task, frames, args.seed)
        for name, layer, units, frames in rows
    ]
    write_csv(args.output, COLUMNS, table)
    for row in table:
        print(f"{row['encoder']:<12} {in_words(row)}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
