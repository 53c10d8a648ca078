"""List the speakers of train: speakers.json, for phones that are told apart by speaker.

{"speakers": {name: number of cuts}}, sorted by name. At most MOST, since each has a symbol of its own for every phone.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.common.cli import run
from scripts.common.cuts import read_cuts, speaker
from scripts.common.files import read_json, write_json

MOST = 200
UNKNOWN = "?"  # the part of a speaker whom train lacks


def count_speakers(shards: Sequence[str]) -> Counter[str]:
    """Speaker -> cuts of train.

    Raises:
        ValueError: if train holds no cut, or more than MOST speakers.
    """
    speakers: Counter[str] = Counter()
    for shard in shards:
        speakers.update(speaker(cut) for cut in read_cuts(shard))
        if len(speakers) > MOST:
            raise ValueError(
                f"{shard}: train has more than {MOST} speakers; phones with the variant `speaker` would have too many"
                " symbols: leave it out of `variants`, or use fewer speakers"
            )
    if not speakers:
        raise ValueError(f"{shards[0]}: train holds no cuts; speakers need some")
    return speakers


@dataclass(frozen=True)
class Speakers:
    """The speakers of train, sorted by name."""

    names: tuple[str, ...]

    @classmethod
    def read(cls, path: str | Path) -> "Speakers":
        """What the step wrote."""
        return cls(tuple(sorted(read_json(path)["speakers"])))

    @property
    def parts(self) -> list[str]:
        """The part of each speaker in the name of a symbol, then that of unknown speakers."""
        return [*map(str, range(len(self.names))), UNKNOWN]

    def part(self, name: str) -> str:
        """The part of one speaker."""
        return str(self.names.index(name)) if name in self.names else UNKNOWN


def main() -> None:
    """Command line of rule tokens_speakers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", nargs="+", required=True, help="aligned training shards")
    parser.add_argument("--output", required=True, help="speakers.json")
    args = parser.parse_args()
    speakers = count_speakers(args.cuts)
    write_json(args.output, {"speakers": dict(sorted(speakers.items()))})
    print(f"speakers: {len(speakers)} in {speakers.total()} cuts", file=sys.stderr)


if __name__ == "__main__":
    run(main)
