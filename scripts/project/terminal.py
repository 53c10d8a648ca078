"""Run Snakemake with a display for people: `python -m scripts.project.terminal --cores 2 -- report`.

Takes Snakemake's arguments. What Snakemake and its jobs print goes to a file in .snakemake/log; the terminal gets the
lines of `scripts.project.display`.
"""

import importlib
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TextIO

from snakemake_interface_logger_plugins.common import logger_plugin_module_prefix
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry

from scripts.common.cli import run
from scripts.project import display

PLUGIN = "lines"
LOGS = Path(".snakemake/log")


def divert(log: Path) -> TextIO:
    """Send what this process and its children print to a file; the stream that they would have printed to."""
    log.parent.mkdir(parents=True, exist_ok=True)
    stream = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", errors="replace")
    with log.open("ab") as file:
        for printed in (sys.stdout, sys.stderr):
            printed.flush()
            os.dup2(file.fileno(), printed.fileno())
    return stream


def main() -> None:
    """Snakemake's command line."""
    from snakemake.cli import main as snakemake

    LoggerPluginRegistry().register_plugin(
        logger_plugin_module_prefix + PLUGIN, importlib.import_module(display.__name__)
    )
    log = LOGS / f"{datetime.now():%Y-%m-%dT%H%M%S}.terminal.log"
    display.current = display.Display(divert(log), log)
    sys.argv[0] = "snakemake"  # the name in its messages
    success = False
    try:
        snakemake(["--logger", PLUGIN, *sys.argv[1:]])
    except SystemExit as ended:
        success = ended.code in (0, None)
        raise
    finally:
        display.current.close(success)


if __name__ == "__main__":
    run(main)
