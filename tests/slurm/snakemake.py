"""Snakemake that asks Slurm for its jobs' states every three seconds: `python -m tests.slurm.snakemake ARGUMENTS`.

The executor has no flag for this: it asks ten seconds later each time that no job has ended, up to three minutes.

Without an answer about MinJobAge within nine seconds, as from a controller that is down, version 2.8.0 asks sacct
instead of squeue. Without accounting sacct fails, and the executor then forgets its jobs and waits for ever
(docs/cluster.md). How long the controller is down depends on the machine's load here, so that answer is given.
"""

import sys

import snakemake_executor_plugin_slurm
from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

SECONDS = 3
MIN_JOB_AGE = 300  # seconds, as in slurm.conf (cluster.py)

if __name__ == "__main__":
    Executor.next_seconds_between_status_checks = property(lambda self: SECONDS, lambda self, seconds: None)
    snakemake_executor_plugin_slurm.get_min_job_age = lambda: MIN_JOB_AGE
    sys.exit(main())
