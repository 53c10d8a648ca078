"""Download and verify a zip, then extract it from its end and truncate it after each member.

A zip's list of members is its last part, so it cannot be extracted while it comes. The list is copied aside first; then
the last member is extracted and the file is cut before it, and so on: archive and content together take little more
than the content. A run that finds a cut archive lengthens it with a hole, puts the list back and goes on.
"""

import os
import stat
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from scripts.common.files import atomic_path
from scripts.common.progress import Progress
from scripts.download.file import Room
from scripts.download.members import Member, read_members, stands, write_member
from scripts.download.paths import inside
from scripts.download.remote import BLOCK
from scripts.download.state import State

MACINTOSH = "__MACOSX/"  # a Mac's zip holds its file system's notes beside every file


def extract_zip(path: Path, folder: Path, state: State, room: Room, name: str, cut: bool) -> int:
    """Extract the zip into `folder`; return how many files it holds.

    Args:
        path: the archive.
        folder: where its members go.
        state: what was extracted before; the list of members is kept there.
        room: refuses if so many bytes do not fit on the disk.
        name: what messages call it.
        cut: shorten the archive as its members are extracted.

    Raises:
        ValueError: a member is a link, encrypted or would leave the folder.
        zipfile.BadZipFile: it is no whole zip, or a member's CRC is wrong.
    """
    if state.between.exists() and path.stat().st_size < _list_start(state):
        _restore(path, state)
    before = {m.name: m for m, _ in read_members(state.members)} if state.members.exists() else {}
    with zipfile.ZipFile(path) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
        places = {entry.filename: _place(folder, entry, name) for entry in entries}
        starts = [*(entry.header_offset for entry in entries), archive.start_dir]
        if cut and not state.between.exists():
            _keep(path, state, archive.start_dir)
        here = {n for n, m in before.items() if n in places and stands(places[n], m, content=False)}
        to_come = [entry for entry in entries if entry.filename not in here]
        room(sum(e.file_size for e in to_come) - (sum(e.compress_size for e in to_come) if cut else 0))
        progress = Progress(f"extract/{name}", len(entries), "files")
        progress.resume(len(entries) - len(to_come))
        with open(state.members, "a", encoding="utf-8") as lines:
            for done, (entry, (start, end)) in enumerate(reversed([*zip(entries, pairwise(starts), strict=True)]), 1):
                place = places[entry.filename]
                if entry.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                elif entry.filename not in here and not entry.filename.startswith(MACINTOSH):
                    crc = write_member(place, _content(archive, entry), entry.file_size)
                    lines.write(Member(entry.filename, start, end - start, entry.file_size, crc).line())
                    lines.flush()
                if cut:
                    os.truncate(path, start)
                progress.update(done)
    return sum(1 for e in entries if not e.is_dir() and not e.filename.startswith(MACINTOSH))


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's content; BadZipFile at its end if its CRC is wrong."""
    with archive.open(entry) as file:
        while block := file.read(BLOCK):
            yield block


def _place(folder: Path, entry: zipfile.ZipInfo, name: str) -> Path:
    """Where a member goes; ValueError if it may go nowhere."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.flag_bits & 1:
        raise ValueError(f"{name}: its member {entry.filename!r} is a link, a device or encrypted; refused")
    return inside(folder, entry.orig_filename, name)


def _keep(path: Path, state: State, start: int) -> None:
    """Copy the list of members aside, after 8 bytes that say where it begins."""
    with atomic_path(state.between) as aside, open(path, "rb") as archive, open(aside, "wb") as copy:
        archive.seek(start)
        copy.write(start.to_bytes(8, "big") + archive.read())


def _list_start(state: State) -> int:
    with open(state.between, "rb") as copy:
        return int.from_bytes(copy.read(8), "big")


def _restore(path: Path, state: State) -> None:
    """Put the list back where it was; a hole, which takes no space, stands for what was cut."""
    with open(state.between, "rb") as copy, open(path, "r+b") as archive:
        start = int.from_bytes(copy.read(8), "big")
        archive.truncate(start)
        archive.seek(start)
        archive.write(copy.read())
