"""Agreement of imported units with the aligned phones: the measures of scripts.units.quality without its baselines.

The baselines are clusters of features at the same K, and neither the encoder nor its layer is known here.
"""

import argparse
import sys

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import read_cuts
from scripts.common.files import write_csv
from scripts.common.ragged import load_npz
from scripts.units.measures import measure
from scripts.units.quality import COLUMNS, count_pairs, phone_indices, speaker_pnmi


def main() -> None:
    """Command line of rule units_external_quality."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev-cuts", nargs="+", required=True, help="aligned cuts that are measured")
    parser.add_argument("--dev-units", nargs="+", required=True, help="their units")
    parser.add_argument("--clusters", type=int, required=True)
    parser.add_argument("--frame-rate", type=float, required=True)
    parser.add_argument("--output", required=True, help="table to write (.csv)")
    args = parser.parse_args()

    cuts = [cut for path in args.dev_cuts for cut in read_cuts(path)]
    phones = phone_indices(cuts, args.dev_cuts)
    units: dict[str, np.ndarray] = {}
    for path in args.dev_units:
        units |= load_npz(path).by_id()
    row = measure(count_pairs(cuts, phones, units, args.clusters), args.frame_rate)
    row["speaker_pnmi"] = speaker_pnmi(cuts, units, args.clusters)
    write_csv(args.output, COLUMNS, [{"encoder": "external", "layer": 0, "clusters": args.clusters, **row}])
    print(f"external PNMI {row['pnmi']:.3f}  phone purity {row['phone_purity']:.3f}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
