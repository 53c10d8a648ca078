"""Number of jobs per rule, from Snakemake's dry run or from the benchmark files of a run."""

from pathlib import Path
from typing import NamedTuple

from scripts.common.files import csv_rows, read_csv


class Measured(NamedTuple):
    """Total times of the finished jobs of a rule."""

    jobs: int
    seconds: float
    processor_seconds: float


def dry_run_jobs(output: str) -> dict[str, int]:
    """Jobs per rule, from the table in the output of `snakemake --dry-run`.

    Raises:
        ValueError: there is no such table; the message ends with the output of Snakemake.
    """
    if "Job stats:" not in output:
        raise ValueError(f"the dry run lists no jobs; output of Snakemake: {output.strip()[-2000:]}")
    jobs = {}
    for line in output[output.index("Job stats:") :].splitlines()[1:]:
        cells = line.split()
        if len(cells) == 2 and cells[1].isdigit():
            jobs[cells[0]] = int(cells[1])
        elif not cells and jobs:
            break
    jobs.pop("total", None)
    return jobs


def read_benchmarks(benchmarks: Path) -> dict[str, Measured]:
    """Times of a run by rule; benchmarks/<stage>/<step>/... belongs to rule <stage>_<step>.

    Raises:
        ValueError: the folder holds no benchmark file, or names one that is damaged.
    """
    times: dict[str, Measured] = {}
    for path in sorted(benchmarks.rglob("*.tsv")):
        stage, step = path.relative_to(benchmarks).with_suffix("").parts[:2]
        rows = [*csv_rows(path, ("s", "cpu_time"), delimiter="\t")]
        if not rows:
            raise ValueError(f"{path}: holds no row; Snakemake writes one per job")
        values = rows[-1]
        rule = f"{stage}_{step}"
        jobs, seconds, processor = times.get(rule, Measured(0, 0.0, 0.0))
        try:
            sampled = float(values["cpu_time"]) if values["cpu_time"] not in ("-", "NA") else 0.0
            times[rule] = Measured(jobs + 1, seconds + float(values["s"]), processor + sampled)
        except ValueError as error:
            raise ValueError(f"{path}: s or cpu_time is no number of seconds ({error})") from None
    if not times:
        raise ValueError(f"{benchmarks}: no benchmark files; a run writes one per job")
    return times


def read_times(path: Path) -> dict[str, Measured]:
    """The same as `read_benchmarks` from a csv with columns rule, jobs, seconds, processor_seconds."""
    return {
        row["rule"]: Measured(int(row["jobs"]), float(row["seconds"]), float(row["processor_seconds"]))
        for row in read_csv(path)
    }
