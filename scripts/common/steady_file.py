"""Read a file whose disk may fail for a moment: a failed read is tried again, and at last ends the job with its name.

An error of the disk says nothing about the content. Without this it ends the job at once, or is taken for damage.
"""

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.common.audio_errors import ABSENT, PASSING, WAITS, unreachable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER = 2**17  # bytes


class SteadyFile(io.RawIOBase):
    """The bytes of a file in order; after an error that may pass it is opened again and continued.

    Raises:
        FileNotFoundError, PermissionError, IsADirectoryError: as of `open`.
        UnreachableError: naming the file, if it cannot be opened or read for another reason.
    """

    def __init__(self, path: str | Path):
        self._path, self._position, self._found = Path(path), 0, False
        self._file: io.FileIO | None = None
        self.readinto(bytearray())  # opens it

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer; return the number of bytes, 0 at the end of the file."""
        for wait in (*WAITS, None):
            try:
                count = self._opened().readinto(buffer)
            except OSError as error:
                self._release()
                passing = error.errno in PASSING or (self._found and error.errno in ABSENT)
                if not passing and (error.errno in ABSENT or isinstance(error, PermissionError | IsADirectoryError)):
                    raise
                if not passing or wait is None:
                    raise unreachable(self._path, error) from None
                time.sleep(wait)
            else:
                self._position += count
                return count
        raise AssertionError("the last attempt returns or raises")

    def close(self) -> None:
        self._release()
        super().close()

    def _opened(self) -> io.FileIO:
        if self._file is None:
            self._file = io.FileIO(self._path)
            self._file.seek(self._position)
            self._found = True
        return self._file

    def _release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def open_steadily(path: str | Path) -> io.BufferedReader:
    """Open a file to read its bytes from beginning to end; errors as of SteadyFile."""
    return io.BufferedReader(SteadyFile(path), BUFFER)


def read_bytes(path: str | Path) -> bytes:
    """All bytes of a file; errors as of SteadyFile."""
    with open_steadily(path) as file:
        return file.read()
