"""Which ids were met before, in 12 to 24 bytes each: a set of Python's takes 100 and eleven million cuts a gigabyte."""

from array import array
from hashlib import blake2b


class Met:
    """Open addressing on 64-bit hashes: two ids of eleven million are taken for one with probability 3e-6."""

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 << 12))
        self._count = 0

    def add(self, name: str) -> bool:
        """Remember an id; whether it is new."""
        mark = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little") or 1  # 0 is a free slot
        slots = self._slots
        mask = len(slots) - 1
        place = mark & mask
        while found := slots[place]:
            if found == mark:
                return False
            place = (place + 1) & mask
        slots[place] = mark
        self._count += 1
        if 3 * self._count > 2 * len(slots):
            self._grow()
        return True

    def _grow(self) -> None:
        larger = array("Q", bytes(16 * len(self._slots)))
        mask = len(larger) - 1
        for mark in self._slots:
            if mark:
                place = mark & mask
                while larger[place]:
                    place = (place + 1) & mask
                larger[place] = mark
        self._slots = larger
