"""Read and write files; outputs are written atomically.

Every output of every step is written through `atomic_path` or `atomic_directory`: under a temporary name beside its
final path, then renamed. A file that exists is therefore complete.
"""

import csv
import gzip
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from isal import igzip, isal_zlib

from scripts.common.audio_errors import UnreachableError
from scripts.common.stand_ins import check_kind
from scripts.common.steady_file import open_steadily

TOO_DEEP = "its lists and mappings are nested too deeply for any file of this workflow"
MAKE_AGAIN = "The workflow writes this file whole: delete it and run again"


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name keeps its suffixes: writers such as numpy and soundfile choose a format by them.
    aside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def atomic_directory(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; it replaces `path` if the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{os.getpid()}.{path.name}")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        yield aside
        shutil.rmtree(path, ignore_errors=True)
        os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def check_writable(folder: str | Path) -> None:
    """Check that a folder can be created or written to, without creating it.

    Raises:
        ValueError: the path or a parent is not a folder, or this user may not write there.
    """
    parent = Path(folder).absolute()
    while not os.path.lexists(parent):
        parent = parent.parent
    if not parent.is_dir():
        raise ValueError(f"{folder}: {parent} is not a folder; results need one that can be written to")
    if not os.access(parent, os.W_OK | os.X_OK, effective_ids=True):
        raise ValueError(f"{folder}: no permission to write in {parent}; results need a folder that can be written to")


def read_jsonl(path: str | Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a .jsonl or .jsonl.gz file, one line at a time; errors as of `numbered_jsonl`."""
    return (item for _, item in numbered_jsonl(path))


def nonempty_jsonl(path: str | Path) -> list[dict[str, Any]]:
    """All objects of a file that the workflow never writes empty.

    Raises:
        ValueError: the file holds none; else as of `numbered_jsonl`.
    """
    if not (items := list(read_jsonl(path))):
        raise ValueError(f"{path}: is empty; expected JSON lines. {MAKE_AGAIN}")
    return items


def numbered_jsonl(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of each line and its object, without blank lines.

    Raises:
        FileNotFoundError: the file is missing.
        OSError: it cannot be opened or read (see steady_file.py).
        ValueError: naming file and line, if the gzip stream is damaged or cut off, a line is not
            UTF-8 or is not a JSON object; naming what the file is instead (see stand_ins.py).
    """
    path = Path(path)
    compressed = path.suffix.lower() == ".gz"
    try:
        check_kind(path, compressed=compressed)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file") from None
    number = 0
    try:
        with open_steadily(path) as raw, igzip.open(raw, "rb") if compressed else raw as lines:
            for number, line in enumerate(lines, start=1):
                if not line.strip():
                    continue
                try:
                    item = orjson.loads(line)
                except orjson.JSONDecodeError:
                    item = json.loads(line.decode("utf-8"))  # accepts NaN, and its errors are more precise
                    if "\\ud" in line.decode("utf-8").lower():
                        _check_unicode(item, f"{path}:{number}")
                if not isinstance(item, dict):
                    start = line.decode("utf-8").strip()[:40]
                    raise ValueError(f"{path}:{number}: expected a JSON object, found {start!r}")
                yield number, item
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{number}: not JSON ({error.msg} at column {error.colno})") from None
    except RecursionError:
        raise ValueError(f"{path}:{number}: {TOO_DEEP}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}:{number}: not UTF-8 text") from None
    except (EOFError, isal_zlib.error, OSError) as error:  # type: ignore[misc]
        if isinstance(error, UnreachableError | PermissionError | IsADirectoryError | FileNotFoundError):
            raise
        raise ValueError(f"{path}: damaged or truncated gzip after line {number} ({error})") from None


def _check_unicode(item: object, where: str) -> None:
    """ValueError if a text of this JSON has half a surrogate pair: no file can hold it."""
    try:
        json.dumps(item, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start].encode("unicode_escape").decode()
        raise ValueError(
            f"{where}: has {half}, half of a character; a file name that is not UTF-8? Rename the file"
        ) from None


def text_lines(path: str | Path) -> Iterator[str]:
    """The lines of a text file with their line ends, without a byte-order mark.

    Raises:
        ValueError: naming the file, if it is not UTF-8, and what it is instead (see stand_ins.py).
        OSError: it cannot be opened or read (see steady_file.py).
    """
    check_kind(path)
    with open_steadily(path) as raw, io.TextIOWrapper(raw, newline="", encoding="utf-8-sig") as lines:
        try:
            yield from lines
        except UnicodeDecodeError:
            raise ValueError(f"{path}: not UTF-8 text") from None


def read_text(path: str | Path) -> str:
    """All of `text_lines`."""
    return "".join(text_lines(path))


def read_yaml(path: str | Path) -> Any:
    """The content of a YAML file; ValueError names the file if it is not YAML."""
    import yaml

    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    except RecursionError:
        raise ValueError(f"{path}: {TOO_DEEP}") from None


def write_jsonl(path: str | Path, items: Iterable[Mapping[str, Any]]) -> int:
    """Write objects as .jsonl or .jsonl.gz (same items, same bytes); return their number."""
    count = 0
    with atomic_path(path) as aside, open(aside, "wb") as raw:
        # mtime=0 and no file name: the gzip header must not depend on when or where it was written.
        out = gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") if aside.suffix == ".gz" else raw
        for item in items:
            out.write(json.dumps(item, ensure_ascii=False).encode() + b"\n")
            count += 1
        if out is not raw:
            out.close()
    return count


def csv_rows(path: str | Path, columns: Sequence[str] = (), *, delimiter: str = ",") -> Iterator[dict[str, str]]:
    """Rows of a table that the workflow wrote; those of others are read by scripts/common/tables.py.

    Args:
        path: the table.
        columns: those that it must have, among others.
        delimiter: between cells.

    Raises:
        ValueError: naming file and line, if it lacks a header or a column, its quotation marks do not match, or a row
            is not as long as the header.
    """
    reader = csv.reader(text_lines(path), delimiter=delimiter, strict=True)
    try:
        names = next(reader, [])
        if not names:
            raise ValueError(f"{path}: is empty; expected a table with a header. {MAKE_AGAIN}")
        if missing := [name for name in columns if name not in names]:
            raise ValueError(f"{path}: no column {', '.join(map(repr, missing))}; found {', '.join(names)}")
        for cells in reader:
            if len(cells) != len(names):
                raise ValueError(
                    f"{path}:{reader.line_num}: has {len(cells)} cells, the header {len(names)}. {MAKE_AGAIN}"
                )
            yield dict(zip(names, cells, strict=True))
    except csv.Error as error:
        raise ValueError(f"{path}:{reader.line_num}: not a row of a table ({error}). {MAKE_AGAIN}") from None


def read_csv(path: str | Path, columns: Sequence[str] = ()) -> list[dict[str, str]]:
    """All of `csv_rows`."""
    return list(csv_rows(path, columns))


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows with exactly these columns; a row with another key is a programming error."""
    with atomic_path(path) as aside, open(aside, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_json(path: str | Path) -> Any:
    """The content of a JSON file; ValueError names the file if it is not JSON."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}: not JSON ({error.msg})") from None
    except RecursionError:
        raise ValueError(f"{path}: {TOO_DEEP}") from None


def write_json(path: str | Path, content: Any) -> None:
    """Write indented JSON."""
    with atomic_path(path) as aside:
        aside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
