"""The workflow's rules, as Snakemake reads them for a configuration."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.factories.workflow import ROOT

# In a process of its own, as a Snakefile changes sys.path and the logging of the process that reads it.
READ = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
    workflow = api.workflow(
        resource_settings=ResourceSettings(cores=1),
        config_settings=ConfigSettings(config=json.loads(sys.argv[1])),
        snakefile=Path("Snakefile"),
    )._workflow
    rules = []
    for rule in workflow.rules:
        file = Path(rule.snakefile)
        environment = rule.conda_env and str((file.parent / str(rule.conda_env)).resolve())
        gpus = rule.resources["gpu"].value if "gpu" in rule.resources else 0
        rules.append(
            {"name": rule.name, "file": file.name, "shell": rule.shellcmd, "environment": environment, "gpus": gpus}
        )
    print(json.dumps(rules))
"""


@dataclass(frozen=True)
class Rule:
    """A rule: its place, its shell command and file of a conda environment (None without), its number of GPUs."""

    name: str
    file: str
    shell: str | None
    environment: str | None
    gpus: int


def read_rules(config: Mapping[str, Any]) -> list[Rule]:
    """All rules of the workflow with this configuration over the default one."""
    command = [sys.executable, "-c", READ, json.dumps(config)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [Rule(**rule) for rule in json.loads(done.stdout)]
