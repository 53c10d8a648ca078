"""Tokens made elsewhere for every cut of a shard, or all sides of every item, in their order.

What can be checked of them is checked: every cut has some, and none that has words has no token. A side of an item that
has none is left empty and counted; its item leaves the comparison of the models (scripts/evaluation/common_items.py).
"""

import argparse
import sys
from collections.abc import Iterable

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import Cut, holds_items, read_cuts, spoken_text
from scripts.common.external import Store
from scripts.common.ragged import Ragged, save_npz

MOST_NAMED = 3  # cuts that an error names


def adopt(cuts: Iterable[Cut], store: Store, setting: str, source: str, *, items: bool) -> tuple[Ragged, list[str]]:
    """The cuts' tokens, and which cuts have none; these are empty if the cuts are those of `items`.

    Raises:
        ValueError: naming `setting`, `source` and the first cuts that have no tokens; not for `items`.
    """
    ids: list[str] = []
    found: list[np.ndarray] = []
    wrong: list[str] = []
    for cut in cuts:
        tokens = store.get(cut["id"])
        if tokens is None or (not len(tokens) and spoken_text(cut)):
            wrong.append(repr(cut["id"]))
            if not items:
                continue
            tokens = np.zeros(0, np.uint16)
        ids.append(cut["id"])
        found.append(tokens)
    if wrong and not items:
        more = f" and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise ValueError(
            f"{setting}: {len(wrong)} of {len(wrong) + len(ids)} cuts of {source} have no tokens there:"
            f" {', '.join(wrong[:MOST_NAMED])}{more}; make them, or leave the cuts out of the corpus"
        )
    return Ragged.join(ids, found), wrong


def main() -> None:
    """Command line of rules tokens_adopt and tokens_adopt_task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True, help="its name, for messages")
    parser.add_argument("--cuts", required=True, help="aligned cuts or task items")
    parser.add_argument("--store", required=True, help="what scripts.tokens.external wrote")
    parser.add_argument("--output", required=True, help="tokens (.npz)")
    args = parser.parse_args()
    setting, items = f"modalities.{args.modality}.external", holds_items(args.cuts)
    ragged, without = adopt(read_cuts(args.cuts), Store(args.store), setting, args.cuts, items=items)
    save_npz(args.output, ragged)
    left = f", {len(without)} left empty, e.g. {without[0]}" if without else ""
    print(f"{len(ragged)} utterances, {len(ragged.stream)} tokens{left}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
