"""One training by several processes: two or three ranks over gloo, against one process on the same global batches."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from scripts.lm.distributed.launch import Nodes, launch
from scripts.lm.distributed.partition import partition
from scripts.lm.distributed.ranks import PEER_FAILED, Ranks
from tests.lm.conftest import arguments, files, log

# Starts ranks as torchrun does, but by fork: Python and torch are loaded once for all trainings of a test.
FORK = """
import json, os, resource, signal, socket, sys, time
from scripts.common.cli import run
from scripts.lm.loop import gradients
from scripts.lm.loop import trainer
from scripts.lm.distributed.ranks import Ranks
from scripts.lm.train import main

step, loss = trainer.Trainer._step, gradients.packed_loss

def disturbed(at, rank, what):
    def new_step(self, batch):
        if self.state.step == at - 1 and self.ranks.rank == rank:
            if what == "nan":
                gradients.packed_loss = lambda model, packed: loss(model, packed) * float("nan")
            elif what == "full":
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
            else:
                os.kill(os.getpid(), what)
        return step(self, batch)
    return new_step

for size, arguments, disturbance in json.loads(sys.argv[1]):
    with socket.socket() as free:
        free.bind(("localhost", 0))
        os.environ |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": str(size)}
    children = []
    start = time.monotonic()
    for rank in range(size):
        child = os.fork()
        if child == 0:
            os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
            sys.argv = ["train", *arguments]
            if disturbance == "group":  # one rank with a process group, as with torchrun --nproc-per-node 1
                Ranks.from_environment = lambda: Ranks(distributed=True)
            elif disturbance:
                trainer.Trainer._step = disturbed(*disturbance)
            try:
                run(main)
            except SystemExit as stopped:
                if isinstance(stopped.code, str):
                    print(stopped.code, file=sys.stderr, flush=True)
                os._exit(stopped.code if isinstance(stopped.code, int) else 1)
            os._exit(0)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print(json.dumps([codes, time.monotonic() - start]), flush=True)
"""


def start_ranks(*trainings):
    """Exit codes and seconds of each training, and what all wrote to stderr."""
    command = [sys.executable, "-c", FORK, json.dumps(trainings)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    return [codes for codes, _ in results], [seconds for _, seconds in results], done.stderr


def losses(folder: Path):
    """Of every row: training, then dev where it was measured."""
    rows = log(folder)
    return [[float(row["train_loss"]) for row in rows], [float(row["dev_loss"]) for row in rows if row["dev_loss"]]]


def wait_for_a_state(folder, before, jobs, seconds=600):
    """Return once a state that is not among `before` is written; fail, and end the jobs, where none comes.

    A signal that is sent earlier may come before a job has installed its handlers.
    """
    deadline = time.monotonic() + seconds
    while not set(folder.glob("step-*.pt")) - before:
        if time.monotonic() > deadline or any(job.poll() is not None for job in jobs):
            for job in jobs:
                job.kill()
            errors = [job.communicate()[1] for job in jobs]
            pytest.fail(f"no state after {seconds} s, or a job ended: {[job.returncode for job in jobs]}, {errors}")
        time.sleep(0.05)


@pytest.fixture
def exact(section):
    """In float32, so that nothing but the order of sums differs; small rows, so that gradients are accumulated."""
    section["training"] |= {"precision": "fp32", "row_tokens": 64}
    return section


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_two_and_three_ranks_have_the_losses_of_one_also_after_a_change_of_number(toy, exact, optimizer):
    exact["training"]["optimizer"] = optimizer

    def of(out, *more):
        return arguments(toy, exact, out, *more)

    def idle(out):  # one utterance a step: one of two ranks has none
        training = {**exact["training"], "batch_utterances": 1, "epochs": 1}
        return arguments(toy, {**exact, "training": training}, out)

    codes, _, errors = start_ranks(
        (1, of("one"), None),
        (1, of("group-of-one"), "group"),
        (2, of("two"), None),
        (2, of("two-then-one"), (9, 1, signal.SIGUSR1)),  # a signal that rank 1 alone gets
        (1, of("two-then-one"), None),
        (1, of("one-then-three"), (3, 0, signal.SIGTERM)),
        (3, of("one-then-three"), None),
        (2, of("two-then-two"), (9, 0, signal.SIGTERM)),
        (2, of("two-then-two"), None),
        (1, idle("idle-one"), None),
        (2, idle("idle-two"), None),
    )
    stopped = [128 + signal.SIGUSR1] * 2, [128 + signal.SIGTERM], [128 + signal.SIGTERM] * 2
    assert codes == [[0], [0], [0, 0], stopped[0], [0], stopped[1], [0] * 3, stopped[2], [0, 0], [0], [0, 0]]
    assert errors.count("stopped by a signal after step 9; the state is saved") == 2  # said once, not by every rank
    assert errors.count("lm/toy: 24 steps") == 6
    assert errors.count("lm/toy: 60 steps") == 2
    assert "Warning" not in errors
    pairs = [("two", "one"), ("two-then-one", "one"), ("one-then-three", "one"), ("idle-two", "idle-one")]
    for many, one in pairs:
        for ours, theirs in zip(losses(toy / many), losses(toy / one), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4 if "idle" in one else 2e-5, err_msg=many)
        assert [row["tokens"] for row in log(toy / many)] == [row["tokens"] for row in log(toy / one)]
    assert files(toy / "two-then-two") == files(toy / "two")
    assert files(toy / "group-of-one") == files(toy / "one")


def test_what_ends_one_rank_ends_all_and_one_says_why(toy, exact):
    def of(out, *more):
        return arguments(toy, exact, out, *more)

    bad = {**exact, "model": {**exact["model"], "context": 8}}  # found while the tokens are read, by every rank
    codes, seconds, errors = start_ranks(
        (2, of("nan", "--save-minutes", "0"), (5, 1, "nan")),
        (2, of("full", "--save-minutes", "0"), (6, 0, "full")),  # no scaling model is due: only states are written
        (2, of("killed", "--save-minutes", "0"), (4, 1, signal.SIGKILL)),
        (2, arguments(toy, bad, "bad"), None),
    )
    assert codes == [[1, PEER_FAILED], [1, PEER_FAILED], [PEER_FAILED, -signal.SIGKILL], [1, PEER_FAILED]]
    assert max(seconds) < 60
    assert len(re.findall(r"lm/toy: step 5: the loss is nan .* on train-\d+, ", errors)) == 1
    assert len(re.findall(r"step-0000000\d\d\.pt: the training state cannot be written", errors)) == 1
    assert errors.count("rank 0 ends: another rank of 2 is gone") == 1
    assert errors.count("is longer than lm.model.context = 8 tokens") == 1
    assert "Traceback" not in errors
    newest = [max(p.name for p in (toy / out / "checkpoints").glob("step-*.pt")) for out in ("nan", "full", "killed")]
    assert newest[0] == "step-000000004.pt"
    # Written while training goes on: when the next step disturbs, the last may not be finished.
    assert newest[1] in ("step-000000004.pt", "step-000000005.pt")
    assert newest[2] in ("step-000000002.pt", "step-000000003.pt")
    assert not list((toy / "full" / "checkpoints").glob(".*"))


def test_a_port_in_use_is_one_clear_line(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        monkeypatch.setenv("MASTER_ADDR", "localhost")
        monkeypatch.setenv("MASTER_PORT", port := str(taken.getsockname()[1]))
        with pytest.raises(
            ValueError, match=rf"rank 0 of 2 cannot meet the others at localhost:{port} .*free port"
        ) as e:
            Ranks(0, 2)
    assert "\n" not in str(e.value)


def test_fewer_gpus_than_ranks_is_one_clear_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=r"3 or more processes on a machine with 2 GPUs"):
        Ranks(2, 4, 2)


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 7])
def test_work_is_partitioned_evenly_and_the_same_every_time(num_ranks):
    sizes = np.random.default_rng(0).integers(2, 700, 40)
    owners = partition(sizes, num_ranks)
    shares = np.bincount(owners, sizes, minlength=num_ranks)
    assert shares.sum() == sizes.sum()
    assert shares.max() - shares.min() < 0.05 * shares.mean()
    assert np.array_equal(owners, partition(sizes, num_ranks))
    assert partition(np.array([5]), 3).tolist() == [0]


@pytest.mark.slow
def test_the_launcher_finds_a_port_passes_signals_on_and_names_a_rank_that_dies(toy, exact):
    exact["training"]["epochs"] = 2000  # it is ended by what is tested
    command = [sys.executable, "-m", "scripts.lm.train", "--processes", "2", "--save-minutes", "0"]
    command += arguments(toy, exact, "out")
    states = toy / "out" / "checkpoints"

    def disturb(act):
        before = set(states.glob("step-*.pt"))
        job = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        wait_for_a_state(states, before, [job])
        start = time.monotonic()
        act(job)
        errors = job.communicate()[1]
        return job.returncode, time.monotonic() - start, errors

    def kill_a_rank(job):
        children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
        os.kill(int(children[1]), signal.SIGKILL)

    code, _, errors = disturb(lambda job: job.send_signal(signal.SIGUSR1))
    assert code == 128 + signal.SIGUSR1, errors
    assert len(re.findall(r"stopped by a signal after step \d+; the state is saved", errors)) == 1
    code, seconds, errors = disturb(kill_a_rank)
    assert code == 1
    assert seconds < 60
    assert re.search(
        r"^error: rank \d of 2 was killed by SIGKILL .*goes on from the newest state$", errors, re.MULTILINE
    )
    assert "going on after step" in errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_two_nodes_meet_at_one_address_and_a_signal_to_one_ends_both(toy, exact):
    """Two launchers on this machine, each with a rank of its own, over gloo."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        address = f"localhost:{free.getsockname()[1]}"

    def start(node, out, *more):
        nodes = ["--nodes", "2", "--node-rank", str(node), "--rendezvous", address, *more]
        command = [sys.executable, "-m", "scripts.lm.train", *arguments(toy, exact, out), *nodes]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)

    nodes = [start(1, "nodes"), start(0, "nodes")]
    errors = [node.communicate(timeout=300)[1] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], errors
    assert "lm/toy: 24 steps" in errors[1]
    assert errors[0] == ""

    (codes,), _, _ = start_ranks((2, arguments(toy, exact, "two"), None))
    assert codes == [0, 0]
    assert files(toy / "nodes") == files(toy / "two")

    exact["training"]["epochs"] = 2000  # it is ended by the signal
    nodes = [start(0, "stopped", "--save-minutes", "0"), start(1, "stopped", "--save-minutes", "0")]
    states = toy / "stopped" / "checkpoints"
    wait_for_a_state(states, set(), nodes)
    nodes[1].send_signal(signal.SIGTERM)
    errors = [node.communicate(timeout=300)[1] for node in nodes]
    assert [node.returncode for node in nodes] == [128 + signal.SIGTERM] * 2, errors
    assert "the state is saved" in errors[0]


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ((2, 0, "localhost:0"), "several nodes need --rendezvous HOST:PORT"),
        ((2, 2, "head:29500"), "--node-rank is 2; it must be from 0 to 1"),
        ((1, 0, "head"), "--rendezvous is head; it must be HOST:PORT"),
    ],
)
def test_nodes_that_cannot_meet_are_refused(nodes, message):
    with pytest.raises(ValueError, match=message):
        Nodes(*nodes)


def test_a_rendezvous_port_in_use_is_one_clear_line():
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        address = f"localhost:{taken.getsockname()[1]}"
        with pytest.raises(ValueError, match=rf"{address}: the ranks cannot meet there: ") as error:
            launch("scripts.lm.train", [], 2, Nodes(address=address))
    assert "\n" not in str(error.value)
