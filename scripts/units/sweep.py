"""Measure the units of one layer against phones and speakers, at several numbers of clusters.

Notable: one pass over the sample and one over dev for all numbers of clusters; features never leave memory. The sample,
the k-means and the measures are those of scripts.units.kmeans and scripts.units.quality, so the row of the configured
layer and K equals the row `hubert` of quality.csv.
"""

import argparse
import sys

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import read_cuts
from scripts.common.files import write_csv
from scripts.units import abx, kmeans
from scripts.units.abx_task import build_task
from scripts.units.backend import load
from scripts.units.config import Sweeping
from scripts.units.quality import COLUMNS, encode, in_words, measures, phone_indices


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
    task = build_task(cuts, args.seed)
    units_at, tokens = encode(cuts, args.audio_root, features, centroids, task)
    ids = [cut["id"] for cut in cuts]
    of_features = abx.feature_columns(task, tokens, args.seed)
    rows = [
        {"encoder": "hubert", "layer": args.layer, "clusters": clusters}
        | measures(cuts, phones, units, clusters, config.frame_rate)
        | abx.unit_columns(task, ids, units, args.seed)
        | of_features
        for clusters, units in units_at.items()
    ]
    write_csv(args.output, COLUMNS, rows)
    print(task, file=sys.stderr)
    for row in rows:
        print(f"layer {row['layer']}  K {row['clusters']:<5} {in_words(row)}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
