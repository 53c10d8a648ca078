"""The workflow itself, run in copies of the repository."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ("--configfile", "workflow/configs/smoke.yaml")


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


def copy_run(source: Path, target: Path) -> Path:
    """The smoke experiment's results and Snakemake's records of them, with their times: no job is pending."""
    (target / "results").mkdir(parents=True, exist_ok=True)
    for name in (".snakemake", "results/smoke"):
        shutil.copytree(source / name, target / name, symlinks=True)
    return target


@dataclass(frozen=True)
class Workflow:
    """A copy of the repository and how to call Snakemake in it."""

    folder: Path

    @property
    def results(self) -> Path:
        """Results of the smoke experiment."""
        return self.folder / "results/smoke"

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run snakemake on 2 cores; if it fails and `check` is set, the failure contains its output."""
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
        return jobs_in(done.stdout + done.stderr)

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        """Change the text of a file."""
        path = self.folder / name
        path.write_text(change(path.read_text()))


def jobs_in(listing: str) -> set[str]:
    """Jobs that a dry run lists, as `would_run` gives them."""
    jobs, rule = set(), None
    for line in listing.splitlines():
        if line.startswith(("rule ", "localrule ")):
            rule = line.split()[1].rstrip(":")
            jobs.add(rule)
        elif rule and line.startswith("    wildcards: "):
            for pair in line.removeprefix("    wildcards: ").split(", "):
                jobs.add(f"{rule}/{pair.split('=', 1)[1]}")
    return jobs


def digests(folder: Path, *patterns: str) -> dict[str, str]:
    """SHA-256 of the files of these patterns by name, without logs, which hold seconds."""
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for pattern in patterns
        for file in sorted(folder.glob(pattern))
        if file.is_file() and file.name != "log.csv"
    }


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file, by name."""
    found = ((path, path.lstat()) for path in folder.rglob("*"))
    return {str(path.relative_to(folder)): (stat.st_size, stat.st_mtime_ns) for path, stat in found}
