"""A Slurm on this machine, and Snakemake sending jobs to it; skipped with the reason where there can be none."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.factories.workflow import SMOKE, Workflow, copy_repository, copy_run
from tests.slurm.cluster import PREFIX, Cluster, missing, until

# What a test cannot wait for.
QUICK = (
    "--slurm-init-seconds-before-status-checks",
    "3",
    "--seconds-between-status-checks",
    "3",
    "--latency-wait",
    "5",
)
# What the profile's site block says of a cluster without accounting.
WITHOUT_ACCOUNTING = ("--slurm-status-command", "squeue", "--slurm-no-account")
SUBMITTED = re.compile(r"submitted with SLURM jobid (\d+) \(log: .*/slurm_logs/(?:rule|group)_(.+)/\d+\.log\)")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A running Slurm; with SLURM_ACCOUNTING=1 with a database of jobs and the unchanged profile."""
    accounting = os.environ.get("SLURM_ACCOUNTING") == "1"
    if reason := missing(accounting):
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        slurm = Cluster(Path(folder), accounting)
        try:
            slurm.start()
            yield slurm
        finally:
            slurm.stop()


@dataclass(frozen=True)
class Submitted(Workflow):
    """A copy of the repository and `snakemake --profile slurm` in it."""

    cluster: Cluster

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run of the smoke experiment; what it prints is in the folder's out.txt, after what others printed."""
        accounting = () if self.cluster.accounting else WITHOUT_ACCOUNTING
        with open(self.folder / "out.txt", "a") as out:
            return subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.slurm.snakemake",
                    "--profile",
                    "slurm",
                    *QUICK,
                    *accounting,
                    *SMOKE,
                    *arguments,
                ],
                cwd=self.folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
                env={**self.cluster.environment, "OMP_WAIT_POLICY": "PASSIVE"},
            )

    @property
    def said(self) -> str:
        """Everything that runs in this folder have printed."""
        return (self.folder / "out.txt").read_text()

    @property
    def submissions(self) -> Counter[str]:
        """How often each rule (with its wildcards) or group was sent to Slurm."""
        return Counter(what for _, what in SUBMITTED.findall(self.said))

    def finish(self, run: subprocess.Popen[str]) -> None:
        """Wait for a run that must succeed."""
        if run.wait(timeout=1500):
            pytest.fail(self.said[-8000:])

    def job(self, what: str) -> str:
        """Slurm's number of the newest job of a rule and its wildcards."""
        return [number for number, name in SUBMITTED.findall(self.said) if name == what][-1]

    def process(self, module: str, *words: str) -> int | None:
        """Id of the process of this folder that runs a module with these words among its arguments."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                given = (process / "cmdline").read_bytes().decode().split("\0")
                if given[1:3] == ["-m", module] and {*words} <= {*given} and (process / "cwd").samefile(self.folder):
                    return int(process.name)
            except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
                continue
        return None

    def hold(self, module: str, *words: str) -> int:
        """Stop that process, like one that makes no headway, as soon as it is there; returns its id."""
        until(lambda: self.process(module, *words), f"{module} {words}", 600)
        process = self.process(module, *words)
        assert process is not None
        os.kill(process, signal.SIGSTOP)
        return process

    def hold_training(self, modality: str) -> int:
        """Stop a modality's training in its middle, with a state of its first epoch on disk; returns its process."""
        states = self.folder / "results/smoke/lm" / modality / "checkpoints"
        until(lambda: [*states.glob("step-*.pt")], f"a state of {modality}", 600)
        return self.hold("scripts.lm.train", modality)

    def log(self, modality: str) -> str:
        """What the last try of a modality's training printed."""
        return (self.folder / f"results/smoke/logs/lm/train/{modality}.log").read_text()


def release(process: int) -> None:
    """Let a stopped process continue when SIGTERM is pending for it, or when it has ended."""

    def asked() -> bool:
        try:
            status = Path(f"/proc/{process}/status").read_text()
        except FileNotFoundError:
            return True
        pending = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("SigPnd", "ShdPnd"))]
        return any(mask >> (signal.SIGTERM - 1) & 1 for mask in pending) or "\nState:\tT" not in status

    until(asked, f"SIGTERM for process {process}", 150)
    if Path(f"/proc/{process}").exists():
        os.kill(process, signal.SIGCONT)


@pytest.fixture
def after_smoke(cluster: Cluster, smoke: Workflow, tmp_path: Path) -> Submitted:
    """The same with the results of the local smoke run, of which a test deletes what shall be made again."""
    return Submitted(copy_run(smoke.folder, copy_repository(tmp_path)), cluster)
