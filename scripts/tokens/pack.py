"""Join the shards of a split into one token file for the language models."""

import argparse
import sys

from scripts.common.cli import run
from scripts.tokens import store


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", nargs="+", required=True, help=".bin files, in the order of the split")
    parser.add_argument("--output", required=True, help=".bin of the split; its .idx.npz is written beside it")
    args = parser.parse_args()
    store.join(args.shards, args.output)
    counts = store.totals(args.output)
    print(
        f"{args.output}: {len(args.shards)} shards, {counts['utterances']} utterances, {counts['tokens']} tokens",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
