"""Runs on a real Slurm: the bytes of a local run, and failures of jobs, the node, the controller and Snakemake.

Whatever died, the final bytes are the same and nothing is done twice. Every training is stopped in its middle (SIGSTOP,
a state of the first epoch on disk) before something is done to it, so that no test depends on how fast the machine is.
What leaves node and controller alone runs side by side: such runs wait most of the time.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.factories.workflow import Workflow, copy_repository, copy_run, digests
from tests.slurm.cluster import CGROUPS, Cluster, until
from tests.slurm.conftest import Submitted, release

pytestmark = pytest.mark.slow
MADE = ("corpus/**/*", "alignment/**/*", "units/**/*", "tokens/**/*", "lm/*/model/*", "lm/*/scaling/**/*")
QUALITY = "results/smoke/units/quality.csv"
KEPT = ".snakemake/slurm_logs"  # what failed jobs printed
SCORES = "results/smoke/evaluation/swuggy/phone-bpe.csv"


def forget(submitted: Submitted, *modalities: str) -> list[str]:
    """Delete these modalities' models; returns the targets that train them again."""
    for modality in modalities:
        shutil.rmtree(submitted.folder / "results/smoke/lm" / modality)
    return [f"results/smoke/lm/{modality}/model" for modality in modalities]


def assert_same(submitted: Submitted, smoke: Workflow, *patterns: str) -> None:
    made, local = (digests(run.results, *patterns) for run in (submitted, smoke))
    assert made
    assert made == local


def model(modality: str) -> str:
    return f"lm/{modality}/[ms]*/**/*"  # model and scaling


def resumed_at(submitted: Submitted, modality: str) -> int:
    """The step after which the last attempt of a training resumed."""
    return int(submitted.log(modality).split("going on after step ")[1].split()[0])


def epoch_steps(smoke: Workflow, modality: str) -> int:
    """Steps of one of the two epochs of the local run's training; the first state is written after them."""
    log = (smoke.results / f"logs/lm/train/{modality}.log").read_text()
    return int(log.split(f"lm/{modality}: ")[1].split(" steps")[0]) // 2


def the_bytes_of_a_local_run(submitted: Submitted, smoke: Workflow) -> None:
    """Every stage from the world's texts to a model and a task's tokens, along the modality that needs them all."""
    shutil.rmtree(submitted.folder / "results")
    shutil.rmtree(submitted.folder / ".snakemake")
    targets = ("lm/speech-hubert/model", "tokens/speech-hubert/tasks/swuggy.bin")
    submitted.finish(submitted.begin("--", *(f"results/smoke/{target}" for target in targets)))
    made, local = (digests(run.results, *MADE) for run in (submitted, smoke))
    assert len(made) > 80
    assert [name for name in made if made[name] != local.get(name)] == []

    # Neighbouring shards, two of train and one of dev, went together; all else once, each by itself.
    sent = submitted.submissions
    grouped = [name for name in sent if name.startswith(("speak_", "align_", "encode-"))]
    assert len(grouped) == 3
    assert set(sent.values()) == {1}
    assert "29 of 29 steps (100%) done" in submitted.said
    assert len(sent) == 29 - 3 * (3 - 1)


def cancelled_out_of_time_out_of_memory(after_smoke: Submitted, smoke: Workflow) -> None:
    """All in one run: each is tried again, with more of what it lacked, and ends with the same bytes."""
    for table in (SCORES, QUALITY):
        (after_smoke.folder / table).unlink()
    asked = after_smoke.overlay("cluster: {gpus: {lm: 1}}")
    profile = after_smoke.folder / "workflow/profiles/slurm/config.yaml"
    requests = yaml.safe_load(profile.read_text())
    requests["set-resources"]["units_quality"]["mem_mb"] = "400 * attempt"
    # The second limit is long enough on a busy machine too.
    requests["set-resources"]["evaluation_score"]["runtime"] = "1 + 9 * (attempt - 1)"
    profile.write_text(yaml.safe_dump(requests))
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
    for modality in ("text-raw", "phone-raw"):  # the signals had states saved that are later than the first
        assert resumed_at(after_smoke, modality) > epoch_steps(smoke, modality)
    assert_same(
        after_smoke, smoke, model("text-raw"), model("phone-raw"), "units/quality.csv", "evaluation/*/phone-bpe.csv"
    )


def snakemake_is_killed_and_started_again(after_smoke: Submitted, smoke: Workflow) -> None:
    """The job continues without it; a second run is refused; after --unlock the finished model is reused."""
    targets = forget(after_smoke, "phone-bpe")
    given = ("--set-resources", "lm_train:gpu=0", "lm_train:gres=gpu:2")  # as a site asks that knows --gres only
    first = after_smoke.begin(*given, "--", *targets)
    training = after_smoke.hold_training("phone-bpe")
    environment = Path(f"/proc/{training}/environ").read_bytes().split(b"\0")
    devices = next(item for item in environment if item.startswith(b"CUDA_VISIBLE_DEVICES="))
    assert len(devices.split(b",")) == 2

    second = after_smoke.begin("--", *targets)
    assert second.wait(timeout=300) == 1
    assert "Directory cannot be locked" in after_smoke.said

    first.kill()
    first.wait()
    os.kill(training, signal.SIGCONT)
    job = after_smoke.job("lm_train/phone-bpe")
    until(lambda: job not in after_smoke.cluster.ask("squeue", "-h", "-o", "%i").split(), "the end of the job", 600)
    assert_same(after_smoke, smoke, model("phone-bpe"))
    made = (after_smoke.folder / "results/smoke/lm/phone-bpe/model/model.safetensors").stat().st_mtime_ns

    after_smoke.snakemake(*("--configfile", "workflow/configs/smoke.yaml"), "--unlock")
    after_smoke.finish(after_smoke.begin("--", *targets))
    assert after_smoke.submissions == {"lm_train/phone-bpe": 1}
    assert (after_smoke.folder / "results/smoke/lm/phone-bpe/model/model.safetensors").stat().st_mtime_ns == made


SIDE_BY_SIDE = (
    the_bytes_of_a_local_run,
    cancelled_out_of_time_out_of_memory,
    snakemake_is_killed_and_started_again,
)


@pytest.fixture(scope="module")
def outcomes(
    cluster: Cluster, smoke: Workflow, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Callable, Future]]:
    """The runs of SIDE_BY_SIDE, begun; each in a copy of the smoke run."""
    with ThreadPoolExecutor(len(SIDE_BY_SIDE)) as pool:
        begun = {}
        for run in SIDE_BY_SIDE:
            folder = tmp_path_factory.mktemp(run.__name__)
            submitted = Submitted(copy_run(smoke.folder, copy_repository(folder)), cluster)
            begun[run] = pool.submit(run, submitted, smoke)
        yield begun


@pytest.mark.parametrize("run", SIDE_BY_SIDE, ids=lambda run: run.__name__)
def test_side_by_side(outcomes: dict[Callable, Future], run: Callable):
    outcomes[run].result()


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

    for modality in ("phone-repeat", "text-bpe"):  # a job that is only starting cannot go on without a controller
        until(lambda name=modality: after_smoke.process("scripts.lm.train", name), "a requeued job's training", 300)
    slurm.kill("slurmctld")
    until(lambda: (after_smoke.folder / "results/smoke/lm/text-bpe/model").exists(), "the end of a training", 600)
    slurm.start_controller()
    after_smoke.finish(run)
    # Slurm itself put the jobs back into its queue, and Snakemake went on waiting for them.
    assert after_smoke.submissions == {"lm_train/text-bpe": 1, "lm_train/phone-repeat": 1}
    for modality in ("text-bpe", "phone-repeat"):
        assert resumed_at(after_smoke, modality) >= epoch_steps(smoke, modality)
    assert_same(after_smoke, smoke, model("text-bpe"), model("phone-repeat"))
