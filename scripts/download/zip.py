"""Download and verify a zip, then extract it from its end and truncate it after each member.

A zip's central directory is its last part, so it cannot be extracted while it is downloaded. The directory is copied
first; then the last member is extracted and the archive is truncated before it, and so on: archive and content together
take little more space than the content. A run that finds a truncated archive extends it with a hole, writes the
directory back and continues.
"""

import os
import stat
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from scripts.common.files import atomic_path
from scripts.common.progress import Progress
from scripts.download.file import SpaceCheck
from scripts.download.members import Member, is_intact, read_members, write_member
from scripts.download.paths import inside
from scripts.download.remote import BLOCK
from scripts.download.state import DownloadState

MACINTOSH = "__MACOSX/"  # macOS adds file-system metadata under this name


def extract_zip(path: Path, folder: Path, state: DownloadState, require_space: SpaceCheck, name: str, cut: bool) -> int:
    """Extract the zip into `folder`; return how many files it holds.

    Args:
        path: the archive.
        folder: where its members go.
        state: lists the extracted members and keeps the copy of the central directory.
        require_space: raises if this many bytes do not fit on the disk.
        name: prefix of messages.
        cut: truncate the archive as its members are extracted.

    Raises:
        ValueError: a member is a link, encrypted or would leave the folder.
        zipfile.BadZipFile: it is not a complete zip, or a member's CRC is wrong.
    """
    if state.between.exists() and path.stat().st_size < _directory_start(state):
        _restore_directory(path, state)
    extracted = {m.name: m for m, _ in read_members(state.members)} if state.members.exists() else {}
    with zipfile.ZipFile(path) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
        targets = {entry.filename: _target(folder, entry, name) for entry in entries}
        starts = [*(entry.header_offset for entry in entries), archive.start_dir]
        if cut and not state.between.exists():
            _save_directory(path, state, archive.start_dir)
        intact = {n for n, m in extracted.items() if n in targets and is_intact(targets[n], m, content=False)}
        remaining = [entry for entry in entries if entry.filename not in intact]
        require_space(sum(e.file_size for e in remaining) - (sum(e.compress_size for e in remaining) if cut else 0))
        progress = Progress(f"extract/{name}", len(entries), "files")
        progress.resume(len(entries) - len(remaining))
        with open(state.members, "a", encoding="utf-8") as lines:
            for done, (entry, (start, end)) in enumerate(reversed([*zip(entries, pairwise(starts), strict=True)]), 1):
                target = targets[entry.filename]
                if entry.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                elif entry.filename not in intact and not entry.filename.startswith(MACINTOSH):
                    crc = write_member(target, _content(archive, entry), entry.file_size)
                    lines.write(Member(entry.filename, start, end - start, entry.file_size, crc).line())
                    lines.flush()
                if cut:
                    os.truncate(path, start)
                progress.update(done)
    return sum(1 for e in entries if not e.is_dir() and not e.filename.startswith(MACINTOSH))


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member's content in blocks; BadZipFile at its end if its CRC is wrong."""
    with archive.open(entry) as file:
        while block := file.read(BLOCK):
            yield block


def _target(folder: Path, entry: zipfile.ZipInfo, name: str) -> Path:
    """The path of a member; ValueError if it is not a plain file or folder inside `folder`."""
    file_type = stat.S_IFMT(entry.external_attr >> 16)
    if file_type not in (0, stat.S_IFREG, stat.S_IFDIR) or entry.flag_bits & 1:
        raise ValueError(f"{name}: its member {entry.filename!r} is a link, a device or encrypted; refused")
    return inside(folder, entry.orig_filename, name)


def _save_directory(path: Path, state: DownloadState, start: int) -> None:
    """Copy the central directory to `between.bin`, after 8 bytes that hold its offset in the archive."""
    with atomic_path(state.between) as aside, open(path, "rb") as archive, open(aside, "wb") as copy:
        archive.seek(start)
        copy.write(start.to_bytes(8, "big") + archive.read())


def _directory_start(state: DownloadState) -> int:
    with open(state.between, "rb") as copy:
        return int.from_bytes(copy.read(8), "big")


def _restore_directory(path: Path, state: DownloadState) -> None:
    """Write the central directory back at its offset; a hole, which takes no space, replaces what was truncated."""
    with open(state.between, "rb") as copy, open(path, "r+b") as archive:
        start = int.from_bytes(copy.read(8), "big")
        archive.truncate(start)
        archive.seek(start)
        archive.write(copy.read())
