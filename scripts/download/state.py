"""The state of a dataset's download between runs: `.state/<name>/` below the download folder.

begun.json      the server's version that a partial download belongs to
members.jsonl   the members of an archive that are extracted, in the archive's order
between.bin     of a partial tar: its bytes outside the members' content; of a zip: its central directory
verified.json   of a zip or tar.gz: the archive was verified, and its extraction has begun
complete.json   written last: the dataset is complete
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


class DownloadState:
    """The files that hold one dataset's state."""

    def __init__(self, folder: Path, name: str):
        self.folder = folder / ".state" / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.members = self.folder / "members.jsonl"
        self.between = self.folder / "between.bin"
        self._version_file = self.folder / "begun.json"
        self._verified = self.folder / "verified.json"
        self._complete = self.folder / "complete.json"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold an exclusive lock on the dataset; OSError if another process holds it."""
        with open(self.folder / "lock", "w", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise OSError(f"another process is downloading {self.folder.name} ({file.name} is locked)") from None
            except OSError as error:
                if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
                    raise
                print(f"{file.name}: this file system has no locks; do not download this dataset twice at a time")
            yield

    def saved_version(self) -> Version | None:
        """The version that the part on the disk belongs to."""
        return Version(**read_json(self._version_file)) if self._version_file.exists() else None

    def save_version(self, version: Version | None) -> None:
        """Store the version before its first byte is written."""
        if version is not None:
            write_json(self._version_file, asdict(version))

    def verified(self, archive: Path) -> tuple[int, str, str] | None:
        """Size, algorithm and digest of a zip that was verified; None if this one was not."""
        if not self._verified.exists():
            return None
        path, *record = read_json(self._verified)
        return tuple(record) if path == str(archive) else None

    def save_verified(self, archive: Path, size: int, algorithm: str, digest: str) -> None:
        """Store that a zip was verified."""
        write_json(self._verified, [str(archive), size, algorithm, digest])

    def clear(self) -> None:
        """Delete the state: nothing is downloaded."""
        for path in (self._complete, self._verified, self._version_file, self.members, self.between):
            path.unlink(missing_ok=True)

    def complete_record(self, dataset: Dataset) -> dict[str, Any] | None:
        """The record of a complete download, None if there is none or the registry now names another file."""
        if not self._complete.exists():
            return None
        record = read_json(self._complete)
        checksum = dataset.checksum
        same_digest = (
            checksum is None or checksum.digest is None or record["checksum"] == {checksum.algorithm: checksum.digest}
        )
        same = record["path"] == dataset.path and record["kind"] == dataset.kind and same_digest
        return record if same and dataset.bytes in (None, record["bytes"]) else None

    def has_record(self) -> bool:
        """Whether a download was completed, possibly of an older registry's file."""
        return self._complete.exists()

    def mark_complete(
        self, dataset: Dataset, size: int, algorithm: str, digest: str, published: bool, files: int
    ) -> None:
        """Write the record of a complete download and delete the state of the partial one."""
        record = {
            "dataset": dataset.name,
            "path": dataset.path,
            "kind": dataset.kind,
            "bytes": size,
            "checksum": {algorithm: digest},
            "checksum_is": "as published" if published else "as received",
            "files": files,
        }
        os.sync()  # the data must be on the disk before the record
        write_json(self._complete, record)
        self.between.unlink(missing_ok=True)
        self._version_file.unlink(missing_ok=True)
        self._verified.unlink(missing_ok=True)
