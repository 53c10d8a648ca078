"""What dies on a cluster: jobs, the node, the controller, Snakemake; the same final bytes, and nothing done twice.

Every training here is stopped in its middle (SIGSTOP, a state of the first epoch on disk) before something is done to
it, so that no test depends on how fast the machine is.
"""

import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.factories.workflow import Workflow, digests
from tests.slurm.cluster import CGROUPS, until
from tests.slurm.conftest import Submitted, release

pytestmark = pytest.mark.slow
QUALITY = "results/smoke/units/quality.csv"
KEPT = ".snakemake/slurm_logs"  # what failed jobs printed
SCORES = "results/smoke/evaluation/swuggy/phone-bpe.csv"


def forget(submitted: Submitted, *modalities: str) -> list[str]:
    """Delete these modalities' models; returns the targets that train them again."""
    for modality in modalities:
        shutil.rmtree(submitted.folder / "results/smoke/lm" / modality)
    return [f"results/smoke/lm/{modality}/model" for modality in modalities]


def assert_same(submitted: Submitted, smoke: Workflow, *patterns: str) -> None:
    made, local = (digests(w.folder / "results/smoke", *patterns) for w in (submitted, smoke))
    assert made
    assert made == local


def model(modality: str) -> str:
    return f"lm/{modality}/[ms]*/**/*"  # model and scaling


def resumed_at(submitted: Submitted, modality: str) -> int:
    """The step after which the last try of a training went on."""
    return int(submitted.log(modality).split("going on after step ")[1].split()[0])


def test_cancelled_out_of_time_out_of_memory(after_smoke: Submitted, smoke: Workflow):
    """All in one run, side by side: each is tried again, with more of what it lacked, and ends with the same bytes."""
    for table in (SCORES, QUALITY):
        (after_smoke.folder / table).unlink()
    asked = after_smoke.overlay("cluster: {mem_mb: {units: 400}, minutes: {evaluation: 1}, gpus: {lm: 1}}")
    run = after_smoke.begin(asked, "--", *forget(after_smoke, "text-raw", "phone-raw"), QUALITY, SCORES)

    with ThreadPoolExecutor() as pool:
        pool.submit(after_smoke.hold, "scripts.evaluation.score")  # until Slurm ends it after its minute
        cancelled, warned = pool.map(after_smoke.hold_training, ("text-raw", "phone-raw"))
    after_smoke.cluster.ask("scancel", after_smoke.job("lm_train/text-raw"))
    release(cancelled)
    # Its new limit comes within the five minutes of the profile's --signal: the training is asked to end at once.
    job = after_smoke.job("lm_train/phone-raw")
    assert "gpu:1" in after_smoke.cluster.ask("scontrol", "show", "job", job)
    assert b"CUDA_VISIBLE_DEVICES=" in Path(f"/proc/{warned}/environ").read_bytes()
    after_smoke.cluster.ask("scontrol", "update", f"jobid={job}", "TimeLimit=4")
    release(warned)

    after_smoke.finish(run)
    assert after_smoke.submissions == {
        "lm_train/text-raw": 2,
        "lm_train/phone-raw": 2,
        "units_quality": 2,
        "evaluation_score/phone-bpe": 2,
    }
    for state in ("CANCELLED", "TIMEOUT", "FAILED"):
        assert f"'{state}'" in after_smoke.said
    if CGROUPS:
        assert "oom" in "".join(log.read_text() for log in after_smoke.folder.glob(KEPT + "/rule_units_quality/*.log"))
    first = 140  # steps of an epoch, after which the first state was written: the signals had later ones saved
    assert resumed_at(after_smoke, "text-raw") > first
    assert resumed_at(after_smoke, "phone-raw") > first
    assert_same(
        after_smoke, smoke, model("text-raw"), model("phone-raw"), "units/quality.csv", "evaluation/*/phone-bpe.csv"
    )


def test_node_and_controller_go_and_come(after_smoke: Submitted, smoke: Workflow):
    run = after_smoke.begin("--", *forget(after_smoke, "text-bpe", "phone-repeat"))
    slurm = after_smoke.cluster
    with ThreadPoolExecutor() as pool:
        lost = [*pool.map(after_smoke.hold_training, ("text-bpe", "phone-repeat"))]
    jobs = [after_smoke.job(f"lm_train/{modality}") for modality in ("text-bpe", "phone-repeat")]
    slurm.ask("scontrol", "update", f"nodename={slurm.node}", "state=down", "reason=test")
    until(lambda: not any(Path(f"/proc/{process}").exists() for process in lost), "the end of the jobs")
    until(lambda: not any(slurm.has_steps_of(number) for number in jobs), "the end of their steps")
    slurm.restart_node()
    for number in jobs:
        slurm.ask("scontrol", "update", f"jobid={number}", "StartTime=now")  # by itself Slurm waits two minutes

    until(lambda: after_smoke.process("scripts.lm.train", "text-bpe"), "a requeued job's training", 120)
    slurm.kill("slurmctld")
    until(lambda: (after_smoke.folder / "results/smoke/lm/text-bpe/model").exists(), "the end of a training", 240)
    slurm.start_controller()
    after_smoke.finish(run)
    # Slurm itself put the jobs back into its queue, and Snakemake went on waiting for them.
    assert after_smoke.submissions == {"lm_train/text-bpe": 1, "lm_train/phone-repeat": 1}
    for modality in ("text-bpe", "phone-repeat"):
        assert resumed_at(after_smoke, modality) >= 140
    assert_same(after_smoke, smoke, model("text-bpe"), model("phone-repeat"))


def test_snakemake_is_killed_and_started_again(after_smoke: Submitted, smoke: Workflow):
    """The job goes on without it; a second run is refused; after --unlock the finished model is taken as it is."""
    targets = forget(after_smoke, "phone-bpe")
    given = ("--set-resources", "lm_train:gpu=0", "lm_train:gres=gpu:2")  # as a site asks that knows --gres only
    first = after_smoke.begin(*given, "--", *targets)
    training = after_smoke.hold_training("phone-bpe")
    environment = Path(f"/proc/{training}/environ").read_bytes().split(b"\0")
    devices = next(item for item in environment if item.startswith(b"CUDA_VISIBLE_DEVICES="))
    assert len(devices.split(b",")) == 2

    second = after_smoke.begin("--", *targets)
    assert second.wait(timeout=120) == 1
    assert "Directory cannot be locked" in after_smoke.said

    first.kill()
    first.wait()
    os.kill(training, signal.SIGCONT)
    job = after_smoke.job("lm_train/phone-bpe")
    until(lambda: job not in after_smoke.cluster.ask("squeue", "-h", "-o", "%i").split(), "the end of the job", 240)
    assert_same(after_smoke, smoke, model("phone-bpe"))
    made = (after_smoke.folder / "results/smoke/lm/phone-bpe/model/model.safetensors").stat().st_mtime_ns

    after_smoke.snakemake(*("--configfile", "workflow/configs/smoke.yaml"), "--unlock")
    after_smoke.finish(after_smoke.begin("--", *targets))
    assert after_smoke.submissions == {"lm_train/phone-bpe": 1}
    assert (after_smoke.folder / "results/smoke/lm/phone-bpe/model/model.safetensors").stat().st_mtime_ns == made
