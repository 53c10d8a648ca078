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
from scripts.units import abx
from scripts.units.abx_task import build_task
from scripts.units.quality import COLUMNS, in_words, measures, phone_indices


def main() -> None:
    """Command line of rule units_external_quality."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev-cuts", nargs="+", required=True, help="aligned cuts that are measured")
    parser.add_argument("--dev-units", nargs="+", required=True, help="their units")
    parser.add_argument("--clusters", type=int, required=True)
    parser.add_argument("--frame-rate", type=float, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--output", required=True, help="table to write (.csv)")
    args = parser.parse_args()

    cuts = [cut for path in args.dev_cuts for cut in read_cuts(path)]
    phones = phone_indices(cuts, args.dev_cuts)
    units: dict[str, np.ndarray] = {}
    for path in args.dev_units:
        units |= load_npz(path).by_id()
    task = build_task(cuts, args.seed)
    row = dict.fromkeys(COLUMNS, "") | {"encoder": "external", "layer": 0, "clusters": args.clusters}
    row |= measures(cuts, phones, units, args.clusters, args.frame_rate)
    row |= abx.unit_columns(task, [cut["id"] for cut in cuts], units, args.seed)
    write_csv(args.output, COLUMNS, [row])
    print(task, f"external {in_words(row)}", sep="\n", file=sys.stderr)


if __name__ == "__main__":
    run(main)
