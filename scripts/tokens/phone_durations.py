"""Count the durations of every phone in train: phone_durations.json, for phones that do not last as aligned.

{"durations": {phone: {samples: how often}}}, samples at 16 kHz. Of each shard the first utterances are counted, SAMPLE
phones altogether at most.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import read_cuts
from scripts.common.files import read_json, write_json
from scripts.common.frames import SAMPLE_RATE
from scripts.tokens.aligned import SILENCE, alignment, without_stress

SAMPLE = 20_000_000  # phones
ANY = ""  # all phones but SIL: a phone that train lacks lasts as they do


def count_durations(shards: Sequence[str], limit: int = SAMPLE) -> dict[str, Counter[int]]:
    """Phone -> how often it lasts so many samples; ValueError naming file and cut that is not aligned."""
    durations: dict[str, Counter[int]] = defaultdict(Counter)
    for shard in shards:
        count = 0
        for cut in read_cuts(shard):
            try:
                aligned = alignment(cut)
            except ValueError as error:
                raise ValueError(f"{shard}: {error}") from None
            for phone, _, seconds in aligned:
                durations[phone][round(seconds * SAMPLE_RATE)] += 1
            count += len(aligned)
            if count * len(shards) >= limit:
                break
    if not durations:
        raise ValueError(f"{shards[0]}: train holds no phones; durations need some")
    return durations


@dataclass(frozen=True)
class PhoneDurations:
    """Durations of phones in train.

    Attributes:
        lengths: phone -> samples of each occurrence, ascending, as (values int64 [N], cumulative counts int64 [N]).
    """

    lengths: dict[str, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def read(cls, path: str | Path, *, stress: bool) -> "PhoneDurations":
        """What the step wrote; without stress, phones that differ in stress alone are one."""
        counts: dict[str, Counter[int]] = defaultdict(Counter)
        for phone, row in read_json(path)["durations"].items():
            name = phone if stress else without_stress(phone)
            counts[name].update({int(samples): count for samples, count in row.items()})
        for phone in [phone for phone in counts if phone != SILENCE] or [SILENCE]:
            counts[ANY].update(counts[phone])
        lengths = {}
        for phone, row in counts.items():
            values = np.array(sorted(row), np.int64)
            lengths[phone] = (values, np.cumsum([row[value] for value in values.tolist()]))
        return cls(lengths)

    @property
    def phones(self) -> list[str]:
        """The phones of train."""
        return sorted(phone for phone in self.lengths if phone != ANY)

    def mean(self, phone: str) -> float:
        """Mean samples of a phone."""
        values, ends = self.lengths.get(phone, self.lengths[ANY])
        return float(np.average(values, weights=np.diff(ends, prepend=0)))

    def draw(self, phone: str, uniform: float) -> int:
        """Samples of the occurrence at the quantile `uniform` in [0, 1) of a phone's durations."""
        values, ends = self.lengths.get(phone, self.lengths[ANY])
        return int(values[np.searchsorted(ends, uniform * ends[-1], side="right")])


def frames_of(samples: np.ndarray, rate: float) -> np.ndarray:
    """Frames of consecutive phones, int64 [P]: each ends at the frame nearest to the end of all before it and itself.

    The remainder of each is carried to the next, so that their sum is within half a frame of the whole.
    """
    ends = np.floor(np.cumsum(samples) * rate / SAMPLE_RATE + 0.5).astype(np.int64)
    return np.diff(ends, prepend=0)


def main() -> None:
    """Command line of rule tokens_phone_durations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", nargs="+", required=True, help="aligned training shards")
    parser.add_argument("--output", required=True, help="phone_durations.json")
    args = parser.parse_args()
    durations = count_durations(args.cuts)
    write_json(
        args.output,
        {
            "durations": {
                phone: {str(samples): row[samples] for samples in sorted(row)}
                for phone, row in sorted(durations.items())
            }
        },
    )
    print(
        f"phone durations: {sum(row.total() for row in durations.values())} of {len(durations)} phones", file=sys.stderr
    )


if __name__ == "__main__":
    run(main)
