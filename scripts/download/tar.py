"""Verify and extract a tar while it is downloaded: the archive itself is never on the disk.

An interrupted run leaves complete members, a line for each in `members.jsonl`, and in `between.bin` the tar's bytes
outside the members' content. Together they reproduce the tar's beginning byte for byte, so the next run computes the
digest of these bytes and requests the rest. The digest of the tar is thus a digest of the files on the disk.
"""

import os
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from scripts.common.progress import Progress
from scripts.download.file import Source, SpaceCheck, algorithm, mismatch, restart_or_reject
from scripts.download.hashing import Hasher
from scripts.download.members import Member, is_intact, read_blocks, read_members, remove_members, write_member
from scripts.download.paths import inside
from scripts.download.remote import BLOCK
from scripts.download.responses import FileChangedError
from scripts.download.state import DownloadState


def fetch_tar(
    source: Source, folder: Path, state: DownloadState, require_space: SpaceCheck, name: str
) -> tuple[int, str, str, int]:
    """Extract the tar into `folder`.

    Returns:
        The tar's size, the algorithm and digest of all its bytes, and how many files it holds.

    Raises:
        OSError: no mirror gives a correct tar.
        ValueError: a member is a link or would leave the folder.
    """
    seen: set[str] = set()
    while True:
        resumed = state.members.exists() and state.members.stat().st_size > 0
        try:
            size, digest, files = _extract(source, folder, state, require_space, name)
            problem = mismatch(source, size, digest)
        except FileChangedError as reason:
            problem, resumed = str(reason), True
        except (tarfile.TarError, EOFError) as error:
            problem = f"it is not a complete tar ({error})"
        if problem is None:
            return size, algorithm(source.checksum), digest, files
        # The digest does not say which member is wrong, so all are downloaded again.
        interrupted = resumed or source.interrupted
        remove_members(folder, state.members)
        state.clear()
        source.reset()
        restart_or_reject(source, name, problem, seen, interrupted=interrupted)


class TarStream:
    """A forward-only file object over blocks: tarfile reads headers from it, `pieces` reads members' content.

    All bytes are added to the digest; bytes outside the members' content are also written to `between`.
    """

    def __init__(self, blocks: Iterator[bytes], position: int, hasher: Hasher, between: IO[bytes]):
        self.blocks, self.position, self.hasher, self.between = blocks, position, hasher, between
        self.block = memoryview(b"")
        self.last_read = b""

    def read(self, size: int) -> bytes:
        """The next bytes, which are outside the members' content; fewer at the end."""
        self.last_read = b"".join(self.pieces(size))
        self.between.write(self.last_read)
        return self.last_read

    def pieces(self, size: int) -> Iterator[memoryview]:
        """The next `size` bytes in pieces; fewer at the end."""
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
        """Offset in the tar."""
        return self.position

    def seek(self, position: int) -> None:
        """Read forward to a position."""
        if position < self.position:
            raise AssertionError("a TarStream cannot seek backwards")
        while self.position < position and self.read(min(BLOCK, position - self.position)):
            pass


def _extract(
    source: Source, folder: Path, state: DownloadState, require_space: SpaceCheck, name: str
) -> tuple[int, str, int]:
    with ExitStack() as stack:
        hasher = stack.enter_context(Hasher(algorithm(source.checksum)))
        end, files = _verify_extracted(folder, state, hasher)
        source.open(end)
        state.save_version(source.version)
        require_space(None if source.size is None else source.size - end)
        between = stack.enter_context(open(state.between, "ab"))
        members = stack.enter_context(open(state.members, "a", encoding="utf-8"))
        stream = TarStream(source.blocks(), end, hasher, between)
        progress = Progress(f"download/{name}", (source.size or 0) / 1e6, "MB")
        progress.resume(end / 1e6)
        stream.seek(-(-end // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE)
        for entry in _entries(stream):
            path = tar_target(folder, entry, name)
            if entry.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            crc = write_member(path, stream.pieces(entry.size), entry.size)
            between.flush()  # before the member's line, which relies on these bytes
            members.write(Member(entry.name, entry.offset_data, entry.size, entry.size, crc).line())
            members.flush()
            files += 1
            progress.update(stream.position / 1e6, f"{files:,} files")
        return stream.position, hasher.digest(), files


def _entries(stream: TarStream) -> Iterator[tarfile.TarInfo]:
    """The members from the stream's position on; ReadError unless the tar is terminated by zero blocks."""
    # tarfile calls read, tell and seek, and never seeks backwards unless a member's content is read through it.
    with tarfile.open(fileobj=stream, mode="r:") as archive:  # type: ignore[call-overload]
        entry, archive.firstmember = archive.firstmember, None
        while entry is not None:
            archive.members.clear()  # tarfile keeps every member otherwise: 440,000 in the largest archive
            yield entry
            entry = archive.next()
        # tarfile takes any block that is not a header for the end.
        if any(stream.last_read):
            start = stream.position - len(stream.last_read)
            raise tarfile.ReadError(f"neither a header nor a zero block at byte {start:,}")
        while rest := stream.read(BLOCK):
            if any(rest):
                raise tarfile.ReadError("data after its end")


def tar_target(folder: Path, entry: tarfile.TarInfo, name: str) -> Path:
    """The path of a member; ValueError if it is not a plain file or folder inside `folder`."""
    if not (entry.isreg() or entry.isdir()) or entry.issparse():
        raise ValueError(f"{name}: its member {entry.name!r} is neither a plain file nor a folder; refused")
    return folder if entry.isdir() and entry.name in (".", "") else inside(folder, entry.name, name)


def _verify_extracted(folder: Path, state: DownloadState, hasher: Hasher) -> tuple[int, int]:
    """Add what an earlier run extracted to the digest; return its end in the tar and its number of files.

    `members.jsonl` and `between.bin` are truncated at the first member that is missing or changed: it and all members
    after it are downloaded again.
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
            if len(gap) != member.start - end or not is_intact(path, member, content=True):
                break
            hasher.update(gap)
            for block in read_blocks(path):
                hasher.update(block)
            end, kept, used, files = member.start + member.size, line_end, between.tell(), files + 1
    os.truncate(state.members, kept)
    os.truncate(state.between, used)
    return end, files
