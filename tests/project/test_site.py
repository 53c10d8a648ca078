"""The site of the docs is built strictly: what `make docs` refuses. `make lint` builds the real one."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories.workflow import ROOT

PAGE = "# Page\n\n## A part\n\n"


def build(folder: Path, page: str) -> subprocess.CompletedProcess[str]:
    """Build a site of one page beside the entrance, with the settings and the command of `make docs`."""
    (folder / "docs").mkdir()
    shutil.copy(ROOT / "docs/site.css", folder / "docs")
    settings = (ROOT / "docs/conf.py").read_text()
    (folder / "docs/conf.py").write_text(f'{settings}\nNAVIGATION = {{"Pages": ["/docs/page"]}}\n')
    (folder / "docs/index.md").write_text("# Entrance\n\nSee [the page](page.md#a-part).\n")
    (folder / "docs/page.md").write_text(PAGE + page)
    (folder / "config.yaml").write_text("name: mini\n")
    own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    plan = subprocess.run(["make", "-n", "docs"], cwd=ROOT, env=own, capture_output=True, text=True, check=True).stdout
    words = shlex.split(plan.partition("python -m sphinx")[2].replace("\\\n", " "))
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *words], cwd=folder, capture_output=True, text=True, check=False
    )


def test_links_to_pages_parts_and_files(tmp_path: Path):
    done = build(tmp_path, "[The entrance](index.md), [this part](#a-part), [the defaults](../config.yaml)\n")
    assert done.returncode == 0, done.stderr
    assert "url=docs/index.html" in (tmp_path / "site/index.html").read_text()
    assert [path.read_text() for path in (tmp_path / "site/_downloads").rglob("config.yaml")] == ["name: mini\n"]


@pytest.mark.parametrize(
    ("page", "named"),
    [
        ("[a file](../nowhere.yaml)", "nowhere.yaml"),
        ("[a page](nowhere.md)", "nowhere.md"),
        ("[a part](#another-part)", "another-part"),
        ("![a figure](figures/nowhere.svg)", "nowhere.svg"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, page: str, named: str):
    done = build(tmp_path, page)
    assert done.returncode != 0
    assert "docs/page.md" in done.stderr
    assert named in done.stderr


def test_a_page_outside_the_navigation_is_refused(tmp_path: Path):
    (tmp_path / "README.md").write_text("# Forgotten\n")
    done = build(tmp_path, "")
    assert done.returncode != 0
    assert "README.md" in done.stderr
