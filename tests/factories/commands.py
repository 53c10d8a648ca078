"""The commands of a run's jobs with what they read and write, as Snakemake prints them."""

import re
import shlex
from dataclasses import dataclass

from tests.factories.workflow import Workflow

STEP = re.compile(r"python -m (scripts\.\S+) (.*?)(?: 2>&1 \| tee .*)?$")


@dataclass(frozen=True)
class Command:
    """A step's module, its arguments, and the files and folders that its rule declares."""

    module: str
    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def commands(workflow: Workflow, *arguments: str) -> list[Command]:
    """One command of each rule of a dry run, in the order of the jobs."""
    done = workflow.snakemake("--dry-run", "--forceall", "--printshellcmds", "--nolock", *arguments)
    found: dict[str, Command] = {}
    rule, files = "", {"input": (), "output": ()}
    for line in done.stdout.splitlines():
        kind, _, rest = line.strip().partition(": ")
        if line.startswith(("rule ", "localrule ")):
            rule, files = line.split()[1].rstrip(":"), {"input": (), "output": ()}
        elif line.startswith("    ") and kind in files:
            files[kind] = tuple(rest.split(", "))
        elif match := STEP.search(line):
            words = tuple(shlex.split(match[2]))
            found.setdefault(rule, Command(match[1], words, files["input"], files["output"]))
    return list(found.values())
