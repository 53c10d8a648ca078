"""Compare the plan with a run: predicted and measured seconds of stages and rules, and tokens of modalities.

`python -m scripts.plan.compare_with_run results/mini` compares the plan with the benchmark files of that run. The
number of jobs is that of the files; the work of a rule is predicted in full, so for an unfinished rule the prediction
is too high. Wall-clock time includes the effect of other load on the machine; processor time is sampled and misses jobs
under a second. A prediction agrees if it is at most twice the wall-clock time and at least half the shorter of the two
times; on an otherwise idle machine the two are nearly equal.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common.cli import run
from scripts.common.files import read_json
from scripts.common.stages import PIPELINE
from scripts.plan import costs
from scripts.plan.amounts import Amounts
from scripts.plan.jobs import Measured, read_benchmarks, read_times
from scripts.plan.make import number, table

BOUND = 2.0  # largest accepted ratio between predicted and measured time


class Row(NamedTuple):
    """A stage or rule: predicted and measured seconds of all its jobs."""

    name: str
    jobs: int
    predicted: float
    measured: float
    processor: float

    @property
    def ratio(self) -> float:
        """Predicted time divided by wall-clock time."""
        return self.predicted / self.measured if self.measured else float("nan")

    @property
    def agrees(self) -> bool:
        """Whether the prediction is within BOUND of wall-clock and processor time."""
        return min(self.measured, self.processor) / BOUND <= self.predicted <= BOUND * self.measured


def compare(config: Mapping[str, Any], times: Mapping[str, Measured]) -> tuple[list[Row], list[Row]]:
    """Rows of stages and of rules; downloads depend on the network and are left out."""
    amounts = Amounts(config)
    rules = [
        Row(rule, time.jobs, costs.held_seconds(rule, time.jobs, amounts), time.seconds, time.processor_seconds)
        for rule, time in times.items()
        if costs.stage_of(rule) in PIPELINE[1:]
    ]
    rules.sort(key=lambda row: (PIPELINE.index(costs.stage_of(row.name)), row.name))
    stages = []
    for stage in PIPELINE:
        rows = [row for row in rules if costs.stage_of(row.name) == stage]
        if rows:
            stages.append(
                Row(
                    stage,
                    sum(row.jobs for row in rows),
                    sum(row.predicted for row in rows),
                    sum(row.measured for row in rows),
                    sum(row.processor for row in rows),
                )
            )
    return stages, rules


def as_text(rows: list[Row]) -> str:
    """A text table of the rows."""
    return table(
        ("", "jobs", "predicted, s", "clock, s", "processor, s", "predicted / clock", f"within {BOUND:g}x"),
        (
            (
                row.name,
                f"{row.jobs:,}",
                number(row.predicted),
                number(row.measured),
                number(row.processor),
                f"{row.ratio:.2f}",
                "yes" if row.agrees else "NO",
            )
            for row in rows
        ),
    )


def tokens_text(config: Mapping[str, Any], results: Path) -> str:
    """A text table of the train tokens, predicted and counted, of every modality that has stats.json."""
    amounts = Amounts(config)
    rows = []
    for modality in config["modalities"]:
        path = results / "tokens" / modality / "stats.json"
        if path.exists():
            counted, predicted = read_json(path)["splits"]["train"]["tokens"], amounts.tokens(modality, "train")
            rows.append((modality, f"{predicted:,.0f}", f"{counted:,}", f"{predicted / counted:.2f}"))
    return table(("modality", "train tokens predicted", "counted", "predicted / counted"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("results", type=Path, help="a run's folder, results/<name>")
    parser.add_argument("--config", type=Path, help="its configuration, JSON; default: config.json in the folder")
    parser.add_argument("--times", type=Path, help="csv of times by rule, instead of the folder's benchmarks")
    args = parser.parse_args()
    path = args.config or args.results / "config.json"
    if not path.exists():
        raise ValueError(
            f"{path}: no such file; `snakemake report` writes it, `snakemake plan` writes plan/config.json"
        )
    config = read_json(path)
    times = read_times(args.times) if args.times else read_benchmarks(args.results / "benchmarks")
    stages, rules = compare(config, times)
    print(as_text(stages), as_text(rules), tokens_text(config, args.results), sep="\n\n")


if __name__ == "__main__":
    run(main)
