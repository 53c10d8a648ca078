"""Read units made elsewhere once into a store that jobs look up by cut; scripts.common.external has the formats."""

import argparse
import sys
from pathlib import Path

from scripts.common.cli import run
from scripts.common.external import build


def main() -> None:
    """Command line of rule units_external."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of jsonl files, or of fairseq's tsv and km")
    parser.add_argument("--clusters", type=int, required=True, help="units are below")
    parser.add_argument("--out", type=Path, required=True, help="the store")
    args = parser.parse_args()
    count = build(args.folder, "units", args.clusters, "units.external (with units.clusters)", args.out)
    print(f"units/external: {count:,} utterances of {args.folder}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
