"""Verify and extract a tar while it is downloaded: the archive itself is never on the disk.

A run that was killed left whole members, a line for each in `members.jsonl`, and in `between.bin` every byte of the tar
that is no member's content. The two give the tar's beginning again, byte for byte, so the next run reads what stands
through the digest and asks the server for the rest. The digest of the whole is thus a digest of what is on the disk.
"""

import os
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from scripts.common.progress import Progress
from scripts.download.file import Room, Source, algorithm, begin_again_or_leave, mismatch
from scripts.download.hashing import Hasher
from scripts.download.members import Member, read_blocks, read_members, remove_members, stands, write_member
from scripts.download.paths import inside
from scripts.download.remote import BLOCK
from scripts.download.responses import Changed
from scripts.download.state import State


def fetch_tar(source: Source, folder: Path, state: State, room: Room, name: str) -> tuple[int, str, str, int]:
    """Extract the tar into `folder`.

    Returns:
        The tar's size, the algorithm and digest of all its bytes, and how many files it holds.

    Raises:
        OSError: no mirror gives a right tar.
        ValueError: a member is a link or would leave the folder.
    """
    wrong: set[str] = set()
    while True:
        resumed = state.members.exists() and state.members.stat().st_size > 0
        try:
            size, digest, files = _extract(source, folder, state, room, name)
            problem = mismatch(source, size, digest)
        except Changed as reason:
            problem, resumed = str(reason), True
        except (tarfile.TarError, EOFError) as error:
            problem = f"it is no whole tar ({error})"
        if problem is None:
            return size, algorithm(source.checksum), digest, files
        # Which member is wrong is not to be known, so all are fetched again.
        pieced = resumed or source.pieced
        remove_members(folder, state.members)
        state.forget()
        source.forget()
        begin_again_or_leave(source, name, problem, wrong, pieced=pieced)


class TarStream:
    """Blocks as the file that tarfile reads headers from, forward only; members' content is taken in pieces.

    Every byte goes to the digest; every byte but the members' content goes to `between`.
    """

    def __init__(self, blocks: Iterator[bytes], position: int, hasher: Hasher, between: IO[bytes]):
        self.blocks, self.position, self.hasher, self.between = blocks, position, hasher, between
        self.block = memoryview(b"")
        self.last = b""

    def read(self, size: int) -> bytes:
        """The next bytes, which are no member's content; fewer at the end."""
        self.last = b"".join(self.pieces(size))
        self.between.write(self.last)
        return self.last

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next bytes as they come."""
        while size:
            if not self.block:
                block = next(self.blocks, b"")
                if not block:
                    return
                self.hasher.update(block)
                self.block = memoryview(block)
            piece, self.block = self.block[:size], self.block[size:]
            size -= len(piece)
            self.position += len(piece)
            yield piece

    def tell(self) -> int:
        """Bytes from the beginning of the tar."""
        return self.position

    def seek(self, position: int) -> None:
        """Go forward."""
        if position < self.position:
            raise AssertionError("a stream has no way back")
        while self.position < position and self.read(min(BLOCK, position - self.position)):
            pass


def _extract(source: Source, folder: Path, state: State, room: Room, name: str) -> tuple[int, str, int]:
    with ExitStack() as stack:
        hasher = stack.enter_context(Hasher(algorithm(source.checksum)))
        end, files = _standing(folder, state, hasher)
        source.open(end)
        state.begin(source.version)
        room(None if source.size is None else source.size - end)
        between = stack.enter_context(open(state.between, "ab"))
        members = stack.enter_context(open(state.members, "a", encoding="utf-8"))
        stream = TarStream(source.blocks(), end, hasher, between)
        progress = Progress(f"download/{name}", (source.size or 0) / 1e6, "MB")
        progress.resume(end / 1e6)
        stream.seek(-(-end // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
        for entry in _entries(stream):
            path = _place(folder, entry, name)
            if entry.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            crc = write_member(path, stream.pieces(entry.size), entry.size)
            between.flush()  # before the line that relies on it
            members.write(Member(entry.name, entry.offset_data, entry.size, entry.size, crc).line())
            members.flush()
            files += 1
            progress.update(stream.position / 1e6, f"{files:,} files")
        return stream.position, hasher.digest(), files


def _entries(stream: TarStream) -> Iterator[tarfile.TarInfo]:
    """The members from the stream's position on; ReadError unless they end as a tar ends."""
    # tarfile asks for read, tell and seek and never goes back, as long as nobody asks it for content.
    with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]
        entry, archive.firstmember = archive.firstmember, None
        while entry is not None:
            archive.members.clear()  # else they pile up, 440,000 in the largest
            yield entry
            entry = archive.next()
        # tarfile takes anything that is no header for the end.
        if any(stream.last):
            raise tarfile.ReadError(f"neither a member nor its end at byte {stream.position - len(stream.last):,}")
        while rest := stream.read(BLOCK):
            if any(rest):
                raise tarfile.ReadError("there is something behind its end")


def _place(folder: Path, entry: tarfile.TarInfo, name: str) -> Path:
    """Where a member goes; ValueError if it may go nowhere."""
    if not (entry.isreg() or entry.isdir()) or entry.issparse():
        raise ValueError(f"{name}: its member {entry.name!r} is neither a plain file nor a folder; refused")
    return folder if entry.isdir() and entry.name in (".", "") else inside(folder, entry.name, name)


def _standing(folder: Path, state: State, hasher: Hasher) -> tuple[int, int]:
    """Read what an earlier run extracted through the digest; return where it ends in the tar, and the files.

    The first member that is not as it was written, and all after it, are to be fetched again: `members.jsonl` and
    `between.bin` are cut there.
    """
    if not (state.members.exists() and state.between.exists()):
        state.members.unlink(missing_ok=True)
        state.between.unlink(missing_ok=True)
        return 0, 0
    end = kept = used = files = 0
    with open(state.between, "rb") as between:
        for member, line_end in read_members(state.members):
            path = inside(folder, member.name, str(state.members))
            gap = between.read(member.start - end)
            if len(gap) != member.start - end or not stands(path, member, content=True):
                break
            hasher.update(gap)
            for block in read_blocks(path):
                hasher.update(block)
            end, kept, used, files = member.start + member.size, line_end, between.tell(), files + 1
    os.truncate(state.members, kept)
    os.truncate(state.between, used)
    return end, files
