"""The stages have one name at every level."""

from pathlib import Path
from typing import get_args

from scripts.common.stages import STAGES
from scripts.project.config import Configuration, Sharing
from scripts.project.reference import keys
from scripts.project.share import SHARABLE


def test_readme_and_snakefile_show_the_stages_in_order():
    for page in ("README.md", "workflow/Snakefile"):
        assert " -> ".join(STAGES) in Path(page).read_text(encoding="utf-8")


def test_every_stage_has_rules_scripts_tests_and_a_section():
    sections = {key.path for key in keys(Configuration)}
    for stage in STAGES:
        assert Path(f"workflow/rules/{stage}.smk").is_file()
        assert Path(f"scripts/{stage}/config.py").is_file()
        assert Path(f"tests/{stage}").is_dir()
        assert stage in sections


def test_the_stages_that_can_be_shared_are_the_first_ones():
    assert get_args(Sharing.__annotations__["through"]) == SHARABLE == STAGES[: len(SHARABLE)]
