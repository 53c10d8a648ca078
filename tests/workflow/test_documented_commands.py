"""The commands of the README and the docs, as far as a dry run shows that they work."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml

from scripts.alignment.config import resolved_oov
from scripts.common.files import write_json
from scripts.project.defaults import default_config
from scripts.project.results_format import write_format
from tests.factories.workflow import ROOT, copy_repository

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(make|snakemake)\s.*")
HISTORY = "log.md"  # of earlier versions, with their commands


def documented(command: str) -> list[str]:
    """The lines of code blocks that begin with a command, without comments, each once."""
    lines = []
    for page in PAGES:
        if page.name != HISTORY:
            for block in BLOCK.findall(page.read_text(encoding="utf-8")):
                joined = block.replace("\\\n", " ")
                lines += [line.partition(" #")[0].strip() for line in joined.splitlines() if COMMAND.match(line)]
    return sorted({line for line in lines if line.startswith(command)})


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    quiet = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False, env=quiet)


@pytest.fixture(scope="module")
def beginning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the user's configuration that the docs call mine.yaml, after `make run`'s start."""
    folder = copy_repository(tmp_path_factory.mktemp("documented"))
    (folder / "mine.yaml").write_text(yaml.safe_dump({"name": "mine"}), encoding="utf-8")
    config = default_config()
    config["alignment"]["oov"] = resolved_oov(config["alignment"]["oov"], config["corpus"]["source"])
    write_json(folder / "results/mini/config.json", config)
    write_format(folder / "results/mini")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("line", documented("snakemake"))
def test_snakemake_takes_it(beginning: Path, line: str):
    program, *arguments = shlex.split(line)
    done = run([program, "--dry-run", *arguments], beginning)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("line", documented("make"))
def test_make_has_the_target(line: str):
    done = run([*shlex.split(line), "--dry-run"], ROOT)
    assert done.returncode == 0, done.stderr


def test_there_are_commands():
    assert len(documented("snakemake")) >= 10
    assert len(documented("make")) >= 10
