"""Convert a folder of external tokens to a store in which jobs look them up by cut.

The formats are those of scripts.common.external.
"""

import argparse
import sys

from scripts.common.cli import run
from scripts.common.external import add_arguments, build


def main() -> None:
    """Command line of rule tokens_external."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True, help="its name, for messages")
    add_arguments(parser)
    parser.add_argument("--size", type=int, required=True, help="vocabulary size: tokens are smaller")
    args = parser.parse_args()
    setting = f"modalities.{args.modality}.external (with its vocab_size)"
    count = build(args.folder, "tokens", args.size, setting, args.out)
    print(f"tokens/external/{args.modality}: {count:,} utterances of {args.folder}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
