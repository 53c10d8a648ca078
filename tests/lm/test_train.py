import itertools
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from scripts.common.files import read_json
from scripts.common.ragged import load_bin
from scripts.lm import train as command
from scripts.lm.batching import loader
from scripts.lm.config import parse_config
from scripts.lm.loop import gradients
from scripts.lm.loop import trainer as module
from scripts.lm.loop.optimizer import parameter_groups
from scripts.lm.loop.schedule import learning_rate, scaling_steps
from scripts.lm.model.llama import build_model
from tests.lm.conftest import VOCABULARY, arguments, files, log


@pytest.fixture
def train(toy, section, monkeypatch):
    """Run the command in this process; returns the output folder."""

    def call(out="out", *more):
        monkeypatch.setattr(sys, "argv", ["train", *arguments(toy, section, out, *more)])
        command.main()
        return toy / out

    return call


def test_learning_rate_by_hand(section):
    config = parse_config(json.dumps(section)).training  # peak 0.01, 10% warm-up, ends at a tenth
    rates = [learning_rate(step, 20, config) for step in range(20)]
    assert rates[:2] == [0.005, 0.01]
    assert rates[10] == pytest.approx(0.01 * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 2))))
    assert rates[-1] == pytest.approx(0.001)
    assert all(a > b for a, b in itertools.pairwise(rates[1:]))


@pytest.mark.parametrize(
    ("steps", "count", "warmup", "expected"),
    [
        (75, 8, 1, [2, 4, 6, 10, 17, 28, 46, 75]),
        (80, 4, 10, [10, 20, 40, 80]),
        (80, 2, 300, [40, 80]),
        (8, 8, 2, list(range(1, 9))),
        (3, 8, 1, [1, 2, 3]),
        (1, 8, 1, [1]),
        (10, 1, 1, [10]),
    ],
)
def test_scaling_steps_by_hand(steps, count, warmup, expected):
    found = scaling_steps(steps, count, warmup)
    assert found[-1] == steps if count > 1 else len(found) == 1
    assert count == 1 or found == expected


@pytest.mark.parametrize("steps", range(1, 60))
@pytest.mark.parametrize("warmup", [1, 10, 40])
def test_scaling_steps_are_distinct_and_rise_to_the_epochs_end(steps, warmup):
    found = scaling_steps(steps, 8, warmup)
    assert len(found) == min(8, steps)
    assert found == sorted(set(found))
    assert found[0] >= 1
    assert found[-1] == steps


def test_only_matrices_of_linear_layers_decay(section):
    config = parse_config(json.dumps(section))
    model = build_model(config.model, 11, 1, 2, 0)
    decayed, others = parameter_groups(model, config.training)
    assert decayed["weight_decay"] == 0.1
    assert others["weight_decay"] == 0.0
    assert len(decayed["params"]) == 7 * 2 + 1  # per layer q, k, v, o, gate, up, down; and the output head
    assert len(others["params"]) == 2 * 2 + 1 + 1  # norms; and the embedding


def test_the_output_is_complete_and_loads(train, toy, section):
    out = train()
    assert sorted(p.name for p in out.iterdir()) == ["log.csv", "model", "scaling"]
    tokens = load_bin(toy / "train.bin")
    per_epoch = int(tokens.lengths.sum()) - len(tokens)
    about = read_json(out / "model" / "training.json")
    assert about["steps"] == 3 * 8
    assert about["tokens"] == 3 * per_epoch
    assert about["vocab_size"] == len(VOCABULARY)
    assert 0.9 < about["useful_token_share"] <= 1  # rows of 200 tokens are filled up to multiples of 16
    card = (out / "model" / "README.md").read_text()
    assert f"| dev loss at the end | {about['dev_loss']} nats per token |" in card
    assert "| weights are those of | the last step |" in card
    assert about["config"]["model"] == section["model"]

    kept = sorted(int(p.name.removeprefix("tokens-")) for p in (out / "scaling").iterdir())
    assert len(kept) == 4
    assert kept[-1] == per_epoch

    tokenizer = AutoTokenizer.from_pretrained(out / "model")
    model = AutoModelForCausalLM.from_pretrained(out / "model")
    config = model.config
    assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (1, 2, None)
    assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == (1, 2)
    assert tokenizer.convert_tokens_to_ids("a") == VOCABULARY["a"]
    for folder in (out / "scaling").iterdir():
        assert AutoModelForCausalLM.from_pretrained(folder).dtype == torch.float32

    rows = log(out)
    dev = [float(row["dev_loss"]) for row in rows if row["dev_loss"]]
    assert [row["epoch"] for row in rows if row["dev_loss"]] == ["1", "2", "3"]
    assert int(rows[-1]["tokens"]) == about["tokens"]
    assert about["dev_loss"] == dev[-1]

    # The loaded model, by transformers' own attention in float32, has the loss that training saw.
    total, count = 0.0, 0
    for sequence in load_bin(toy / "dev.bin"):
        ids = torch.from_numpy(sequence.astype(np.int64))[None]
        with torch.no_grad():
            total += model(ids, labels=ids).loss.item() * (len(sequence) - 1)
        count += len(sequence) - 1
    assert total / count == pytest.approx(dev[-1], rel=0.01)


def test_the_loss_falls_to_the_languages_entropy(train, section):
    section["training"]["epochs"] = 20
    rows = log(train())
    lengths = 1 + np.arange(5, 40)  # tokens predicted per sequence, of which the last is EOS
    hazard = [sum(lengths > n) / sum(lengths >= n) for n in range(5 + 1, 40)]  # that EOS does not come yet
    ending = -sum(math.log(h) * h + math.log(1 - h) * (1 - h) for h in hazard if 0 < h < 1) / len(hazard)
    bound = math.log(2) + ending  # of the step, and at most of the ending
    last = float(rows[-1]["dev_loss"])
    assert 0.9 * math.log(2) < last < bound + 0.1
    assert float(rows[0]["train_loss"]) > 1.8  # from about the log of 8


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(train, toy):
    a, b = files(train("a")), files(train("b"))
    assert a == b
    c = files(train("c", "--seed", "2"))
    assert a["model/model.safetensors"] != c["model/model.safetensors"]


def test_rows_built_ahead_by_a_thread_give_the_same_bytes_and_its_errors_end_the_run(train, toy, monkeypatch):
    """As on a GPU, where rows are also copied and the device is not waited for."""
    plain = files(train("plain"))
    init = loader.Loader.__init__

    def prefetching(self, *arguments):
        init(self, *arguments)
        self.prefetch = True

    monkeypatch.setattr(loader.Loader, "__init__", prefetching)
    assert files(train("ahead")) == plain

    build, calls = loader.micro_batches, []

    def damaged(*arguments):
        calls.append(1)
        if len(calls) == 5:
            raise ValueError("train.bin: u5 holds a token outside the vocabulary")
        return build(*arguments)

    monkeypatch.setattr(loader, "micro_batches", damaged)
    with pytest.raises(ValueError, match=r"train\.bin: u5 holds"):
        train("damaged")
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]


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


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_state(train, toy, monkeypatch):
    loss, calls = gradients.packed_loss, []

    def explode(model, packed):
        calls.append(1)
        return loss(model, packed) * (float("nan") if len(calls) == 5 else 1.0)

    monkeypatch.setattr(gradients, "packed_loss", explode)
    with pytest.raises(ValueError, match=r"lm/toy: step 5: the loss is nan .*train-\d+, .*checkpoints") as error:
        train("out", "--save-minutes", "0")
    assert "\n" not in str(error.value)
    assert max(p.name for p in (toy / "out" / "checkpoints").glob("step-*.pt")) == "step-000000004.pt"


def test_training_ends_when_patience_does_and_keeps_the_best_model(train, section, toy, monkeypatch):
    section["training"] |= {"epochs": 5, "evaluations_per_epoch": 2, "patience": 3, "checkpoints_in_epoch_1": 8}
    losses = iter([3.0, 2.0, 2.5, 2.0, 2.1, 1.0])  # the lowest after epoch 1; three evaluations without a lower one
    monkeypatch.setattr(module.Trainer, "dev_loss", lambda self: next(losses))
    out = train("whole")
    rows = [row for row in log(out) if row["dev_loss"]]
    assert [row["step"] for row in rows] == ["4", "8", "12", "16", "20"]
    about = read_json(out / "model" / "training.json")
    assert (about["steps"], about["best_step"], about["best_dev_loss"], about["epochs"]) == (20, 8, 2.0, 3)
    after_epoch_1 = max((out / "scaling").iterdir(), key=lambda p: int(p.name.removeprefix("tokens-")))
    best = (out / "model" / "model.safetensors").read_bytes()
    assert best == (after_epoch_1 / "model.safetensors").read_bytes()
    assert "| weights are those of | step 8, the lowest dev loss |" in (out / "model" / "README.md").read_text()

    losses = iter([3.0, 2.0, 2.5, 2.0, 2.1, 1.0])  # stopped after the best and begun again: the same end
    step = module.Trainer._step

    def stop(self, batch):
        if self.state.step == 12:
            self.stopped_by = signal.SIGTERM
        return step(self, batch)

    monkeypatch.setattr(module.Trainer, "_step", stop)
    with pytest.raises(SystemExit):
        train("parts")
    monkeypatch.setattr(module.Trainer, "_step", step)
    assert files(train("parts")) == files(out)


def test_the_best_model_is_never_one_of_steps_that_were_lost(train, section, toy, monkeypatch):
    """Killed between a new best model and the next state, the run continues and measures other losses."""
    section["training"] |= {"epochs": 3, "evaluations_per_epoch": 2, "patience": 10}
    losses = [3.0, 2.0, 1.0]  # a best model after steps 4, 8 (with a state: the epoch ends) and 12 (without)
    monkeypatch.setattr(module.Trainer, "dev_loss", lambda self: losses.pop(0))
    step = module.Trainer._step

    def die(self, batch):
        if self.state.step == 12:
            raise KeyboardInterrupt  # leaves as a kill does: nothing is saved
        return step(self, batch)

    monkeypatch.setattr(module.Trainer, "_step", die)
    with pytest.raises(KeyboardInterrupt):
        train()
    folder = toy / "out" / "checkpoints"
    assert max(p.name for p in folder.glob("step-*.pt")) == "step-000000008.pt"
    assert sorted(p.name for p in folder.glob("best-*")) == ["best-000000008", "best-000000012"]
    best = (folder / "best-000000008" / "model.safetensors").read_bytes()

    monkeypatch.setattr(module.Trainer, "_step", step)
    losses[:] = [2.5, 2.5, 2.5, 2.5]  # what the lost steps had found does not come again
    out = train()
    about = read_json(out / "model" / "training.json")
    assert (about["best_step"], about["best_dev_loss"]) == (8, 2.0)
    assert (out / "model" / "model.safetensors").read_bytes() == best


@pytest.mark.parametrize(("precision", "expected"), [("bf16", 1), ("fp32", 0)])
def test_layers_are_compiled_for_bf16_alone(train, section, monkeypatch, precision, expected):
    section["training"] |= {"precision": precision, "epochs": 1}
    calls = []
    monkeypatch.setattr(module, "prepare_for_device", lambda *arguments: calls.append(arguments))
    train()
    assert len(calls) == expected


def test_patience_may_end_a_training_inside_epoch_1(train, section, monkeypatch):
    section["training"] |= {"evaluations_per_epoch": 8, "patience": 2, "checkpoints_in_epoch_1": 4}
    losses = iter([1.0, 2.0, 2.0])
    monkeypatch.setattr(module.Trainer, "dev_loss", lambda self: next(losses))
    out = train()
    about = read_json(out / "model" / "training.json")
    assert (about["steps"], about["best_step"]) == (3, 1)
    assert len(list((out / "scaling").iterdir())) == len([s for s in scaling_steps(8, 4, 2) if s <= 3])


def test_deterministic_mode_trains_the_same_model_on_a_cpu(train, toy, section, monkeypatch):
    section["training"]["epochs"] = 1
    weights = (train("plain") / "model" / "model.safetensors").read_bytes()
    section["training"]["deterministic"] = True
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    try:
        assert (train("deterministic") / "model" / "model.safetensors").read_bytes() == weights
        assert torch.are_deterministic_algorithms_enabled()
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(False)


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


def test_fewer_utterances_than_a_batch_and_checkpoints_than_steps_work(train, section):
    section["training"]["batch_utterances"] = 500
    out = train()
    assert len(list((out / "scaling").iterdir())) == 1
    assert int(log(out)[-1]["step"]) == 3


def run(arguments):
    return subprocess.run(
        [sys.executable, "-m", "scripts.lm.train", *arguments], capture_output=True, text=True, check=False
    )


def test_bad_input_is_one_line_and_no_output(toy, section):
    section["training"]["batch_utterances"] = -4
    result = run(arguments(toy, section))
    assert result.returncode == 1
    assert result.stderr.startswith("error: lm.training.batch_utterances is -4; it must be at least 1 (utterances per")
    assert result.stderr.count("\n") == 1
    assert not (toy / "out").exists()


def test_bad_tokenizers_are_refused(train, toy):
    path = toy / "tokenizer" / "tokenizer.json"
    content = path.read_text()
    path.write_text(content.replace("</s>", "<end>"))
    with pytest.raises(ValueError, match=r"tokenizer\.json: no token </s>"):
        train()
    path.write_text(content[:-9])
    with pytest.raises(ValueError, match=r"tokenizer\.json: not a tokenizer"):
        train()
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json: no such file"):
        train()


def test_a_folder_that_cannot_be_written_is_one_clear_line(train, toy):
    (toy / "out").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="out"):
        train()


def test_no_room_for_a_model_is_one_clear_line(train, monkeypatch):
    def full(self, folder):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(LlamaForCausalLM, "save_pretrained", full)
    with pytest.raises(ValueError, match=r"scaling/tokens-\d+: the model cannot be written \(.*No space left"):
        train()
