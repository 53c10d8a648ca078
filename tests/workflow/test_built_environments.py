"""Each environment of envs/ built for real: its packages in a fresh venv of its Python, its rules' modules in it.

Conda would bring the interpreter and take the rest from pip, which is what is done here. Gigabytes are downloaded, so
nothing is built unless BUILD_ENVIRONMENTS names environments: BUILD_ENVIRONMENTS="core whisper fairseq" pytest ...
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from scripts.project.imports import module_files
from tests.factories.rules import read_rules
from tests.workflow.test_environments import CONFIGURATIONS

WANTED = os.environ.get("BUILD_ENVIRONMENTS", "").split()
NAMES = ["core", "whisper", "gpu", "fairseq"]
# Imports that an environment may lack: steps import what they may not need when they need it.
LACKS = {"core": {"whisper"}}

pytestmark = pytest.mark.slow

HELP = """
import runpy, sys
for name in sys.argv[1:]:
    sys.argv = [name, "--help"]
    try:
        runpy.run_module(name, run_name="__main__")
    except SystemExit as end:
        assert not end.code, f"{name} --help: {end.code}"
"""


def modules_run(name: str) -> list[str]:
    """The modules that an environment runs: fairseq's one worker, or those of all rules of every configuration."""
    if name == "fairseq":
        return ["scripts.units.fairseq_worker"]
    shells = [rule.shell or "" for config in CONFIGURATIONS for rule in read_rules(config)]
    return sorted({module for shell in shells for module in re.findall(r"python -m (scripts\.[a-z_.0-9]+)", shell)})


def imported(modules: list[str]) -> set[str]:
    """Top-level names of everything outside the standard library that the modules' files import, whenever they do."""
    names = set()
    for file in {file for module in modules for file in module_files(module)}:
        for node in ast.walk(ast.parse(Path(file).read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split(".")[0])
            elif isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
    return names - set(sys.stdlib_module_names) - {"scripts"}


def run(*command: str | Path) -> None:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


@pytest.mark.parametrize("name", NAMES)
def test_an_environment_is_built_imports_and_helps(name: str, tmp_path: Path):
    if name not in WANTED:
        pytest.skip(f"BUILD_ENVIRONMENTS does not name {name}; it would be downloaded and built")
    python, pip, packages = yaml.safe_load(Path(f"envs/{name}.yaml").read_text())["dependencies"]
    version = python.removeprefix("python=")
    found = os.environ.get(f"PYTHON{version.replace('.', '')}") or shutil.which(f"python{version}")
    if found is None:
        pytest.skip(f"no Python {version} on PATH, nor in PYTHON{version.replace('.', '')}")
    run(found, "-m", "venv", tmp_path / "venv")
    inside = tmp_path / "venv/bin/python"
    install = [inside, "-m", "pip", "install", "--quiet"]
    run(*install, pip if ">" in pip else pip.replace("=", "=="), "wheel")
    if name == "core":  # the way of `make run`: the lock first, what it leaves out by its pin
        install = [
            inside,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--require-hashes",
            "-r",
            "requirements.lock",
        ]
        run(*install)
    run(inside, "-m", "pip", "install", "--quiet", *packages["pip"])
    run(inside, "-m", "pip", "check")
    modules = modules_run(name)
    needed = imported(modules) - LACKS.get(name, set())
    assert {"torch", "numpy"} <= needed
    run(inside, "-c", "\n".join(f"import {module}" for module in sorted(needed)))
    run(inside, "-c", HELP, *modules)


def test_every_environment_is_among_those_that_can_be_built():
    assert set(NAMES) == {file.stem for file in Path("envs").glob("*.yaml")}
    assert "scripts.lm.train" in modules_run("core")
    groups = tomllib.loads(Path("pyproject.toml").read_text())["dependency-groups"]
    assert LACKS["core"] == {requirement.removeprefix("openai-").split("==")[0] for requirement in groups["whisper"]}
