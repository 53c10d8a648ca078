"""Run a step's `main` and report user errors in one line."""

import os
import sys
from collections.abc import Callable


def run(main: Callable[[], None]) -> None:
    """Call a step's `main`; a user error becomes one line and exit code 1, without a traceback.

    Steps raise ValueError and OSError for errors that the user can correct (a file, a line, a config key). With
    TRACEBACK=1 these have a traceback too. Other exceptions are defects and always have one.
    """
    # Rules pipe into `tee`: without line buffering progress lines would appear late.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        main()
    except (ValueError, OSError) as error:
        if os.environ.get("TRACEBACK"):
            raise
        sys.exit(f"error: {_message(error)}")


def _message(error: ValueError | OSError) -> str:
    """What an error says; of one of the operating system's "FILE: what is wrong", without its number."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{os.fsdecode(error.filename)}: {error.strerror.lower()}"
    return str(error)
