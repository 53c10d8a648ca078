"""What is known of a dataset between runs: `.state/<name>/` below the download folder.

begun.json      the version on the server that an unfinished download is a part of
members.jsonl   an archive's members that stand extracted, in the archive's order
between.bin     of an unfinished tar: its bytes that are no member's content; of a zip: its list of members
verified.json   of a zip: the archive was whole, its content is being extracted
complete.json   written last: the dataset is whole
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripts.common.files import read_json, write_json
from scripts.download.registry import Dataset
from scripts.download.remote import Version


class State:
    """The paths and records of one dataset's state."""

    def __init__(self, folder: Path, name: str):
        self.folder = folder / ".state" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.members = self.folder / "members.jsonl"
        self.between = self.folder / "between.bin"
        self._begun = self.folder / "begun.json"
        self._verified = self.folder / "verified.json"
        self._complete = self.folder / "complete.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes away; OSError if one is at work."""
        with open(self.folder / "lock", "w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OSError(f"another process is downloading {self.folder.name} ({file.name} is locked)") from None
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                    raise
                print(f"{file.name}: this file system has no locks; run no second download of this beside it")
            yield

    def begun(self) -> Version | None:
        """The version that the parts on disk are of."""
        return Version(**read_json(self._begun)) if self._begun.exists() else None

    def begin(self, version: Version | None) -> None:
        """Remember the version before its first byte is written."""
        if version is not None:
            write_json(self._begun, asdict(version))

    def verified(self, archive: Path) -> tuple[int, str, str] | None:
        """Size, algorithm and digest of a zip that was found whole; None if it was another one."""
        if not self._verified.exists():
            return None
        which, *found = read_json(self._verified)
        return tuple(found) if which == str(archive) else None

    def verify(self, archive: Path, size: int, algorithm: str, digest: str) -> None:
        """Remember that a zip was found whole."""
        write_json(self._verified, [str(archive), size, algorithm, digest])

    def forget(self) -> None:
        """There are no parts, and the dataset is not complete."""
        for path in (self._complete, self._verified, self._begun, self.members, self.between):
            path.unlink(missing_ok=True)

    def complete(self, dataset: Dataset) -> dict[str, Any] | None:
        """The record of a completed download, None if there is none or the registry now asks for another file."""
        if not self._complete.exists():
            return None
        record = read_json(self._complete)
        checksum = dataset.checksum
        same_digest = (
            checksum is None or checksum.digest is None or record["checksum"] == {checksum.algorithm: checksum.digest}
        )
        same = record["path"] == dataset.path and record["kind"] == dataset.kind and same_digest
        return record if same and dataset.bytes in (None, record["bytes"]) else None

    def finished(self) -> bool:
        """Whether something was completed, perhaps of an older registry."""
        return self._complete.exists()

    def finish(self, dataset: Dataset, size: int, algorithm: str, digest: str, published: bool, files: int) -> None:
        """The dataset is whole: the record that says so, and nothing unfinished."""
        record = {
            "dataset": dataset.name,
            "path": dataset.path,
            "kind": dataset.kind,
            "bytes": size,
            "checksum": {algorithm: digest},
            "checksum_is": "as published" if published else "as received",
            "files": files,
        }
        os.sync()  # the record must not outlive what it vouches for
        write_json(self._complete, record)
        self.between.unlink(missing_ok=True)
        self._begun.unlink(missing_ok=True)
        self._verified.unlink(missing_ok=True)
