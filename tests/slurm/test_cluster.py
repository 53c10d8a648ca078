"""The smoke experiment as jobs of a real Slurm: the local run's bytes, groups of shards, GPUs asked for and given."""

from pathlib import Path

import pytest

from tests.factories.workflow import Workflow, digests
from tests.slurm.cluster import Cluster
from tests.slurm.conftest import Submitted

MADE = ("corpus/**/*", "alignment/**/*", "units/**/*", "tokens/**/*", "lm/*/model/*", "lm/*/scaling/**/*",
        "evaluation/**/*")  # fmt: skip


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


@pytest.mark.slow
def test_jobs_make_the_bytes_that_a_local_run_makes(submitted: Submitted, smoke: Workflow):
    """Every stage from the world's texts to a score, along the modality that needs them all."""
    submitted.finish(submitted.begin("--", "results/smoke/evaluation/swuggy/speech-hubert.csv"))
    made = digests(submitted.folder / "results/smoke", *MADE)
    local = digests(smoke.folder / "results/smoke", *MADE)
    assert len(made) > 100
    assert [name for name in made if made[name] != local.get(name)] == []

    # Neighbouring shards, two of train and one of dev, went together; all else once, each by itself.
    sent = submitted.submissions
    grouped = [name for name in sent if name.startswith(("speak_", "align_", "encode-"))]
    assert len(grouped) == 3
    assert set(sent.values()) == {1}
    assert "36 of 36 steps (100%) done" in submitted.said
    assert len(sent) == 36 - 3 * (3 - 1)
