"""The paper's whole DAG in seconds and without network access, and the resources of its jobs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from scripts.plan import costs
from scripts.plan.graph import box_of
from tests.factories.workflow import Workflow
from tests.plan.conftest import PAPER as PAPER_CONFIG

LABEL = re.compile(r">(\w+)(?:  × [\d,]+)?</text>")  # a box of a picture in docs/graphs
PAPER = ("--configfile", "workflow/configs/paper.yaml")


def counts(output: str) -> dict[str, int]:
    """Jobs per rule, from the table that a dry run ends with."""
    table = output[output.index("Job stats:") :].splitlines()
    rows = (line.split() for line in table)
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


# A process of its own: the peak that the system keeps for children is that of every child the tests ever had.
MEASURED = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, done.stdout + done.stderr, used.ru_utime, used.ru_maxrss]))
"""


@pytest.mark.slow
def test_the_whole_dag_stands_in_seconds_and_little_memory(workflow: Workflow):
    command = ["snakemake", "--cores", "2", "--dry-run", "--quiet", "rules", *PAPER]
    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, *command], cwd=workflow.folder, capture_output=True, text=True, check=True
    )
    code, output, seconds, kilobytes = json.loads(measured.stdout)
    assert code == 0, output[-3000:]
    jobs = counts(output)
    shards = yaml.safe_load(Path("workflow/configs/paper.yaml").read_text())["corpus"]["shards"]
    assert jobs["units_extract"] == sum(shards.values()) + 1  # and the prompts
    assert jobs["lm_train"] == 6
    assert jobs["download_dataset"] == len(costs.datasets(PAPER_CONFIG))
    drawn = {label for path in Path("docs/graphs").glob("*.svg") for label in LABEL.findall(path.read_text())}
    boxes = {box_of(rule) for rule in jobs if rule not in ("total", "lm_train", "download_dataset")}
    rules = {box.partition("_")[2] or box for box in boxes}
    assert rules <= drawn, "make graphs draws docs/graphs anew"
    # CPU time, not the clock, and twice what was measured: other tests run beside this one.
    assert seconds < 30
    assert kilobytes < 2_000_000
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
