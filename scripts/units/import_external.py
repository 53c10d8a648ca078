"""Import units made elsewhere for every cut of a shard, or all sides of every task item, in their order.

A cut of N samples has exactly frame_count(N) units, so that Phone-Repeat is as long. An encoder that pads its input
gives one more, one that treats the last frame differently one less: then the last unit is dropped or repeated, and the
number of such cuts is logged. Any other length is an error that names the cut. Only a side of a task item is left empty
and counted; its item is left out of the comparison of the models.
"""

import argparse
import sys
from collections.abc import Iterable

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import Cut, holds_items, num_samples, read_cuts
from scripts.common.external import Store, import_sequences
from scripts.common.frames import frame_count
from scripts.common.ragged import Ragged, save_npz


def fit_to_frames(units: np.ndarray, frames: int) -> np.ndarray | None:
    """The units at exactly `frames`, correcting a difference of one; None if the difference is larger."""
    if len(units) == frames:
        return units
    if abs(len(units) - frames) > 1 or len(units) == 0:
        return None
    return units[:frames] if len(units) > frames else np.append(units, units[-1])


def import_external(
    cuts: Iterable[Cut], store: Store, source: str, *, items: bool, setting: str = "units.external"
) -> tuple[Ragged, int, list[str]]:
    """The cuts' units, the number of cuts corrected by one unit, and a description of each cut that has no fitting
    units; with `items` such a cut is left empty.

    Raises:
        ValueError: naming `source` and the first cuts that have no units, or too many or too few; not with `items`.
    """
    corrected = 0

    def fit(cut: Cut, units: np.ndarray | None) -> np.ndarray | str:
        nonlocal corrected
        frames = frame_count(num_samples(cut))
        fitting = fit_to_frames(units, frames) if units is not None else None
        if units is None or fitting is None:
            return f"has {'none' if units is None else len(units)}, its {cut['duration']:.3f} s make {frames}"
        corrected += len(units) != frames
        return fitting

    ragged, wrong = import_sequences(cuts, store, fit, setting, source, items=items)
    return ragged, corrected, wrong


def main() -> None:
    """Command line of rules units_import_external and units_import_external_task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, help="aligned cuts or task items")
    parser.add_argument("--store", required=True, help="what scripts.units.external wrote")
    parser.add_argument("--setting", default="units.external", help="key that named the units, for messages")
    parser.add_argument("--output", required=True, help="units (.npz)")
    args = parser.parse_args()
    items = holds_items(args.cuts)
    ragged, corrected, wrong = import_external(
        read_cuts(args.cuts), Store(args.store), args.cuts, items=items, setting=args.setting
    )
    save_npz(args.output, ragged)
    empty = f", {len(wrong)} left empty, e.g. {wrong[0]}" if wrong else ""
    print(
        f"{len(ragged)} utterances, {len(ragged.stream)} units, {corrected} corrected by one unit{empty}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
