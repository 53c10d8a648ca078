"""One list of pins: the conda environments repeat it and the rules use them."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

PINS = {
    group: set(requirements)
    for group, requirements in tomllib.loads(Path("pyproject.toml").read_text())["dependency-groups"].items()
}


def test_every_requirement_is_pinned_exactly():
    for group, requirements in PINS.items():
        for requirement in requirements:
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", requirement), f"{group}: {requirement}"


def test_core_environment_names_the_same_pins():
    dependencies = yaml.safe_load(Path("envs/core.yaml").read_text())["dependencies"]
    assert set(dependencies[-1]["pip"]) == PINS["core"]


def test_whisper_environment_names_the_same_pins():
    dependencies = yaml.safe_load(Path("envs/whisper.yaml").read_text())["dependencies"]
    assert set(dependencies[-1]["pip"]) == PINS["core"] | PINS["whisper"]


@pytest.mark.parametrize("rules", sorted(Path("workflow/rules").glob("*.smk")), ids=lambda p: p.stem)
def test_every_rule_with_a_shell_names_an_environment_that_exists(rules: Path):
    for block in re.split(r"\n(?=rule )", rules.read_text()):
        if "shell:" in block:
            found = re.search(r'conda:\s+"([^"]+)"', block)
            assert found, f"{block.splitlines()[0]} has no conda environment"
            assert (rules.parent / found.group(1)).resolve().exists()
