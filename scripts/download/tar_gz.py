"""Extract a tar.gz that was downloaded and verified whole.

A gzip cannot be read from its middle, so a download cannot go on where it broke and check digest and content in one
pass, as with a tar (tar.py); archive and content stand side by side until the content is complete. An interrupted
extraction reads the archive again and writes what is not there yet.
"""

import gzip
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from scripts.common.progress import Progress
from scripts.download.file import SpaceCheck
from scripts.download.members import Member, is_intact, read_members, write_member
from scripts.download.remote import BLOCK
from scripts.download.state import DownloadState
from scripts.download.tar import tar_target


def extract_tar_gz(archive: Path, folder: Path, state: DownloadState, require_space: SpaceCheck, name: str) -> int:
    """Extract the archive into `folder`; return how many files it holds.

    Args:
        archive: the archive, which is not changed.
        folder: where its members go.
        state: lists the extracted members.
        require_space: raises if this many bytes do not fit on the disk.
        name: prefix of messages.

    Raises:
        ValueError: a member is a link or device, or would leave the folder.
        tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error: it is not a complete tar.gz.
    """
    extracted: dict[str, Member] = {}
    if state.members.exists():
        lines_end = 0
        for member, line_end in read_members(state.members):
            extracted[member.name], lines_end = member, line_end
        os.truncate(state.members, lines_end)
    size = archive.stat().st_size
    require_space(max(0, size - sum(member.size for member in extracted.values())))
    progress = Progress(f"extract/{name}", size / 1e6, "MB")
    files = 0
    with (
        open(archive, "rb") as file,
        gzip.open(file) as unpacked,
        open(state.members, "a", encoding="utf-8") as lines,
    ):
        with tarfile.open(fileobj=unpacked, mode="r|") as content:
            for entry in content:
                path = tar_target(folder, entry, name)
                if entry.isdir():
                    path.mkdir(parents=True, exist_ok=True)
                    continue
                files += 1
                known = extracted.get(entry.name)
                if known is None or not is_intact(path, known, content=False):
                    crc = write_member(path, _blocks(content.extractfile(entry)), entry.size)
                    lines.write(Member(entry.name, entry.offset_data, entry.size, entry.size, crc).line())
                    lines.flush()
                content.members.clear()  # type: ignore[attr-defined]  # tarfile keeps every member otherwise
                progress.update(file.tell() / 1e6, f"{files:,} files")
        while unpacked.read(BLOCK):  # the tar's end comes before the gzip's, where its CRC-32 is compared
            pass
    return files


def _blocks(file: IO[bytes] | None) -> Iterator[bytes]:
    """A member's content in blocks."""
    assert file is not None  # tar_target has refused what is no plain file
    while block := file.read(BLOCK):
        yield block
