"""A Slurm on this machine, and Snakemake sending jobs to it; skipped with the reason where there can be none."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster, missing
from tests.workflow.conftest import Workflow, copy_repository, smoke

__all__ = ["smoke"]  # the local run that the cluster's is compared with

# What a test cannot wait for, or has not: accounting. A user sets the same in the profile's site block.
QUICK = ["--slurm-status-command", "squeue", "--slurm-no-account", "--slurm-init-seconds-before-status-checks", "3",
         "--seconds-between-status-checks", "3", "--latency-wait", "5"]  # fmt: skip


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Slurm, up."""
    if reason := missing():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:  # a short path: a socket's has 108 characters
        slurm = Cluster(Path(folder))
        try:
            slurm.start()
            yield slurm
        finally:
            slurm.stop()


@pytest.fixture
def submitted(cluster: Cluster, tmp_path: Path) -> "Submitted":
    """A fresh copy of the repository whose jobs go to the cluster."""
    return Submitted(copy_repository(tmp_path), cluster)


class Submitted(Workflow):
    """A copy of the repository and `snakemake --profile slurm` in it."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        super().__init__(folder)
        object.__setattr__(self, "cluster", cluster)

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run; its output is in the folder's out.txt."""
        with open(self.folder / "out.txt", "a") as out:
            return subprocess.Popen(
                ["snakemake", "--profile", "slurm", *QUICK, *arguments],
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                env={**self.cluster.environment, "OMP_WAIT_POLICY": "PASSIVE"},  # type: ignore[attr-defined]
            )

    @property
    def said(self) -> str:
        """Everything that runs in this folder have printed."""
        return (self.folder / "out.txt").read_text()

    def finish(self, run: subprocess.Popen[str]) -> None:
        """Wait for a run that must succeed."""
        if run.wait(timeout=1500):
            pytest.fail(self.said[-8000:])
