"""One list of pins: the conda environments repeat it and the rules use them."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from scripts.common.imports import module_files

# They import a module that could compute on a GPU, and do not let it.
NO_USE_FOR_A_GPU = {
    "continuation_read", "continuation_recognition", "continuation_summary", "evaluation_foreign",
    "units_adopted_quality",
}  # fmt: skip
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


@pytest.mark.parametrize("rules", sorted(Path("workflow/rules").glob("*.smk")), ids=lambda p: p.stem)
def test_every_rule_that_can_use_a_gpu_asks_for_those_of_its_stage(rules: Path):
    for block in re.split(r"\n(?=\s*rule )", rules.read_text()):
        steps = re.findall(r"python -m (scripts\.[\w.]+)", block)
        able = any("cuda" in Path(file).read_text() for step in steps for file in module_files(step))
        name = block.split(":")[0].strip().removeprefix("rule ")
        if able and name not in NO_USE_FOR_A_GPU:
            assert re.search(r"\bgpu=", block), f"{name} computes on a GPU where there is one, and asks for none"
