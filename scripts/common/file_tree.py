"""The folders below a folder, each once, whatever links lead to it."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from scripts.common.audio_errors import reach

Identity = tuple[int, int]  # device and inode
Skipped = Callable[[Path, Path], None]
Entries = list["os.DirEntry[str]"]


def walk(folder: Path, skipped: Skipped) -> Iterator[tuple[Path, Entries]]:
    """(folder, what it holds besides folders, in order of name) of `folder` and every folder below it.

    Links to folders are followed. A folder that several names lead to is given under one of them: a name without a
    link on the way, else the first in order. A link to a folder above `folder` is not followed.

    Args:
        folder: where to begin.
        skipped: called with each other name of a folder, and the name under which it is given.

    Raises:
        UnreachableError: naming a folder that cannot be read.
    """
    seen = {identity(parent): parent for parent in folder.resolve().parents}
    links = [folder]
    while links:
        later: list[Path] = []
        for start in sorted(links):
            yield from _walk(start, seen, later, skipped)
        links = later


def _walk(
    folder: Path, seen: dict[Identity, Path], links: list[Path], skipped: Skipped
) -> Iterator[tuple[Path, Entries]]:
    """The same, but the links to folders are appended to `links`."""
    first = seen.setdefault(identity(folder), folder)
    if first is not folder:
        skipped(folder, first)
        return
    files, folders = [], []
    for entry in reach(folder, lambda: _entries(folder)):
        if not entry.is_symlink() and entry.is_dir():
            folders.append(Path(entry.path))
        elif entry.is_symlink() and os.path.isdir(entry.path):
            links.append(Path(entry.path))
        else:
            files.append(entry)
    yield folder, files
    for path in folders:
        yield from _walk(path, seen, links, skipped)


def files(folder: Path, wanted: Callable[[str], bool], skipped: Skipped) -> list[Path]:
    """The files below a folder whose names are wanted, as `walk` finds them, in order of their paths."""
    return sorted(Path(entry.path) for _, entries in walk(folder, skipped) for entry in entries if wanted(entry.name))


def report_skipped(path: Path, first: Path) -> None:
    """Say on stderr that a folder is read under another name."""
    print(f"{path}: the folder {first} under another name; it is read once", file=sys.stderr)


def _entries(folder: Path) -> Entries:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def identity(path: Path) -> Identity:
    """Device and inode of a file or folder, whatever its name.

    Raises:
        AudioError: `audio-missing` if there is none.
        UnreachableError: the system cannot tell.
    """
    status = reach(path, path.stat)
    return status.st_dev, status.st_ino
