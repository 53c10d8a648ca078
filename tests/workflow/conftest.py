"""The workflow itself, run in a copy of the repository so that tests may edit it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def copy_repository(target: Path) -> Path:
    """Everything that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file() or (ROOT / name).is_symlink():  # `slurm` is a link to a folder
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    return target


@dataclass(frozen=True)
class Workflow:
    """A copy of the repository and how to call Snakemake in it."""

    folder: Path

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run snakemake on 2 cores; its output stands in the failure if it fails and `check` is set."""
        done = subprocess.run(
            ["snakemake", "--cores", "2", "--show-failed-logs", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
        )
        if check and done.returncode:
            pytest.fail(f"snakemake {' '.join(arguments)}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}")
        return done

    def overlay(self, text: str) -> str:
        """A configuration file of this content; --config knows no numbers below the first level."""
        path = self.folder / "overlay.yaml"
        path.write_text(text)
        return str(path)

    def would_run(self, *arguments: str) -> set[str]:
        """Rules with a job in a dry run, and again with every wildcard's value: "lm_train", "lm_train/text-bpe"."""
        done = self.snakemake("--dry-run", *arguments)
        jobs, rule = set(), None
        for line in (done.stdout + done.stderr).splitlines():
            if line.startswith(("rule ", "localrule ")):
                rule = line.split()[1].rstrip(":")
                jobs.add(rule)
            elif rule and line.startswith("    wildcards: "):
                for pair in line.removeprefix("    wildcards: ").split(", "):
                    jobs.add(f"{rule}/{pair.split('=', 1)[1]}")
        return jobs

    @contextmanager
    def edited(self, name: str, change: Callable[[str], str]) -> Iterator[None]:
        """A file with its text changed; afterwards it is as it was, to the second of its last change."""
        path = self.folder / name
        before, times = path.read_text(), path.stat()
        path.write_text(change(before))
        try:
            yield
        finally:
            path.write_text(before)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture
def workflow(tmp_path: Path) -> Workflow:
    """A fresh copy for this test alone."""
    return Workflow(copy_repository(tmp_path))


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The smoke experiment, run once up to its report, for all folders of tests that import this."""
    folder = tmp_path_factory.getbasetemp() / "smoke"
    if folder.exists():
        return Workflow(folder)
    copy = Workflow(copy_repository(folder))
    copy.snakemake("--configfile", "workflow/configs/smoke.yaml", "--", "report")
    return copy
