"""Shared objects of several workers of pytest-xdist, made once by the first worker while the others wait."""

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest


def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of the whole session, the same for every worker of pytest-xdist."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


def make_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Call `make` on an empty `folder`, unless it has been made.

    The kernel releases the lock of a process that is killed. What failed for one worker fails for the others without
    a second try.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    done, failed = folder.with_name(f".{folder.name}.done"), folder.with_name(f".{folder.name}.failed")
    with open(folder.with_name(f".{folder.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if failed.exists():
            pytest.fail(f"{folder.name} could not be made: {failed.read_text()}")
        if not done.exists():
            folder.mkdir()
            try:
                make(folder)
            except BaseException as error:
                failed.write_text(str(error))
                raise
            done.touch()
    return folder
