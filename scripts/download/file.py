"""Download one file beside its final path, and rename it when its size and digest are right.

An interrupted download leaves `.<name>.part`; the next run computes the digest of that part and resumes at its end.
"""

import gzip
import hashlib
import os
import zlib
from collections.abc import Callable
from pathlib import Path

from scripts.common.progress import Progress
from scripts.download.hashing import Hasher
from scripts.download.local import LocalFile
from scripts.download.paths import part_path
from scripts.download.registry import Checksum
from scripts.download.remote import BLOCK, RemoteFile
from scripts.download.responses import FileChangedError
from scripts.download.state import DownloadState

MAGIC = {".gz": b"\x1f\x8b", ".zip": b"PK\x03\x04"}  # first bytes; tested only where no digest is published
RESTARTS = 3  # downloads from byte 0 per mirror
Source = RemoteFile | LocalFile
SpaceCheck = Callable[[float | None], None]


def fetch_file(
    source: Source, path: Path, state: DownloadState, require_space: SpaceCheck, name: str
) -> tuple[int, str, str]:
    """Download the file to `path`, resuming a part that an earlier run left.

    Args:
        source: the mirrors, or a local file.
        path: the final path.
        state: stores the version that the part belongs to.
        require_space: raises if this many bytes (None: unknown) do not fit on the disk.
        name: prefix of progress lines.

    Returns:
        Its size in bytes, and the algorithm and digest of its content.

    Raises:
        OSError: no mirror gives a correct file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_path(path)
    seen: set[str] = set()
    while True:
        resumed, changed = part.stat().st_size if part.exists() else 0, False
        try:
            source.open(resumed)
            state.save_version(source.version)
            require_space(None if source.size is None else source.size - resumed)
            size, digest = _append(source, part, name)
            problem = _problem(source, part, size, digest)
        except FileChangedError as reason:
            problem, changed = str(reason), True
        if problem is None:
            os.replace(part, path)
            return size, algorithm(source.checksum), digest
        interrupted = changed or resumed > 0 or source.interrupted
        _discard_part(source, part, state)
        restart_or_reject(source, name, problem, seen, interrupted=interrupted)


def restart_or_reject(source: Source, name: str, problem: str, seen: set[str], *, interrupted: bool) -> None:
    """After a wrong file: download it from byte 0 again if that may help, else reject the mirror.

    An interrupted download may have joined parts of two versions, so it is repeated. A download over one connection,
    the same problem a second time, or RESTARTS different problems mean that the mirror's file itself is wrong.

    Args:
        source: the mirrors, or a local file.
        name: prefix of messages.
        problem: what is wrong with the file.
        seen: earlier problems with this mirror's file; extended here.
        interrupted: whether the download was interrupted.

    Raises:
        OSError: no mirror is left.
    """
    if interrupted and problem not in seen and len(seen) < RESTARTS:
        seen.add(problem)
        print(f"{name}: {problem}; downloading it again")
        return
    seen.clear()
    source.reject(problem)


def algorithm(checksum: Checksum | None) -> str:
    """The digest algorithm: that of the published digest, or sha256 where there is none."""
    return checksum.algorithm if checksum else "sha256"


def mismatch(source: Source, size: int, digest: str) -> str | None:
    """How a complete file of this size and digest differs from what was published, None if it does not."""
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
    if problem := mismatch(source, size, digest):
        return problem
    suffix = Path(part.name.removesuffix(".part")).suffix
    magic = MAGIC.get(suffix, b"")
    if source.digest is not None:
        return None
    with open(part, "rb") as file:
        if not file.read(4).startswith(magic):
            return f"it does not begin like a {suffix} file"
    return _gzip_problem(part) if suffix == ".gz" else None


def _gzip_problem(part: Path) -> str | None:
    """What is wrong with a gzip file by its own lengths and CRCs, the only checks where no digest is published."""
    try:
        with gzip.open(part) as file:
            while file.read(BLOCK):
                pass
    except (OSError, EOFError, zlib.error) as error:
        return f"its gzip stream is damaged ({error})"
    return None


def _discard_part(source: Source, part: Path, state: DownloadState) -> None:
    part.unlink(missing_ok=True)
    state.clear()
    source.reset()
