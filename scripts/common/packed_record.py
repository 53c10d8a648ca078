"""Summary of a packed token file, stored in its index, so that training need not read the whole file to check it.

Training trusts the summary after it has compared `BLOCKS` evenly spaced blocks of the file with the stored digest: all
of a small file, 4 MiB of a large one.
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
class PackedRecord:
    """Summary of one token file.

    Attributes:
        digest: of ids, lengths and tokens.
        sample: `sample_digest` of the file.
        highest: the highest token; -1 if there is none.
        first, last: the token that begins and the one that ends every utterance; -1 if they differ between utterances
            or an utterance is empty.
    """

    digest: str
    sample: str
    highest: int
    first: int
    last: int

    @classmethod
    def compute(cls, parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]], path: str | Path) -> "PackedRecord":
        """Summarise the file at `path`, which holds the parts end to end; one part is in memory at a time.

        Args:
            parts: ids str [S], offsets int64 [S + 1] and stream uint16 [total] of each part.
            path: the file.
        """
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
        first, last = (values.pop() if len(values) == 1 else -1 for values in (firsts, lasts))
        return cls(digest.hexdigest(), sample_digest(path), highest, first, last)

    def to_json(self) -> str:
        """JSON on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "PackedRecord":
        """The record that `to_json` wrote."""
        return cls(**json.loads(text))


def sample_digest(path: str | Path) -> str:
    """Digest of the file's size and of `BLOCKS` blocks of it, the first and the last among them."""
    size = os.path.getsize(path)
    digest = blake2b(str(size).encode(), digest_size=8)
    with open(path, "rb") as file:
        if size <= BLOCKS * BLOCK_BYTES:
            digest.update(file.read())
        else:
            for number in range(BLOCKS):
                file.seek((size - BLOCK_BYTES) * number // (BLOCKS - 1))
                digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()


def id_hashes(ids: np.ndarray) -> np.ndarray:
    """A 64-bit hash of each id, uint64 [S]; a function of the id alone."""
    return np.array(
        [int.from_bytes(blake2b(str(name).encode(), digest_size=8).digest(), "little") for name in ids], np.uint64
    )
