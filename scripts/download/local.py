"""A file that the user put into the folder incoming/, with the interface of `RemoteFile`."""

from collections.abc import Iterator
from pathlib import Path

from scripts.download.registry import Checksum
from scripts.download.remote import Version

BLOCK = 1 << 20  # bytes per read


class LocalFile:
    """A file on this machine; the attributes and methods that callers use are those of RemoteFile."""

    def __init__(self, path: Path, checksum: Checksum | None):
        self.path, self.checksum = path, checksum
        self.size: int | None = path.stat().st_size
        self.digest = checksum.digest if checksum else None
        self.version: Version | None = Version(str(path), self.size, str(path.stat().st_mtime_ns))
        self.offset = 0
        self.interrupted = False

    def open(self, offset: int) -> None:
        """Read from `offset` on."""
        self.offset = offset

    def blocks(self) -> Iterator[bytes]:
        """The bytes from the opened offset to the end."""
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.offset)
            while block := file.read(BLOCK):
                self.offset += len(block)
                yield block

    def reject(self, reason: str) -> None:
        """Raise OSError: there is no other copy."""
        raise OSError(f"{self.path}: {reason}; put a complete copy there, or remove it to download the file")

    def reset(self) -> None:
        """Nothing to reset: a local file has one version."""

    def close(self) -> None:
        """Nothing to close: no file is open between reads."""
