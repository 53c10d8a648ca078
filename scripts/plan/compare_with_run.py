"""The plan against a run: seconds of every stage and rule, predicted and measured, and tokens of every modality.

`python -m scripts.plan.compare_with_run results/mini` compares the plan with the benchmark files of that run. Starts are counted
by those files; the work of a rule is predicted whole, so a rule that is not finished looks too cheap. Seconds of the
clock grow with everything else that the machine does; those of the processor are sampled and miss jobs under a second.
Near is not above twice the clock's and not below half the processor's: a run that has its machine for itself has
nearly the same of both.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from scripts.common.cli import run
from scripts.common.files import read_json
from scripts.plan import costs
from scripts.plan.amounts import Amounts
from scripts.plan.jobs import Measured, measured, recorded
from scripts.plan.make import number, table

BOUND = 2.0  # how far from the measured the predicted may be


class Row(NamedTuple):
    """A stage or rule: predicted and measured seconds of all its jobs."""

    name: str
    jobs: int
    predicted: float
    measured: float
    processor: float

    @property
    def ratio(self) -> float:
        """How many times as long as the clock's the plan is."""
        return self.predicted / self.measured if self.measured else float("nan")

    @property
    def near(self) -> bool:
        """Whether the plan is within the bound of what the clock and the processor say."""
        return min(self.measured, self.processor) / BOUND <= self.predicted <= BOUND * self.measured


def compare(config: Mapping[str, Any], times: Mapping[str, Measured]) -> tuple[list[Row], list[Row]]:
    """Stages and rules; downloads hang on the network and are left out."""
    amounts = Amounts(config)
    found = [
        Row(rule, each.jobs, costs.held_seconds(rule, each.jobs, amounts), each.seconds, each.processor_seconds)
        for rule, each in times.items()
        if costs.stage_of(rule) in costs.STAGES[1:]
    ]
    found.sort(key=lambda row: (costs.STAGES.index(costs.stage_of(row.name)), row.name))
    stages = []
    for stage in costs.STAGES:
        rows = [row for row in found if costs.stage_of(row.name) == stage]
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
    return stages, found


def as_text(rows: list[Row]) -> str:
    """A line per row."""
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
                "yes" if row.near else "NO",
            )
            for row in rows
        ),
    )


def tokens_text(config: Mapping[str, Any], results: Path) -> str:
    """Tokens of train of every modality that has stats.json, predicted and counted."""
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
    config = json.loads(path.read_text(encoding="utf-8"))
    times = recorded(args.times) if args.times else measured(args.results / "benchmarks")
    stages, rules = compare(config, times)
    print(as_text(stages), as_text(rules), tokens_text(config, args.results), sep="\n\n")


if __name__ == "__main__":
    run(main)
