"""Snakemake that asks Slurm for its jobs' states every three seconds: `python -m tests.slurm.snakemake ARGUMENTS`.

The executor has no flag for this: it asks ten seconds later each time that no job has ended, up to three minutes.
"""

import sys

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

SECONDS = 3

if __name__ == "__main__":
    Executor.next_seconds_between_status_checks = property(lambda self: SECONDS, lambda self, seconds: None)
    sys.exit(main())
