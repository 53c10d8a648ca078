"""One file, downloaded beside its place and moved there when its size and digest are right.

An interrupted download leaves `.<name>.part`; the next run reads that through the digest and goes on behind it.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path

from scripts.common.progress import Progress
from scripts.download.hashing import Hasher
from scripts.download.local import Local
from scripts.download.paths import aside
from scripts.download.registry import Checksum
from scripts.download.remote import BLOCK, Remote
from scripts.download.responses import Changed
from scripts.download.state import State

MAGIC = {".gz": b"\x1f\x8b", ".zip": b"PK\x03\x04"}  # first bytes; only where nothing better is known of the content
RESTARTS = 3  # from the beginning of one mirror's file
Source = Remote | Local
Room = Callable[[float | None], None]


def fetch_file(source: Source, path: Path, state: State, room: Room, name: str) -> tuple[int, str, str]:
    """Bring the file to `path`.

    Args:
        source: where it comes from.
        path: its final place.
        state: where the version of a part is remembered.
        room: refuses if so many bytes (None: nobody knows) do not fit on the disk.
        name: what progress lines call it.

    Returns:
        Its size in bytes, and the algorithm and digest of what stands there.

    Raises:
        OSError: no mirror gives a right file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = aside(path)
    wrong: set[str] = set()
    while True:
        resumed, changed = part.stat().st_size if part.exists() else 0, False
        try:
            source.open(resumed)
            state.begin(source.version)
            room(None if source.size is None else source.size - resumed)
            size, digest = _append(source, part, name)
            problem = _problem(source, part, size, digest)
        except Changed as reason:
            problem, changed = str(reason), True
        if problem is None:
            os.replace(part, path)
            return size, algorithm(source.checksum), digest
        pieced = changed or resumed > 0 or source.pieced
        _start_over(source, part, state)
        begin_again_or_leave(source, name, problem, wrong, pieced=pieced)


def begin_again_or_leave(source: Source, name: str, problem: str, wrong: set[str], *, pieced: bool) -> None:
    """After a wrong file: from its beginning again if that may help, else to the next mirror.

    Pieces may be of different files; what came in one piece, or came out wrong in the same way before, or in
    RESTARTS ways, is wrong where it came from.

    Args:
        source: what it came from.
        name: what messages call it.
        problem: what is wrong with it.
        wrong: what was wrong with this mirror's file before; filled here.
        pieced: whether it came in pieces.

    Raises:
        OSError: no mirror is left.
    """
    if pieced and problem not in wrong and len(wrong) < RESTARTS:
        wrong.add(problem)
        print(f"{name}: {problem}; beginning again")
        return
    wrong.clear()
    source.leave(problem)


def algorithm(checksum: Checksum | None) -> str:
    """The algorithm to compute: that of the published digest, or sha256 where there is none."""
    return checksum.algorithm if checksum else "sha256"


def mismatch(source: Source, size: int, digest: str) -> str | None:
    """What is wrong with a whole file of this size and digest, None if nothing is known to be."""
    if source.size is not None and size != source.size:
        return f"it has {size:,} bytes, not {source.size:,}"
    if source.digest is not None and digest != source.digest:
        return f"its {algorithm(source.checksum)} is {digest}, not {source.digest}"
    return None


def digest_of(path: Path, method: str) -> str:
    """The digest of a file's content."""
    with open(path, "rb", buffering=0) as file:
        return hashlib.file_digest(file, lambda: hashlib.new(method, usedforsecurity=False)).hexdigest()


def _append(source: Source, part: Path, name: str) -> tuple[int, str]:
    with Hasher(algorithm(source.checksum)) as hasher, open(part, "ab+") as file:
        file.seek(0)
        while block := file.read(BLOCK):
            hasher.update(block)
        done = file.tell()
        progress = Progress(f"download/{name}", (source.size or 0) / 1e6, "MB")
        progress.resume(done / 1e6)
        for block in source.blocks():
            hasher.update(block)
            file.write(block)
            done += len(block)
            progress.update(done / 1e6)
        file.flush()
        os.fsync(file.fileno())
        return done, hasher.digest()


def _problem(source: Source, part: Path, size: int, digest: str) -> str | None:
    if size == 0:
        return "it is empty"
    if found := mismatch(source, size, digest):
        return found
    suffix = Path(part.name.removesuffix(".part")).suffix
    wanted = MAGIC.get(suffix, b"")
    if source.digest is not None:
        return None
    with open(part, "rb") as file:
        if not file.read(4).startswith(wanted):
            return f"it does not begin like a {suffix} file"
    return _gzip_problem(part) if suffix == ".gz" else None


def _gzip_problem(part: Path) -> str | None:
    """What is wrong with a gzip file by its own lengths and CRCs, the only checks where nobody publishes a digest."""
    try:
        with gzip.open(part) as file:
            while file.read(BLOCK):
                pass
    except (OSError, EOFError, zlib.error) as error:
        return f"its gzip stream is damaged ({error})"
    return None


def _start_over(source: Source, part: Path, state: State) -> None:
    part.unlink(missing_ok=True)
    state.forget()
    source.forget()
