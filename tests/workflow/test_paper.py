"""The paper's whole DAG in seconds and without the network, and what its jobs would ask of a cluster."""

import resource
from pathlib import Path

import pytest
import yaml

from tests.workflow.conftest import Workflow

PAPER = ("--configfile", "workflow/configs/paper.yaml")


def counts(output: str) -> dict[str, int]:
    """Jobs per rule, from the table that a dry run ends with."""
    table = output[output.index("Job stats:") :].splitlines()
    rows = (line.split() for line in table)
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


@pytest.mark.slow
def test_the_whole_dag_stands_in_seconds_and_little_memory(workflow: Workflow):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = workflow.snakemake("--dry-run", "--quiet", "rules", *PAPER)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    jobs = counts(done.stdout + done.stderr)
    shards = yaml.safe_load(Path("workflow/configs/paper.yaml").read_text())["corpus"]["shards"]
    assert jobs["units_extract"] == sum(shards.values()) + 1  # and the prompts
    assert jobs["lm_train"] == 6
    assert jobs["download_dataset"] >= 9
    # CPU time, not the clock, and twice what was measured: other tests run beside this one.
    assert used.ru_utime - before.ru_utime < 30
    assert used.ru_maxrss < 2_000_000
    assert not (workflow.folder / "data").exists()


def test_the_profile_is_found_by_its_name_and_every_line_says_why():
    profile = Path("slurm/config.yaml")
    assert Path("slurm").is_symlink()
    lines = profile.read_text().splitlines()
    entries = yaml.safe_load(profile.read_text())
    for key, value in entries.items():
        if not isinstance(value, dict):
            line = next(line for line in lines if line.startswith(f"{key}:"))
            assert "#" in line, f"{key} has no reason"
    assert set(entries["groups"].values()) == set(entries["group-components"])
