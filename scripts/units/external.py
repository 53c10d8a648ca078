"""Read units made elsewhere once into a store that jobs look up by cut; scripts.common.external has the formats."""

import argparse
import sys

from scripts.common.cli import run
from scripts.common.external import add_arguments, build


def main() -> None:
    """Command line of rule units_external."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--setting", default="units.external", help="key that named the folder, for messages")
    parser.add_argument("--clusters", type=int, required=True, help="units are below")
    args = parser.parse_args()
    count = build(args.folder, "units", args.clusters, f"{args.setting} (with units.clusters)", args.out)
    print(f"units/external: {count:,} utterances of {args.folder}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
