"""Import tokens made elsewhere for every cut of a shard, or all sides of every task item, in their order.

What can be checked of them is checked: every cut has some, and none that has words has no token. A side of an item that
has none is left empty and counted; its item leaves the comparison of the models (scripts/evaluation/common_items.py).
"""

import argparse
import sys

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import Cut, holds_items, read_cuts, spoken_text
from scripts.common.external import Store, import_sequences
from scripts.common.ragged import save_npz


def fit(cut: Cut, tokens: np.ndarray | None) -> np.ndarray | str:
    """The tokens as they are, or what is wrong with them."""
    if tokens is None:
        return "has none"
    return tokens if len(tokens) or not spoken_text(cut) else "has words and no token"


def main() -> None:
    """Command line of rules tokens_import_external and tokens_import_external_task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True, help="its name, for messages")
    parser.add_argument("--cuts", required=True, help="aligned cuts or task items")
    parser.add_argument("--store", required=True, help="what scripts.tokens.external wrote")
    parser.add_argument("--output", required=True, help="tokens (.npz)")
    args = parser.parse_args()
    setting, items = f"modalities.{args.modality}.external", holds_items(args.cuts)
    ragged, wrong = import_sequences(read_cuts(args.cuts), Store(args.store), fit, setting, args.cuts, items=items)
    save_npz(args.output, ragged)
    empty = f", {len(wrong)} left empty, e.g. {wrong[0]}" if wrong else ""
    print(f"{len(ragged)} utterances, {len(ragged.stream)} tokens{empty}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
