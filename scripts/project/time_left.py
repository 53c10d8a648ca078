"""The time that the rest of a run will take: of each job by its last benchmark, else by its rule's, else by the plan.

Jobs are taken to fill all cores, except that no run ends before its longest job. What the finished jobs took, and those
that run longer than expected, relative to what was expected of them, corrects the rest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common.files import csv_rows
from scripts.common.stages import PIPELINE
from scripts.plan.amounts import Amounts
from scripts.plan.costs import held_seconds, stage_of
from scripts.plan.jobs import Measured, read_benchmarks

TARGET_SECONDS = 1.0  # jobs that the plan does not know: targets, pages
TRUST = 60.0  # seconds of finished jobs from which the correction counts more than the expectation


class Job(NamedTuple):
    """A job that a run has to do; `benchmark` is the file of its measured times, which an earlier run may have left."""

    number: int
    rule: str
    threads: int
    benchmark: Path | None


class Expected(NamedTuple):
    """Wall-clock seconds that a job will take, and the cores that it holds."""

    seconds: float
    threads: int


def expected_times(jobs: Iterable[Job], config: Mapping[str, Any], results: Path) -> dict[int, Expected]:
    """What each job will take, by its number."""
    pending = list(jobs)
    counts = Counter(job.rule for job in pending)
    measured: dict[str, Measured] = {}
    with suppress(ValueError):  # there is none yet, or one is damaged: no reason not to run
        measured = read_benchmarks(results / "benchmarks")
    amounts = Amounts(config)

    def seconds(job: Job) -> float:
        own = _last_time(job.benchmark)
        if own is not None:
            return own
        if job.rule in measured:
            return measured[job.rule].seconds / measured[job.rule].jobs
        if stage_of(job.rule) not in PIPELINE[1:]:
            return TARGET_SECONDS
        return held_seconds(job.rule, counts[job.rule], amounts) / counts[job.rule]

    return {job.number: Expected(seconds(job), job.threads) for job in pending}


def _last_time(benchmark: Path | None) -> float | None:
    if benchmark is None or not benchmark.is_file():
        return None
    with suppress(ValueError, IndexError):
        return [float(row["s"]) for row in csv_rows(benchmark, ("s",), delimiter="\t")][-1]
    return None


def seconds_left(
    expected: Mapping[int, Expected], done: Mapping[int, float], running: Mapping[int, float], cores: int
) -> float:
    """Seconds until the last job ends.

    Args:
        expected: of every job, by its number.
        done: seconds that each finished job took.
        running: seconds since each running job began.
        cores: how many the jobs share.
    """
    late = {job: seconds for job, seconds in running.items() if job in expected and seconds > expected[job].seconds}
    known = {job: seconds for job, seconds in done.items() if job in expected} | late
    correction = (sum(known.values()) + TRUST) / (sum(expected[job].seconds for job in known) + TRUST)
    left = {
        job: (max(0.0, correction * each.seconds - running.get(job, 0.0)), min(each.threads, cores))
        for job, each in expected.items()
        if job not in done
    }
    shared = sum(seconds * threads for seconds, threads in left.values()) / cores
    return max([shared, *(seconds for seconds, _ in left.values())])
