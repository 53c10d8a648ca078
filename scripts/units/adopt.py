"""Units made elsewhere for every cut of a shard, or all sides of every item, in their order.

A cut of N samples has frame_count(N) units, no more and no less, for Phone-Repeat is to be as long. An encoder that
pads its input gives one more, one that reads the last frame differently one less: then the last unit goes, or is
said twice, and the number of such cuts is in the log. Anything else is an error that names the cut; only a side of an
item is left empty and counted, and its item leaves the comparison of the models (scripts/evaluation/compared.py).
"""

import argparse
import sys
from collections.abc import Iterable

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import Cut, holds_items, num_samples, read_cuts
from scripts.common.external import Store
from scripts.common.frames import frame_count
from scripts.common.ragged import Ragged, save_npz

MOST_NAMED = 3  # cuts that an error names


def fitted(units: np.ndarray, frames: int) -> np.ndarray | None:
    """The units at exactly `frames`, one more or less being mended; None if it is more than one."""
    if len(units) == frames:
        return units
    if abs(len(units) - frames) > 1 or len(units) == 0:
        return None
    return units[:frames] if len(units) > frames else np.append(units, units[-1])


def adopt(cuts: Iterable[Cut], store: Store, source: str, *, items: bool) -> tuple[Ragged, int, list[str]]:
    """The cuts' units, how many of them were mended, and which do not fit; these are empty if they are of `items`.

    Raises:
        ValueError: naming `source` and the first cuts that have no units, or too many or too few; not for `items`.
    """
    ids: list[str] = []
    found: list[np.ndarray] = []
    wrong: list[str] = []
    mended = 0
    for cut in cuts:
        frames = frame_count(num_samples(cut))
        units = store.get(cut["id"])
        fit = fitted(units, frames) if units is not None else None
        if units is None or fit is None:
            told = "none" if units is None else f"{len(units)}"
            wrong.append(f"{cut['id']!r} has {told}, its {cut['duration']:.3f} s make {frames}")
            if not items:
                continue
            fit = np.zeros(0, np.uint16)
        else:
            mended += len(units) != frames
        ids.append(cut["id"])
        found.append(fit)
    if wrong and not items:
        more = f", and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise ValueError(
            f"units.external: {len(wrong)} of {len(wrong) + len(ids)} cuts of {source} do not have their units:"
            f" {'; '.join(wrong[:MOST_NAMED])}{more}; make them, or leave the cuts out of the corpus"
        )
    return Ragged.join(ids, found), mended, wrong


def main() -> None:
    """Command line of rules units_adopt and units_adopt_task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, help="aligned cuts or task items")
    parser.add_argument("--store", required=True, help="what scripts.units.external wrote")
    parser.add_argument("--output", required=True, help="units (.npz)")
    args = parser.parse_args()
    items = holds_items(args.cuts)
    ragged, mended, wrong = adopt(read_cuts(args.cuts), Store(args.store), args.cuts, items=items)
    save_npz(args.output, ragged)
    left = f", {len(wrong)} left empty, e.g. {wrong[0]}" if wrong else ""
    print(f"{len(ragged)} utterances, {len(ragged.stream)} units, {mended} mended by one unit{left}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
