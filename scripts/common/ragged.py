"""Ragged arrays: many integer sequences in one flat array, as units and tokens are stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from scripts.common.files import atomic_path
from scripts.common.packed_record import PackedRecord, id_hashes


@dataclass(frozen=True)
class Ragged:
    """Sequences of different lengths, concatenated.

    Attributes:
        ids: str [S], one per sequence, unique.
        offsets: int64 [S + 1]; sequence i is stream[offsets[i]:offsets[i + 1]].
        stream: uint16 [total].
        made_by: fingerprint of the k-means that made the units; empty for other values.
        record: summary of a packed token file; None if the file was not packed.
        stored_order: int64 [S], `order` as stored by packing.
    """

    ids: np.ndarray
    offsets: np.ndarray
    stream: np.ndarray
    made_by: str = ""
    record: PackedRecord | None = None
    stored_order: np.ndarray | None = None

    @classmethod
    def join(cls, ids: Sequence[str], sequences: Sequence[np.ndarray]) -> "Ragged":
        """Concatenate sequences; ValueError if a value does not fit uint16 or an id repeats."""
        if len(set(ids)) != len(ids):
            repeated = next(i for i in ids if list(ids).count(i) > 1)
            raise ValueError(f"id {repeated!r} appears twice; ids must be unique within a file")
        for name, sequence in zip(ids, sequences, strict=True):
            if len(sequence) and not 0 <= np.min(sequence) <= np.max(sequence) < 2**16:
                raise ValueError(f"{name}: a value is outside 0..65535 and cannot be stored")
        lengths = np.array([len(s) for s in sequences], dtype=np.int64)
        return cls(
            ids=np.array(list(ids), dtype=np.str_),
            offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]),
            stream=np.concatenate([np.zeros(0, np.uint16), *(np.asarray(s, np.uint16) for s in sequences)]),
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.stream[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    @cached_property
    def lengths(self) -> np.ndarray:
        """int64 [S]."""
        return np.diff(self.offsets)

    @cached_property
    def order(self) -> np.ndarray:
        """Indices in the order of the ids' hashes, int64 [S]; independent of the order in which they are stored."""
        return np.argsort(id_hashes(self.ids), kind="stable") if self.stored_order is None else self.stored_order

    def by_id(self) -> dict[str, np.ndarray]:
        """Sequence per id."""
        return {str(name): self[i] for i, name in enumerate(self.ids)}

    def check(self, source: str | Path) -> None:
        """ValueError naming `source` if offsets, ids and stream are inconsistent."""
        if len(self.offsets) != len(self.ids) + 1 or self.offsets[0] != 0 or np.any(np.diff(self.offsets) < 0):
            raise ValueError(f"{source}: offsets are not a rising list of {len(self.ids) + 1} numbers from 0")
        if self.offsets[-1] != len(self.stream):
            raise ValueError(
                f"{source}: offsets end at {self.offsets[-1]}"
                f" but the stream holds {len(self.stream)} values (truncated?)"
            )


def _made_by(ragged: Ragged) -> dict[str, Any]:
    return {"made_by": np.array(ragged.made_by)} if ragged.made_by else {}


def save_npz(path: str | Path, ragged: Ragged) -> None:
    """Write ids, offsets and stream to one .npz (unit shards)."""
    with atomic_path(path) as aside:
        np.savez(aside, ids=ragged.ids, offsets=ragged.offsets, stream=ragged.stream, **_made_by(ragged))


def load_npz(path: str | Path) -> Ragged:
    """Read what `save_npz` wrote; ValueError naming the file if it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as data:
            made_by = str(data["made_by"]) if "made_by" in data else ""
            ragged = Ragged(ids=data["ids"], offsets=data["offsets"], stream=data["stream"], made_by=made_by)
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, numpy and zlib each raise their own
        raise ValueError(f"{path}: not a unit file ({error})") from None
    ragged.check(path)
    return ragged


def index_path(path: str | Path) -> Path:
    """The .idx.npz beside a .bin."""
    return Path(path).with_suffix(".idx.npz")


def save_bin(path: str | Path, ragged: Ragged) -> None:
    """Write a raw uint16 .bin (memory-mappable) and its .idx.npz (tokens)."""
    with atomic_path(index_path(path)) as aside:
        np.savez(aside, ids=ragged.ids, offsets=ragged.offsets)
    with atomic_path(path) as aside:
        ragged.stream.astype("<u2").tofile(aside)


def load_bin(path: str | Path) -> Ragged:
    """Open what `save_bin` or packing wrote; ids and stream are memory-mapped.

    Raises:
        FileNotFoundError: the .bin or its index is missing.
        ValueError: naming the file, if it is damaged.
    """
    index = index_path(path)
    try:
        with np.load(index, allow_pickle=False) as data:
            offsets = data["offsets"]
            record = PackedRecord.from_json(str(data["record"])) if "record" in data else None
            order = data.get("order")
        ids = _mapped(index, "ids.npy")
    except FileNotFoundError:
        raise
    except Exception as error:
        raise ValueError(f"{index}: not a token index ({error})") from None
    empty = Path(path).stat().st_size == 0  # an empty file cannot be memory-mapped
    stream = np.zeros(0, np.uint16) if empty else np.asarray(np.memmap(path, dtype="<u2", mode="r"))
    ragged = Ragged(ids=ids, offsets=offsets, stream=stream, record=record, stored_order=order)
    ragged.check(path)
    return ragged


def _mapped(archive: Path, name: str) -> np.ndarray:
    """Memory-map a member of an .npz, which is an uncompressed .npy."""
    with ZipFile(archive) as content, content.open(name) as member:
        if np.lib.format.read_magic(member) != (1, 0) or content.getinfo(name).compress_type:
            raise ValueError(f"{name} is compressed or of another .npy version")
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        header_bytes, start = member.tell(), content.getinfo(name).header_offset
    if not shape[0]:
        return np.zeros(shape, dtype)
    with open(archive, "rb") as file:
        file.seek(start + 26)  # lengths of name and extra field in the member's local header
        lengths = np.frombuffer(file.read(4), "<u2")
    return np.asarray(np.memmap(archive, dtype, "r", start + 30 + int(lengths.sum()) + header_bytes, shape))
