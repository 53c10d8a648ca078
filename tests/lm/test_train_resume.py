"""A training that was stopped or killed and resumed ends with the bytes of an uninterrupted one."""

import os
import signal
import subprocess
import sys
import time

import pytest

from scripts.lm.loop import trainer as module
from tests.lm.conftest import arguments, files


def test_a_stopped_run_goes_on_to_the_same_bytes(train, toy, section, monkeypatch):
    whole = files(train("whole"))
    step = module.Trainer._step
    asked = {3: signal.SIGTERM, 8: signal.SIGUSR1, 9: signal.SIGTERM}
    for at, number in asked.items():  # inside an epoch, at its end, and just after

        def stop(self, batch, at=at, number=number):
            if self.state.step == at - 1:
                os.kill(os.getpid(), number)
            return step(self, batch)

        monkeypatch.setattr(module.Trainer, "_step", stop)
        with pytest.raises(SystemExit) as stopped:
            train("parts")
        assert stopped.value.code == 128 + number
        assert not (toy / "parts" / "model").exists()
    monkeypatch.setattr(module.Trainer, "_step", step)
    assert files(train("parts")) == whole


def test_killed_without_warning_it_goes_on_to_the_same_bytes(train, toy, section):
    section["training"]["epochs"] = 4
    section["training"]["batch_utterances"] = 4
    whole = files(train("whole"))
    command = [sys.executable, "-m", "scripts.lm.train", *arguments(toy, section, "killed", "--save-minutes", "0")]
    states = toy / "killed" / "checkpoints"
    for sig, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 128 + signal.SIGTERM)):
        before = {p.name for p in states.glob("step-*.pt")}
        job = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"})
        deadline = time.monotonic() + 300
        while len({p.name for p in states.glob("step-*.pt")} - before) < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        job.send_signal(sig)
        assert job.wait() == code, job.stderr.read().decode()
    done = int(max(p.name for p in states.glob("step-*.pt"))[5:14])
    assert 2 < done < 4 * 15
    assert files(train("killed")) == whole


def test_a_stopped_run_does_not_go_on_with_another_config_or_other_tokens(train, toy, section, monkeypatch):
    step = module.Trainer._step

    def stop(self, batch):
        self.stopped_by = signal.SIGTERM
        return step(self, batch)

    monkeypatch.setattr(module.Trainer, "_step", stop)
    with pytest.raises(SystemExit):
        train()
    section["training"]["learning_rate"] = 0.02
    with pytest.raises(
        ValueError, match=r"lm\.training\.learning_rate = 0\.01 cannot go on with 0\.02.*delete .*checkpoints"
    ):
        train()
    section["training"]["learning_rate"] = 0.01
    content = bytearray((toy / "dev.bin").read_bytes())
    content[2] = 3 if content[2] != 3 else 4
    (toy / "dev.bin").write_bytes(content)
    with pytest.raises(ValueError, match="dev tokens"):
        train()


KILLER = """
import json, os, random, signal, sys, time
from scripts.lm.train import main

draw, kills = random.Random(0), 0
while True:
    child = os.fork()
    if child == 0:
        main()
        os._exit(0)
    if kills < 10:
        time.sleep(draw.uniform(0.05, 0.6))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    kills += os.WIFSIGNALED(status)
    if not os.WIFSIGNALED(status):
        sys.exit(0 if kills == 10 and status == 0 else f"{kills} kills, then status {status}")
"""


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_no_byte(train, toy, section):
    section["training"]["epochs"] = 60  # ten kills must come before its end
    command = [sys.executable, "-c", KILLER, *arguments(toy, section, "killed", "--save-minutes", "0")]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert files(toy / "killed") == files(train("whole"))


def test_what_a_killed_run_had_begun_to_write_is_not_published(train, toy):
    clean = files(train("clean"))
    begun = toy / "killed" / "checkpoints" / "scaling" / ".123.tokens-9"
    begun.mkdir(parents=True)
    (begun / "model.safetensors").write_bytes(b"half")
    (toy / "killed" / "checkpoints" / ".123.step-000000003.pt").write_bytes(b"half")
    # Killed before its first state, after a model of another configuration; and while its states were removed.
    exported = toy / "killed" / "checkpoints" / "scaling" / "tokens-7"
    exported.mkdir()
    (exported / "model.safetensors").write_bytes(b"another's")
    (toy / "killed" / ".checkpoints.done").mkdir()
    (toy / "killed" / ".checkpoints.done" / "step-000000009.pt").write_bytes(b"done with")
    assert files(train("killed")) == clean
    assert not list((toy / "killed").glob(".*"))


def test_a_signal_that_comes_while_ranks_agree_stops_the_next_step(train, toy, monkeypatch):
    all_reduce_max = module.Ranks.all_reduce_max
    exchanges = []  # one after each step: the signal, and whether it is time for a state

    def interrupted(self, *values):
        exchanges.extend([values] if len(values) == 2 else [])
        if len(values) == 2 and len(exchanges) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return all_reduce_max(self, *values)

    monkeypatch.setattr(module.Ranks, "all_reduce_max", interrupted)
    with pytest.raises(SystemExit) as stopped:
        train()
    assert stopped.value.code == 128 + signal.SIGTERM
    assert len(exchanges) == 3
