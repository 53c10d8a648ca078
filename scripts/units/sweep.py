"""Measure the units of one layer against phones and speakers, at several numbers of clusters.

Notable: one pass over the sample and one over dev for all numbers of clusters; features never leave memory. The sample,
the k-means and the measures are those of scripts.units.kmeans and scripts.units.quality, so the row of the configured
layer and K equals the row `hubert` of quality.csv.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

import numpy as np

from scripts.common import audio, cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, read_cuts
from scripts.common.files import write_csv
from scripts.common.frames import frame_count
from scripts.units import kmeans
from scripts.units.backend import load
from scripts.units.clustering import nearest
from scripts.units.config import Sweeping
from scripts.units.measures import measure
from scripts.units.quality import COLUMNS, count_pairs, phone_indices, speaker_pnmi


def units_at(
    cuts: Sequence[Cut], root: str, features: Callable[[np.ndarray], np.ndarray], centroids: dict[int, np.ndarray]
) -> dict[int, dict[str, np.ndarray]]:
    """Units of every cut under several k-means: {K: {cut id: uint16 [frame_count]}}."""
    units: dict[int, dict[str, np.ndarray]] = {clusters: {} for clusters in centroids}
    for cut in cuts:
        wave = audio.read(cut, root)
        frames = features(wave) if frame_count(len(wave)) else None
        for clusters, of_k in centroids.items():
            units[clusters][cut["id"]] = np.zeros(0, np.uint16) if frames is None else nearest(frames, of_k)
    return units


def main() -> None:
    """Command line of rule units_sweep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train-cuts", nargs="+", required=True, help="aligned cuts that are clustered")
    parser.add_argument("--dev-cuts", nargs="+", required=True, help="aligned cuts that are measured")
    parser.add_argument("--audio-root", required=True)
    parser.add_argument("--encoder", required=True, help="folder of the encoder")
    parser.add_argument("--layer", type=int, required=True)
    parser.add_argument("--clusters", type=int, nargs="+", required=True)
    parser.add_argument("--config", required=True, help="keys of section units as JSON")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", required=True, help="table to write (.csv)")
    args = parser.parse_args()

    cpu.prepare(args.threads)
    config = parse(Sweeping, args.config, "units")
    cuts = [cut for path in args.dev_cuts for cut in read_cuts(path)]
    phones = phone_indices(cuts, args.dev_cuts)
    network, _ = load(args.encoder, args.layer, device=config.device, precision=config.precision, threads=args.threads)
    features = kmeans.features_of(network, config)
    sample = kmeans.sample_features(
        args.train_cuts,
        args.audio_root,
        features,
        config.sample_frames,
        args.seed,
        f"units/sweep layer {args.layer}",
    )
    frames = kmeans.remove_speakers(sample, config)
    centroids = {
        clusters: kmeans.cluster(frames, config, clusters, args.seed, args.threads)[0] for clusters in args.clusters
    }
    del sample, frames
    rows = [
        {"encoder": "hubert", "layer": args.layer, "clusters": clusters}
        | measure(count_pairs(cuts, phones, units, clusters), config.frame_rate)
        | {"speaker_pnmi": speaker_pnmi(cuts, units, clusters)}
        for clusters, units in units_at(cuts, args.audio_root, features, centroids).items()
    ]
    write_csv(args.output, COLUMNS, rows)
    for row in rows:
        print(
            f"layer {row['layer']}  K {row['clusters']:<5} PNMI {row['pnmi']:.3f}"
            f"  phone purity {row['phone_purity']:.3f}  speaker PNMI {row['speaker_pnmi']:.3f}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    run(main)
