"""Sequences of small numbers that were made elsewhere (units, tokens), found again by the id of the cut they belong to.

A folder of either kind, at any depth, the two kinds not mixed, links followed, each file read once:

    *.jsonl, *.jsonl.gz    {"id": the cut's, KEY: [17, 17, 42, ...]}, KEY being "units" or "tokens"; a text
                           of numbers between spaces will do too
    NAME.tsv and NAME.km   fairseq's: a line for the root, then "path <tab> samples" per file; and the numbers of
                           each file on the line of the same place. Its id is the path without its ending or,
                           where no path is the cut's id, the last part of it.

Alignments (scripts/alignment/import_external.py) are imported by the same pattern: the key `external` of the
configuration names a folder; data are found by the id of the cut; the step import_external writes for each shard, or
each file of task items, what the computing step would write; a side of an item without fitting data leaves the item out
of comparisons. Two things differ. Alignments are times and labels in files of their own, so they are read from these
and not from a store. And an utterance without a fitting alignment is dropped and listed, as after forced alignment,
where one without fitting units or tokens is an error.

The folder is read once, as a stream, into a store: all numbers end to end in one file, and where each sequence lies in
20 bytes per sequence (40 for fairseq's), sorted by a 64-bit hash of its id. Jobs map the store into memory.
"""

import argparse
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from pathlib import Path, PurePosixPath

import numpy as np

from scripts.common.audio_errors import exists
from scripts.common.cuts import Cut
from scripts.common.file_tree import Identity, files, identity, report_skipped
from scripts.common.files import atomic_directory, numbered_jsonl, text_lines, write_json
from scripts.common.ragged import Ragged

STREAM, ABOUT = "stream.bin", "about.json"
COLUMNS = {"id_hashes": "Q", "starts": "q", "lengths": "i"}  # uint64, int64, int32
LINES, TABLE = (".jsonl", ".jsonl.gz"), ".tsv"
REPORT_EVERY = 250_000  # sequences between two lines of progress

MAX_NAMED = 3  # cuts that an error names

Entry = tuple[str, np.ndarray, str]  # id, numbers, where they stand
Fit = Callable[[Cut, np.ndarray | None], np.ndarray | str]


def hash_id(name: str, kind: str = "id") -> int:
    """64 bits of an id; of a path's last part (`kind` tail) they are others."""
    return int.from_bytes(blake2b(f"{kind}:{name}".encode(), digest_size=8).digest(), "little")


def sequences(folder: Path, key: str, setting: str) -> Iterator[Entry]:
    """Every sequence of a folder, files in order of their names.

    Raises:
        ValueError: naming file and line, if something is not as above; naming `setting` if nothing is there.
    """
    if not folder.is_dir():
        raise ValueError(f"{setting}: {folder} is not a folder")
    lines, tables = _listing(folder)
    if bool(lines) == bool(tables):
        kinds = "both" if lines else "neither"
        raise ValueError(f"{setting}: {folder} must hold .jsonl files or fairseq's .tsv with .km; it holds {kinds}")
    for path in lines:
        for number, line in numbered_jsonl(path):
            where = f"{path}:{number}"
            if not isinstance(line.get("id"), str) or key not in line:
                raise ValueError(f"{where}: needs id and {key}, found {', '.join(line) or 'nothing'}")
            yield line["id"], _numbers(line[key], where), where
    for path in tables:
        yield from _fairseq(path)


def _listing(folder: Path) -> tuple[list[Path], list[Path]]:
    """The .jsonl files and the .tsv files below a folder, without further names of the same."""
    found = files(folder, lambda name: name.lower().endswith((*LINES, TABLE)), report_skipped)
    once: dict[tuple[Identity, ...], Path] = {}
    for path in found:
        # Two tables may list the same files for different numbers.
        parts = [path, *([values] if path.name.lower().endswith(TABLE) and (values := _values(path)) else [])]
        first = once.setdefault(tuple(map(identity, parts)), path)
        if first is not path:
            print(f"{path}: the file {first} under another name; it is read once", file=sys.stderr)
    lines = [path for path in once.values() if path.name.lower().endswith(LINES)]
    return lines, [path for path in once.values() if path.name.lower().endswith(TABLE)]


def _values(table: Path) -> Path | None:
    """The .km beside a .tsv; None if there is none."""
    return next((path for ending in (".km", ".KM") if exists(path := table.with_suffix(ending))), None)


def _fairseq(table: Path) -> Iterator[Entry]:
    values = _values(table)
    if values is None:
        raise ValueError(f"{table.with_suffix('.km')}: no such file; {table.name} needs one of the same name")
    rows = text_lines(values)
    number = 0
    for number, name in enumerate(_listed(table), start=1):
        row = next(rows, None)
        if row is None:
            raise ValueError(f"{values}: ends after line {number - 1}; {table.name} lists more files")
        yield name, _numbers(row, f"{values}:{number}"), f"{values}:{number}"
    if any(row.strip() for row in rows):
        raise ValueError(f"{values}: has more lines than the {number} files that {table.name} lists after its root")


def _listed(table: Path) -> Iterator[str]:
    """The path without its ending on each line of a fairseq .tsv but the first.

    Raises:
        ValueError: naming the line: the first has no root, or another one that is not at the end names no file.
    """
    lines = text_lines(table)
    root, _, samples = next(lines, "").strip().partition("\t")
    if not root or samples.strip().isdigit():
        found = f"a file, {root!r}, and its samples" if root else "nothing"
        raise ValueError(f"{table}:1: expected the folder that the paths are relative to (/ will do), found {found}")
    blank = 0  # the line of the first blank one
    for number, line in enumerate(lines, start=2):
        path = PurePosixPath(line.split("\t")[0].strip())
        if not line.strip():
            blank = blank or number
        elif blank or not path.name:
            raise ValueError(f"{table}:{blank or number}: names no file; expected 'path <tab> samples'")
        else:
            yield str(path.with_suffix(""))


def _numbers(given: object, where: str) -> np.ndarray:
    """int64 [T]; ValueError unless these are whole numbers from 0."""
    try:
        numbers = np.array([int(word) for word in given.split()] if isinstance(given, str) else given)
        if numbers.size == 0:
            return np.zeros(0, np.int64)
    except (ValueError, OverflowError, TypeError):
        numbers = np.zeros(1)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or numbers.min() < 0:
        raise ValueError(f"{where}: {str(given).strip()[:60]!r} is not a row of whole numbers from 0")
    return numbers.astype(np.int64)


def build(folder: Path, key: str, limit: int, setting: str, out: Path) -> int:
    """Write the store of a folder; return how many sequences it holds.

    Args:
        folder: what to read.
        key: of jsonl lines.
        limit: numbers must be below.
        setting: key of the configuration that named the folder, and the limit's, for messages.
        out: the store, a folder.

    Raises:
        ValueError: naming file and line, if a number is too large or an id appears twice; naming the folder, if it
            holds no sequence.
    """
    columns = {name: array(code) for name, code in COLUMNS.items()}
    tails: list[bool] = []
    fairseq = folder.is_dir() and bool(_listing(folder)[1])
    with atomic_directory(out) as aside:
        start = count = 0
        with open(aside / STREAM, "wb") as stream:
            for name, numbers, where in sequences(folder, key, setting):
                if len(numbers) and numbers.max() >= limit:
                    raise ValueError(f"{where}: holds {numbers.max()}; {setting} allows 0 to {limit - 1}")
                stream.write(numbers.astype("<u2").tobytes())
                kinds = {"id": name} | ({"tail": PurePosixPath(name).name} if fairseq else {})
                for kind, each in kinds.items():
                    for column, value in zip(columns.values(), (hash_id(each, kind), start, len(numbers)), strict=True):
                        column.append(value)
                    tails.append(kind == "tail")
                start += len(numbers)
                count += 1
                if count % REPORT_EVERY == 0:
                    print(f"{folder}: {count:,} sequences", file=sys.stderr)
        if not count:
            raise ValueError(f"{setting}: {folder} holds no sequences; its files are empty")
        order = np.argsort(np.frombuffer(columns["id_hashes"], np.uint64), kind="stable")
        for column_name, values in columns.items():
            np.save(aside / f"{column_name}.npy", np.frombuffer(values, np.dtype(values.typecode))[order])
        id_hashes = np.load(aside / "id_hashes.npy")
        twice = (id_hashes[1:] == id_hashes[:-1]) & ~np.array(tails, bool)[order][1:]
        if twice.any():
            raise ValueError(f"{setting}: {_repeated(folder, key, setting, int(id_hashes[1:][twice][0]))}")
        write_json(aside / ABOUT, {"clusters": limit, "sequences": count, "made by": str(folder)})
    return count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the steps that build a store take: the folder to read and the store to write."""
    parser.add_argument("--folder", type=Path, required=True, help="of jsonl files, or of fairseq's tsv and km")
    parser.add_argument("--out", type=Path, required=True, help="the store")


def _repeated(folder: Path, key: str, setting: str, wanted: int) -> str:
    """Where an id stands twice, in words."""
    places = [(name, where) for name, _, where in sequences(folder, key, setting) if hash_id(name) == wanted]
    return f"{places[0][0]!r} is in {places[0][1]} and again in {places[1][1]}"


def import_sequences(
    cuts: Iterable[Cut], store: "Store", fit: Fit, setting: str, source: str, *, items: bool
) -> tuple[Ragged, list[str]]:
    """The sequences of cuts, in the order of the cuts, and a description of each cut that has no fitting one.

    A cut without a fitting sequence is an error; but the side of a task item is left empty, and its item leaves the
    comparison of the models (scripts/evaluation/common_items.py).

    Args:
        cuts: of a shard, or all sides of all items.
        store: what `build` wrote.
        fit: from a cut and what the store has for it, if anything, to the sequence as it is used, uint16 [T], or to
            a text that says what does not fit, e.g. "has none".
        setting: key of the configuration that named the folder, for messages.
        source: the file of the cuts, for messages.
        items: whether the cuts are sides of task items.

    Raises:
        ValueError: naming `setting`, `source` and the first cuts that have no fitting sequence; not for `items`.
    """
    ids: list[str] = []
    imported: list[np.ndarray] = []
    wrong: list[str] = []
    for cut in cuts:
        fitting = fit(cut, store.get(cut["id"]))
        if isinstance(fitting, str):
            wrong.append(f"{cut['id']!r} {fitting}")
            if not items:
                continue
            fitting = np.zeros(0, np.uint16)
        ids.append(cut["id"])
        imported.append(fitting)
    if wrong and not items:
        more = f"; and {len(wrong) - MAX_NAMED} more" if len(wrong) > MAX_NAMED else ""
        raise ValueError(
            f"{setting}: {len(wrong)} of {len(wrong) + len(ids)} cuts of {source} have nothing there that fits:"
            f" {'; '.join(wrong[:MAX_NAMED])}{more}: make it, or leave the cuts out of the corpus"
        )
    return Ragged.join(ids, imported), wrong


class Store:
    """What `build` wrote, mapped into memory."""

    def __init__(self, path: str | Path):
        path = Path(path)
        self._id_hashes, self._starts, self._lengths = (
            np.load(path / f"{name}.npy", mmap_mode="r") for name in COLUMNS
        )
        empty = (path / STREAM).stat().st_size == 0  # an empty file cannot be mapped
        self._stream = np.zeros(0, np.uint16) if empty else np.memmap(path / STREAM, dtype="<u2", mode="r")

    def get(self, name: str) -> np.ndarray | None:
        """The numbers of a cut, uint16 [T], or None.

        Raises:
            ValueError: no path is the id, and it is the last part of several.
        """
        for kind in ("id", "tail"):
            wanted = np.uint64(hash_id(name, kind))
            place, end = (int(np.searchsorted(self._id_hashes, wanted, side)) for side in ("left", "right"))
            if end - place > 1:
                raise ValueError(
                    f"{name!r} is the last part of {end - place} paths; cuts must have the whole path as id"
                )
            if end > place:
                start = self._starts[place]
                return np.array(self._stream[start : start + self._lengths[place]])
        return None
