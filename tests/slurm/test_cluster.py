"""The Slurm that the tests bring up runs a job and a step in it, as Snakemake's executor starts them."""

from pathlib import Path

from tests.slurm.cluster import Cluster


def test_a_step_runs_in_a_job_without_slurm_conf_in_its_environment(cluster: Cluster, tmp_path: Path):
    out = tmp_path / "out"
    cluster.ask("sbatch", "--wait", "-o", str(out), "--wrap", "env -u SLURM_CONF srun -n1 hostname")
    assert out.read_text().split(".")[0].strip() == cluster.node
