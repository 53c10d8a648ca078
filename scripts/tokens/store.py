"""Token files: a .bin of uint16 beside an .idx.npz, as scripts.common.ragged reads them.

Besides ids and offsets, the index holds one number per utterance and column of `COLUMNS`: the counts for the statistics
are made once, when the cuts are encoded.
"""

import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from scripts.common.files import atomic_path
from scripts.common.packed_record import PackedRecord, id_hashes
from scripts.common.ragged import Ragged, index_path

# Per utterance: duration of the cut in seconds, words, frames, symbols before tokenization, <unk> tokens, phones
# without SIL, and phones that are in no frame.
COLUMNS: dict[str, np.dtype] = {
    "seconds": np.dtype("<f8"),
    "words": np.dtype("<i4"),
    "frames": np.dtype("<i4"),
    "symbols": np.dtype("<i4"),
    "unknown": np.dtype("<i4"),
    "phones": np.dtype("<i4"),
    "phones_lost": np.dtype("<i4"),
}


def save(path: str | Path, tokens: Ragged, columns: Mapping[str, Sequence[float]]) -> None:
    """Write `tokens` and exactly the columns of COLUMNS, each [S]."""
    arrays = {name: np.asarray(columns[name], dtype) for name, dtype in COLUMNS.items()}
    with atomic_path(index_path(path)) as aside:
        np.savez(aside, ids=tokens.ids, offsets=tokens.offsets, **arrays)  # type: ignore[arg-type]
    with atomic_path(path) as aside:
        tokens.stream.astype("<u2").tofile(aside)


def join(parts: Sequence[str | Path], path: str | Path) -> None:
    """Concatenate token files in order and add a PackedRecord; one part is in memory at a time.

    Raises:
        ValueError: naming the file, if the length of a part's .bin differs from its index, or an id is in two parts.
    """
    shapes = [_shape(part) for part in parts]
    total = sum(count for count, _ in shapes)
    id_type = np.dtype(f"<U{max([1, *(width for _, width in shapes)])}")
    for part in parts:
        _check_length(part, int(_column(part, "offsets")[-1]))
    order = _order(parts)
    with atomic_path(path) as aside:
        with open(aside, "wb") as out:
            for part in parts:
                with open(part, "rb") as stream:
                    shutil.copyfileobj(stream, out, 2**20)
        record = PackedRecord.compute(map(_read, parts), aside)
    with atomic_path(index_path(path)) as aside, zipfile.ZipFile(aside, "w") as archive:
        for name, dtype in {"ids": id_type, **COLUMNS}.items():
            # The members that numpy.savez would write, but one part at a time.
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                _write_header(member, dtype, total)
                for part in parts:
                    member.write(_column(part, name).astype(dtype).tobytes())
        with archive.open(zipfile.ZipInfo("offsets.npy"), "w", force_zip64=True) as member:
            _write_header(member, np.dtype("<i8"), total + 1)
            member.write(np.zeros(1, "<i8").tobytes())
            end = 0
            for part in parts:
                offsets = _column(part, "offsets")
                member.write((offsets[1:] + end).astype("<i8").tobytes())
                end += int(offsets[-1])
        for name, array in (("order", order), ("record", np.array(record.to_json()))):
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def totals(path: str | Path) -> dict[str, int | float]:
    """Totals of a token file: `utterances`, `tokens` (without <s>, </s>) and the sum of every column."""
    with _index(path) as index:
        offsets = index["offsets"]
        sums = {name: index[name].sum().item() for name in COLUMNS}
    utterances = len(offsets) - 1
    return {"utterances": utterances, "tokens": int(offsets[-1]) - 2 * utterances, **sums}


@contextmanager
def _index(path: str | Path) -> Iterator[Any]:
    """The columns of a token file's index by name; ValueError names the index if it is damaged."""
    place = index_path(path)
    try:
        with np.load(place, allow_pickle=False) as index:
            yield index
    except OSError as error:
        if error.filename:
            raise
        raise ValueError(f"{place}: not a token index ({error})") from None
    except Exception as error:  # zipfile, numpy and zlib each raise their own
        raise ValueError(f"{place}: not a token index ({error})") from None


def _column(path: str | Path, name: str) -> np.ndarray:
    with _index(path) as index:
        return index[name]


def _read(path: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ids, offsets, stream) of a token file."""
    return _column(path, "ids"), _column(path, "offsets"), np.fromfile(path, "<u2")


def _shape(path: str | Path) -> tuple[int, int]:
    """Number of utterances of a token file and the maximum length of its ids."""
    ids = _column(path, "ids")
    return len(ids), ids.dtype.itemsize // 4


def _check_length(path: str | Path, expected: int) -> None:
    actual = Path(path).stat().st_size // 2
    if actual != expected:
        raise ValueError(f"{path}: holds {actual} tokens, its index says {expected}; delete both and run again")


def _order(parts: Sequence[str | Path]) -> np.ndarray:
    """Indices of all utterances in the order of their ids' hashes, int64 [S]; ValueError if an id is in two parts."""
    part_hashes = [id_hashes(_column(part, "ids")) for part in parts]
    joined = np.concatenate([np.zeros(0, np.uint64), *part_hashes])
    order = np.argsort(joined, kind="stable")
    ascending = joined[order]
    repeated = ascending[1:][ascending[1:] == ascending[:-1]]
    if len(repeated):
        holders = [part for part, hashes in zip(parts, part_hashes, strict=True) if repeated[0] in hashes]
        ids = _column(holders[0], "ids")
        name = ids[id_hashes(ids) == repeated[0]][0]
        raise ValueError(
            f"id {str(name)!r} is in {holders[0]} and again in {holders[-1]}; ids must be unique in a split"
        )
    return order


def _write_header(member: IO[bytes], dtype: np.dtype, length: int) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (length,)}
    np.lib.format.write_array_header_1_0(member, header)
