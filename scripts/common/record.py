"""What packing notes of a token file, so that whoever trains on it need not read all of it again.

A note stands in the index beside the ids. It is believed as far as a look at `BLOCKS` pieces of the file, evenly
spread, confirms it: all of a small file, 4 MiB of a large one.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

BLOCKS, BLOCK_BYTES = 64, 2**16


@dataclass(frozen=True)
class Record:
    """Of one token file.

    Attributes:
        digest: of ids, lengths and tokens.
        sample: of the pieces that are looked at again.
        highest: the highest token.
        first, last: with which every utterance begins and ends; -1 if they differ or an utterance is empty.
    """

    digest: str
    sample: str
    highest: int
    first: int
    last: int

    @classmethod
    def of(cls, parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]], path: str | Path) -> "Record":
        """Of a file at `path` that is (ids, offsets, stream) of each part laid end to end; one part at a time."""
        digest, highest = blake2b(digest_size=8), -1
        firsts: set[int] = set()
        lasts: set[int] = set()
        for ids, offsets, stream in parts:
            lengths = np.diff(offsets)
            digest.update("\n".join([*ids, ""]).encode())
            digest.update(lengths.astype("<i8").tobytes())
            digest.update(stream.astype("<u2").tobytes())
            if len(stream):
                highest = max(highest, int(stream.max()))
            full = lengths > 0
            firsts.update(np.unique(stream[offsets[:-1][full]]).tolist() + [-1] * (not full.all()))
            lasts.update(np.unique(stream[offsets[1:][full] - 1]).tolist() + [-1] * (not full.all()))
        first, last = (found.pop() if len(found) == 1 else -1 for found in (firsts, lasts))
        return cls(digest.hexdigest(), sample(path), highest, first, last)

    def text(self) -> str:
        """JSON on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> "Record":
        """What `text` wrote."""
        return cls(**json.loads(text))


def sample(path: str | Path) -> str:
    """Digest of the file's size and of `BLOCKS` pieces of it, the first and the last among them."""
    size = os.path.getsize(path)
    digest = blake2b(str(size).encode(), digest_size=8)
    whole = size <= BLOCKS * BLOCK_BYTES
    with open(path, "rb") as file:
        if whole:
            digest.update(file.read())
        else:
            for number in range(BLOCKS):
                file.seek((size - BLOCK_BYTES) * number // (BLOCKS - 1))
                digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()


def hashes(ids: np.ndarray) -> np.ndarray:
    """A 64-bit number of each id, uint64 [S]; a function of the id alone."""
    return np.array(
        [int.from_bytes(blake2b(str(name).encode(), digest_size=8).digest(), "little") for name in ids], np.uint64
    )
