"""The tests' Slurm itself: where its jobs find slurm.conf, and its accounting."""

from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster

pytestmark = pytest.mark.slow


def test_a_step_runs_in_a_job_without_slurm_conf_in_its_environment(cluster: Cluster, tmp_path: Path):
    out = tmp_path / "out"
    cluster.ask("sbatch", "--wait", "-o", str(out), "--wrap", "env -u SLURM_CONF srun -n1 hostname")
    assert out.read_text().split(".")[0].strip() == cluster.node


def test_accounting_follows_jobs(cluster: Cluster, tmp_path: Path):
    if not cluster.accounting:
        pytest.skip("a Slurm with accounting: SLURM_ACCOUNTING=1 pytest tests/slurm (every test there, on such a one)")
    done = cluster.ask("sbatch", "--parsable", "--wait", "-o", str(tmp_path / "out"), "--wrap", "exit 3", check=False)
    states = cluster.ask("sacct", "-X", "-n", "-P", "-o", "Account,State", "-j", done.strip())
    assert states.strip() == "root|FAILED"
