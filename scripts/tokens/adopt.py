"""Tokens made elsewhere for every cut of a shard, or both sides of every item, in their order.

What can be checked of them is checked: every cut has some, and none that has words has no token.
"""

import argparse
import sys
from collections.abc import Iterable

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import Cut, read_cuts, spoken_text
from scripts.common.external import Store
from scripts.common.ragged import Ragged, save_npz

MOST_NAMED = 3  # cuts that an error names


def adopt(cuts: Iterable[Cut], store: Store, setting: str, source: str) -> Ragged:
    """The cuts' tokens.

    Raises:
        ValueError: naming `setting`, `source` and the first cuts that have no tokens.
    """
    ids: list[str] = []
    found: list[np.ndarray] = []
    wrong: list[str] = []
    for cut in cuts:
        tokens = store.get(cut["id"])
        if tokens is None or (not len(tokens) and spoken_text(cut)):
            wrong.append(repr(cut["id"]))
            continue
        ids.append(cut["id"])
        found.append(tokens)
    if wrong:
        more = f" and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise ValueError(
            f"{setting}: {len(wrong)} of {len(wrong) + len(ids)} cuts of {source} have no tokens there:"
            f" {', '.join(wrong[:MOST_NAMED])}{more}; make them, or leave the cuts out of the corpus"
        )
    return Ragged.join(ids, found)


def main() -> None:
    """Command line of rules tokens_adopt and tokens_adopt_task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True, help="its name, for messages")
    parser.add_argument("--cuts", required=True, help="aligned cuts or task items")
    parser.add_argument("--store", required=True, help="what scripts.tokens.external wrote")
    parser.add_argument("--output", required=True, help="tokens (.npz)")
    args = parser.parse_args()
    ragged = adopt(read_cuts(args.cuts), Store(args.store), f"modalities.{args.modality}.external", args.cuts)
    save_npz(args.output, ragged)
    print(f"{len(ragged)} utterances, {len(ragged.stream)} tokens", file=sys.stderr)


if __name__ == "__main__":
    run(main)
