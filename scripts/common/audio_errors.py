"""Two kinds of audio that cannot be used: a file that is wrong, and a file that cannot be reached.

A wrong file (missing, damaged, silent) costs its cuts, with a reason. A file that the system cannot read says nothing
about the data: reading is tried again, and at last the job ends with the file's name.
"""

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

WAITS = (1.0, 4.0, 16.0, 64.0)  # seconds before each further attempt to read a file
# Errors of network file systems and disks that may pass. Others (no permission, too many open files) do not.
PASSING = {
    getattr(errno, name)
    for name in (
        *("EIO", "ESTALE", "ETIMEDOUT", "EAGAIN", "EINTR", "EBUSY", "EREMOTEIO", "ENOTCONN", "ECONNRESET"),
        *("ECONNREFUSED", "ECONNABORTED", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ENOLINK", "ECOMM"),
    )
}
ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}  # there is no such file
BLOCK = 2**20  # bytes

T = TypeVar("T")


class AudioError(ValueError):
    """Audio that cannot be used; `reason` is its key in the tables of dropped cuts."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        # Exceptions are pickled by their args, which lack the reason.
        return type(self), (self.reason, str(self))


class NotAFileError(OSError):
    """A folder or pipe in the place of a file."""


class UnreachableError(OSError):
    """A file that exists but that the system cannot read; the message names it. No cut is dropped for it."""


def reach(path: Path, action: Callable[[], T]) -> T:
    """The result of `action`, which reads `path`, tried again after errors that may pass.

    A decoder does not tell a failed read from a damaged file. So where `action` finds the file damaged, its bytes are
    read through, and it is damaged if they can be read and `action` fails again.

    Raises:
        AudioError: `audio-missing` if there is no such file, or what `action` raised.
        UnreachableError: the file cannot be read, or vanished while it was tried.
    """
    found = confirmed = False
    waits = iter(WAITS)
    while True:
        try:
            if confirmed:
                read_through(path)
            return action()
        except AudioError as error:
            if error.reason != "audio-damaged" or confirmed:
                raise
            confirmed = True
        except (IsADirectoryError, NotAFileError):
            raise AudioError("audio-damaged", f"{path} is a folder or pipe, not a file") from None
        except OSError as error:
            if error.errno in ABSENT and not found:
                raise AudioError("audio-missing", f"{path} does not exist") from None
            wait = next(waits, None) if error.errno in PASSING | ABSENT else None
            if wait is None:
                raise unreachable(path, error) from None
            time.sleep(wait)
        found = True


def exists(path: Path) -> bool:
    """Whether there is a file; UnreachableError if the system cannot tell."""

    def look() -> bool:
        os.stat(path)
        return True

    try:
        return reach(path, look)
    except AudioError:
        return False


def unreachable(path: Path, error: OSError) -> UnreachableError:
    """The error that ends the job, with what to do."""
    why = os.strerror(error.errno) if error.errno else str(error)
    return UnreachableError(
        f"{path} is there but cannot be read ({why}); nothing was dropped for it: check the disk, then run again"
    )


def read_through(path: Path) -> None:
    """Read all bytes of a file; OSError if they cannot be read."""
    with open(path, "rb", buffering=0) as file:
        while file.read(BLOCK):
            pass
