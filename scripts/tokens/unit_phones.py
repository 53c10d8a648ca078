"""Count the phones of every unit's frames in train: unit_phones.json, for units that are called by their phone.

{"made_by": fingerprint of the k-means, "phones": names, "frames": a row per unit, how many of its frames have each
phone}. The phone of a frame is that at its centre, SIL included. Of each shard the first utterances are counted, SAMPLE
frames altogether at most. A unit without a frame in train is called by the phone that most frames have.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import read_cuts
from scripts.common.files import read_json, write_json
from scripts.common.ragged import load_npz
from scripts.tokens.aligned import alignment, phone_at_frames, without_stress
from scripts.tokens.config import UNIT_RATE

SAMPLE = 50_000_000  # frames: 280 hours


def count_frames(
    cuts: Sequence[str], units: Sequence[str], clusters: int, limit: int = SAMPLE
) -> tuple[list[str], np.ndarray, str]:
    """(phones sorted, frames int64 [clusters, phones], fingerprint of the units' k-means) of training shards.

    Raises:
        ValueError: naming file and cut, if units are missing, of another length, or beyond `clusters`.
    """
    rows: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(clusters, np.int64))
    made_by: set[str] = set()
    for shard, unit_file in zip(cuts, units, strict=True):
        ragged, count = load_npz(unit_file), 0
        streams = ragged.by_id()
        made_by.add(ragged.made_by)
        for cut in read_cuts(shard):
            try:
                frames, names = phone_at_frames(cut, UNIT_RATE), [name for name, _, _ in alignment(cut)]
            except ValueError as error:
                raise ValueError(f"{shard}: {error}") from None
            stream = streams.get(cut["id"], np.zeros(0, np.uint16))
            if len(stream) != len(frames) or (len(stream) and int(stream.max()) >= clusters):
                raise ValueError(
                    f"{unit_file}: cut {cut['id']}: has {len(stream)} units up to {max(stream, default=0)};"
                    f" {len(frames)} below {clusters} are expected; make the units again"
                )
            for place in np.unique(frames):
                rows[names[place]] += np.bincount(stream[frames == place], minlength=clusters)
            count += len(frames)
            if count * len(cuts) >= limit:
                break
    if not rows:
        raise ValueError(f"{cuts[0]}: train holds no frames; units cannot be called by their phones")
    if len(made_by) > 1:
        raise ValueError(f"{units[0]} and others were made by different k-means; make the units again")
    phones = sorted(rows)
    return phones, np.stack([rows[phone] for phone in phones], axis=1), made_by.pop()


@dataclass(frozen=True)
class UnitPhones:
    """Frames of train per unit and phone.

    Attributes:
        phones: names, str [P].
        frames: int64 [K, P].
        made_by: fingerprint of the k-means; empty for units without one.
    """

    phones: np.ndarray
    frames: np.ndarray
    made_by: str

    @classmethod
    def read(cls, path: str | Path, *, stress: bool) -> "UnitPhones":
        """What the step wrote; without stress, phones that differ in stress alone are one."""
        content = read_json(path)
        names = [name if stress else without_stress(name) for name in content["phones"]]
        phones, columns = np.unique(names, return_inverse=True)
        frames = np.zeros((len(content["frames"]), len(phones)), np.int64)
        np.add.at(frames.T, columns, np.array(content["frames"]).T)
        return cls(phones, frames, content["made_by"])

    @cached_property
    def majority(self) -> np.ndarray:
        """The phone that most frames of each unit have, str [K]; of equally many the first by name."""
        frames = np.where(self.frames.any(axis=1, keepdims=True), self.frames, self.frames.sum(axis=0))
        return self.phones[frames.argmax(axis=1)]

    @cached_property
    def confusion(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Phone -> (phones, P(majority phone of a frame's unit | phone of the frame))."""
        names, unit_names = np.unique(self.majority, return_inverse=True)
        joint = np.zeros((len(names), len(self.phones)))
        np.add.at(joint, unit_names, self.frames)
        return {
            str(phone): (names, joint[:, column] / joint[:, column].sum()) for column, phone in enumerate(self.phones)
        }


def main() -> None:
    """Command line of rule tokens_unit_phones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", nargs="+", required=True, help="aligned training shards")
    parser.add_argument("--units", nargs="+", required=True, help="their units")
    parser.add_argument("--kmeans", required=True, help="kmeans.json: how many units there are")
    parser.add_argument("--output", required=True, help="unit_phones.json")
    args = parser.parse_args()
    phones, frames, made_by = count_frames(args.cuts, args.units, read_json(args.kmeans)["clusters"])
    write_json(args.output, {"made_by": made_by, "phones": phones, "frames": frames.tolist()})
    table = UnitPhones(np.array(phones), frames, made_by)
    share = frames.max(axis=1).sum() / frames.sum()
    print(
        f"unit phones: {len(frames)} units stand for {len(set(table.majority))} of {len(phones)} phones;"
        f" {100 * share:.1f}% of frames have their unit's; {int((~frames.any(axis=1)).sum())} units have no frame",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
