"""The thin command-line face that every step has."""

import os
import sys
from collections.abc import Callable


def run(main: Callable[[], None]) -> None:
    """Call a step's `main`; a user's mistake becomes one line and exit code 1, not a traceback.

    ValueError and OSError are how steps report what a user can mend (a file, a line, a config key).
    Set TRACEBACK=1 to see where they were raised. Anything else is a defect and keeps its traceback.
    """
    # The workflow's own shells set this; a pipe into `tee` must not delay the progress lines.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        main()
    except (ValueError, OSError) as error:
        if os.environ.get("TRACEBACK"):
            raise
        sys.exit(f"error: {error}")
