"""The extracted members of an archive: written atomically, listed, checked and repaired one by one."""

import json
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from scripts.common.progress import Progress
from scripts.download.paths import inside, part_path
from scripts.download.remote import BLOCK

LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # APPNOTE.TXT 6.3, section 4.3.7
STORED, DEFLATED = 0, 8


@dataclass(frozen=True)
class Member:
    """A line of `members.jsonl`.

    Attributes:
        name: path below the folder that the archive is extracted to.
        start: where it begins in the archive: a tar's content, a zip's local header; a tar.gz's content once unpacked.
        length: bytes that it takes there.
        size: bytes of the file.
        crc: CRC-32 of the file.
    """

    name: str
    start: int
    length: int
    size: int
    crc: int

    def line(self) -> str:
        """The member as a line of `members.jsonl`."""
        return json.dumps(asdict(self)) + "\n"


def read_members(path: Path) -> Iterator[tuple[Member, int]]:
    """Members with the byte offset at which each line ends; stops at a truncated line."""
    end = 0
    with open(path, "rb") as lines:
        for line in lines:
            try:
                member = Member(**json.loads(line))
            except (ValueError, TypeError):
                return
            end += len(line)
            yield member, end


def write_member(path: Path, pieces: Iterable[bytes | memoryview], size: int) -> int:
    """Write a file atomically; return its CRC-32. EOFError if the pieces are shorter than `size`."""
    part = part_path(path)
    crc = written = 0
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    with open(part, "wb", buffering=0) as file:
        for piece in pieces:
            crc = zlib.crc32(piece, crc)
            written += file.write(piece)
    if written != size:
        part.unlink()
        raise EOFError(f"its member {path.name} ends after {written:,} of {size:,} bytes")
    os.replace(part, path)
    return crc


def remove_members(folder: Path, members: Path) -> None:
    """Delete the listed members."""
    if members.exists():
        for member, _ in read_members(members):
            inside(folder, member.name, str(members)).unlink(missing_ok=True)


def read_blocks(path: Path) -> Iterator[bytes]:
    """A file's content in blocks."""
    with open(path, "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            yield block


def is_intact(path: Path, member: Member, content: bool) -> bool:
    """Whether a member is as it was written: its size and, if `content`, its CRC-32."""
    try:
        if path.stat().st_size != member.size:
            return False
        crc = 0
        for block in read_blocks(path) if content else ():
            crc = zlib.crc32(block, crc)
    except OSError:
        return False
    return not content or crc == member.crc


def damaged_members(folder: Path, members: Path, content: bool, size: int, name: str) -> list[Member]:
    """Members that are missing or changed since they were written, in the order of their lines."""
    changed, read = [], 0
    progress = Progress(f"check/{name}", size / 1e6, "MB")
    for member, _ in read_members(members):
        if not is_intact(inside(folder, member.name, name), member, content):
            changed.append(member)
        read += member.size
        progress.update(read / 1e6, f"{len(changed)} damaged")
    return changed


def repair_member(folder: Path, member: Member, kind: str, read: Callable[[int, int], Iterator[bytes]]) -> bool:
    """Download one member again by its byte range in the archive; return whether its CRC-32 is right now.

    Args:
        folder: where the archive is extracted to.
        member: the damaged member.
        kind: tar or zip.
        read: reads bytes of the archive, given offset and length.
    """
    pieces = read(member.start, member.length)
    path = inside(folder, member.name, member.name)
    try:
        crc = write_member(path, pieces if kind == "tar" else _unzipped(pieces, member.size), member.size)
    except (EOFError, zlib.error, struct.error):
        return False
    return crc == member.crc


def _unzipped(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The content of a zip's member, from bytes that begin at its local header; zlib.error if they do not."""
    head = b""
    while len(head) < LOCAL_HEADER.size:
        head += next(pieces, b"") or _truncated()
    magic, _, _, method, *_, name_length, extra_length = LOCAL_HEADER.unpack_from(head)
    begin = LOCAL_HEADER.size + name_length + extra_length
    while len(head) < begin:
        head += next(pieces, b"") or _truncated()
    if magic != b"PK\x03\x04" or method not in (STORED, DEFLATED):
        raise zlib.error("no local header at this offset")
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for piece in chain([head[begin:]], pieces):
        content = piece[:size] if method == STORED else inflater.decompress(piece)
        size -= len(content)
        yield content


def _truncated() -> bytes:
    raise EOFError("the archive ends in a header")
