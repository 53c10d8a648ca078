"""Units made elsewhere for every cut of a shard, or both sides of every item, in their order.

A cut of N samples has frame_count(N) units, no more and no less, for Phone-Repeat is to be as long. An encoder that
pads its input gives one more, one that reads the last frame differently one less: then the last unit goes, or is
said twice, and the number of such cuts is in the log. Anything else is an error that names the cut.
"""

import argparse
import sys
from collections.abc import Iterable

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import Cut, num_samples, read_cuts
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


def adopt(cuts: Iterable[Cut], store: Store, source: str) -> tuple[Ragged, int]:
    """The cuts' units, and how many of them were mended.

    Raises:
        ValueError: naming `source` and the first cuts that have no units, or too many or too few.
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
            continue
        mended += len(units) != frames
        ids.append(cut["id"])
        found.append(fit)
    if wrong:
        more = f", and {len(wrong) - MOST_NAMED} more" if len(wrong) > MOST_NAMED else ""
        raise ValueError(
            f"units.external: {len(wrong)} of {len(wrong) + len(ids)} cuts of {source} do not have their units:"
            f" {'; '.join(wrong[:MOST_NAMED])}{more}; make them, or leave the cuts out of the corpus"
        )
    return Ragged.join(ids, found), mended


def main() -> None:
    """Command line of rules units_adopt and units_adopt_task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, help="aligned cuts or task items")
    parser.add_argument("--store", required=True, help="what scripts.units.external wrote")
    parser.add_argument("--output", required=True, help="units (.npz)")
    args = parser.parse_args()
    ragged, mended = adopt(read_cuts(args.cuts), Store(args.store), args.cuts)
    save_npz(args.output, ragged)
    print(f"{len(ragged)} utterances, {len(ragged.stream)} units, {mended} mended by one unit", file=sys.stderr)


if __name__ == "__main__":
    run(main)
