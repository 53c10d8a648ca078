"""The report's rules under Snakemake, over results that stand already, up to an offline `--report`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.report import fake

PARTS = ("scripts", "workflow", "resources", "config.yaml", "envs", "tests")


def snakemake(folder: Path, *arguments: str) -> str:
    """Run the report's rules in `folder`; its stderr and stdout, or an assertion with both."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["snakemake", "-s", "tests/report/Snakefile", "--cores", "2", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def workplace(tmp_path) -> Path:
    """A copy of the project's own files, so that a run leaves nothing in the checkout."""
    for part in PARTS:
        source = Path(part)
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / part)
    return tmp_path


@pytest.mark.slow
def test_without_tasks_the_rules_ask_for_no_scores_and_the_html_stands(workplace):
    fake.write(workplace / "results/mini", modalities=("phone-raw", "phone-repeat"), tasks=())
    config = ["--configfile", "config.yaml", "overlay.json"]
    # An overlay merges; the manifest source says that the corpus is not the world's.
    (workplace / "overlay.json").write_text(json.dumps({"tasks": [], "corpus": {"source": "manifest"}}))
    text = (workplace / "config.yaml").read_text()
    drop = [f"  {name}:" for name in fake.MODALITIES if name not in ("phone-raw", "phone-repeat")]
    lines = [line for line in text.splitlines() if not line.startswith(tuple(drop))]
    (workplace / "config.yaml").write_text("\n".join(lines))
    snakemake(workplace, *config)
    report = workplace / "results/mini/report"
    tables = {"modalities", "results", "bit_breakdown", "dropped", "continuation"}
    assert {path.stem for path in (report / "tables").iterdir()} == tables
    assert {path.stem for path in (report / "figures").iterdir()} == {"training", "unit_quality", "bit_breakdown"}
    assert "Nothing to be done" in snakemake(workplace, *config)
    snakemake(workplace, *config, "--report", "report.html")
    page = (workplace / "report.html").read_text()
    for item in ("1. Summary", "2. Tables", "3. Figures", "training.svg", "This run is called"):
        assert item in page
