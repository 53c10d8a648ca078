"""A file that the user put into the folder incoming/, with the interface of `Remote`."""

from collections.abc import Iterator
from pathlib import Path

from scripts.download.registry import Checksum
from scripts.download.remote import Version

BLOCK = 1 << 20


class Local:
    """A file on this machine; the attributes and methods that consumers use are those of Remote."""

    def __init__(self, path: Path, checksum: Checksum | None):
        self.path, self.checksum = path, checksum
        self.size: int | None = path.stat().st_size
        self.digest = checksum.digest if checksum else None
        self.version: Version | None = Version(str(path), self.size, str(path.stat().st_mtime_ns))
        self.offset = 0
        self.pieced = False

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

    def leave(self, reason: str) -> None:
        """There is no other copy: OSError."""
        raise OSError(f"{self.path}: {reason}; put a whole copy there, or take it away to have it fetched")

    def forget(self) -> None:
        """The file is what it is."""

    def close(self) -> None:
        """Nothing is open between reads."""
