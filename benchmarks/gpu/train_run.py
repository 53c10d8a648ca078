"""Stage 5: `scripts.lm.train` as the workflow runs it, on tokens from a source of known entropy.

Two trainings of the same tokens run side by side. One is left alone; the other gets SIGTERM inside its first epoch and
is started again. Both must end at the same loss, near the source's own, and with a folder that transformers loads.
Only the uninterrupted one compiles its layers: the compiler would otherwise start three times within the budget.
"""

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, Self

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from benchmarks.gpu.data import recipe
from benchmarks.gpu.record import Recorder
from benchmarks.gpu.source import Source
from scripts.common.files import read_csv, read_json
from scripts.common.ragged import Ragged
from scripts.lm.config import LMConfig, ModelConfig

SYMBOLS, SEED = 80, 1
EXPORTS = 4  # models inside epoch 1, at 1/32, 1/10, 1/3 and the end of it
STOP_AFTER = 3  # of them: about a third of the way
# Relative difference of the resumed training's dev loss. On a GPU its layers run eagerly and those of the other one
# compiled: the two round to bf16 at different places.
SAME_LOSS = 5e-3
POLL = 0.01  # seconds


@dataclass(frozen=True)
class Sizes:
    """Of the model and its tokens; `gap`: share of the way from the first loss to the source's that may be left."""

    model: ModelConfig
    utterances: int
    dev: int
    mean_length: float
    batch_utterances: int
    learning_rate: float
    gap: float


FULL = Sizes(
    ModelConfig(hidden_size=512, intermediate_size=1408, layers=10, heads=8, kv_heads=2, context=2048),
    utterances=12_000,
    dev=200,
    mean_length=300.0,
    batch_utterances=64,
    learning_rate=1e-3,
    gap=0.15,
)
TINY = Sizes(
    ModelConfig(hidden_size=64, intermediate_size=128, layers=1, heads=2, kv_heads=1, context=256),
    utterances=1000,
    dev=40,
    mean_length=30.0,
    batch_utterances=8,
    learning_rate=1e-2,
    gap=0.3,
)


def run(record: Recorder, device: torch.device, full: bool) -> None:
    """Train, stop, resume, compare, load."""
    sizes = FULL if full else TINY
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = Source(SYMBOLS, sizes.mean_length, sizes.model.context - 2, SEED)
        source.write(folder, "train", sizes.utterances, 1)
        dev = source.write(folder, "dev", sizes.dev, 2)
        source.write_tokenizer(folder / "tokenizer")
        if record.run("training", lambda: _trainings(record, folder, sizes, source, dev)):
            record.run("published", lambda: _published(record, folder / "whole", device, dev))


def command(folder: Path, sizes: Sizes, out: str, compile_layers: Literal["auto", "off"]) -> list[str]:
    """Of one training."""
    training = recipe(8192, "auto")
    training = replace(
        training,
        epochs=1,
        evaluations_per_epoch=1,
        batch_utterances=sizes.batch_utterances,
        learning_rate=sizes.learning_rate,
        checkpoints_in_epoch_1=EXPORTS,
        compile=compile_layers,
    )
    config = json.dumps(asdict(LMConfig(sizes.model, training)))
    files = ["--train", f"{folder}/train.bin", "--dev", f"{folder}/dev.bin", "--tokenizer", f"{folder}/tokenizer"]
    more = ["--config", config, "--seed", str(SEED), "--name", "source", "--out", f"{folder}/{out}"]
    return [sys.executable, "-m", "scripts.lm.train", *files, *more]


def _trainings(record: Recorder, folder: Path, sizes: Sizes, source: Source, dev: Ragged) -> None:
    """Both trainings at once; the numbers of each are recorded as soon as it has ended."""
    began = time.time()
    floor = source.loss(dev)
    record.add("source", "entropy", source.entropy, "nats per token", headline=True)
    record.add("source", "its own loss on dev", floor, "nats per token", headline=True)
    with _Training(folder, sizes, "whole", "auto") as whole, _Training(folder, sizes, "stopped", "off") as stopped:
        running = {"uninterrupted": whole, "stopped": stopped}

        def wait(until: Callable[[], bool]) -> None:
            while not until():
                if record.left < 0:
                    raise TimeoutError("the stage's budget is over before its trainings are")
                if "uninterrupted" in running and whole.code is not None:
                    _uninterrupted(record, running.pop("uninterrupted"), sizes, floor)
                time.sleep(POLL)

        try:
            exports = stopped.out / "checkpoints" / "scaling"
            wait(lambda: len(list(exports.glob("tokens-*"))) >= STOP_AFTER or stopped.code is not None)
            if stopped.code is not None:
                raise RuntimeError(f"the training ended before it was stopped: {stopped.said}")
            stopped.process.send_signal(signal.SIGTERM)
            wait(lambda: stopped.code is not None)
            del running["stopped"]
            code = stopped.code or 0
            record.check("stopped", "exit code", code, "", code == 128 + signal.SIGTERM, f"{stopped.seconds:.0f} s")
            record.write(ended=False)
            with _Training(folder, sizes, "stopped", "off") as resumed:
                running["resumed"] = resumed
                wait(lambda: resumed.code is not None)
                _resumed(record, running.pop("resumed"))
            wait(lambda: "uninterrupted" not in running)
        except TimeoutError:
            for case, training in running.items():
                _unfinished(record, case, training)
            raise
    record.add("training", "time of all three", time.time() - began, "s")
    _compare(record, folder)


def _uninterrupted(record: Recorder, training: "_Training", sizes: Sizes, floor: float) -> None:
    case = "uninterrupted"
    record.check(case, "exit code", training.code or 0, "", training.code == 0, training.said[-300:])
    if training.code:
        return
    about, log = read_json(training.out / "model" / "training.json"), read_csv(training.out / "log.csv")
    first, last = float(log[0]["train_loss"]), float(about["dev_loss"])
    record.add(case, "time", training.seconds, "s", note="of the process, compiling included")
    record.add(case, "parameters", about["parameters"], "")
    record.add(case, "speed", [float(row["tokens_per_second"]) for row in log], "tokens/s")
    record.add(case, "first train loss", first, "nats per token")
    record.add(case, "dev loss", last, "nats per token", headline=True)
    left = (last - floor) / (first - floor)
    record.check(case, "share of the way to the source's loss that is left", left, "", -0.01 < left < sizes.gap)
    record.write(ended=False)


def _resumed(record: Recorder, training: "_Training") -> None:
    continued = "going on after step" in training.said
    record.check("resumed", "exit code", training.code or 0, "", training.code == 0, training.said[-300:])
    record.check("resumed", "went on from a state", continued, "", continued)
    if training.code:
        return
    about = read_json(training.out / "model" / "training.json")
    record.add("resumed", "time", training.seconds, "s", note="of the process")
    record.add("resumed", "dev loss", float(about["dev_loss"]), "nats per token")
    record.write(ended=False)


def _unfinished(record: Recorder, case: str, training: "_Training") -> None:
    """What the output of a training that did not end says of it."""
    note = f"not ended: {training.said[-300:]}"
    record.add(case, "time until the budget was over", training.seconds, "s", note=note, headline=True)
    losses = re.findall(r"loss (\d+\.\d+)", training.said)
    if losses:
        record.add(case, "last reported train loss", float(losses[-1]), "nats per token", headline=True)


def _compare(record: Recorder, folder: Path) -> None:
    """The resumed training's dev loss and weights against those of the uninterrupted one."""
    about = {name: read_json(folder / name / "model" / "training.json") for name in ("whole", "stopped")}
    whole, resumed = (float(about[name]["dev_loss"]) for name in ("whole", "stopped"))
    difference = abs(resumed / whole - 1)
    record.check("resumed", "relative difference of dev loss", difference, "", difference <= SAME_LOSS)
    right, weights = (load_file(folder / name / "model" / "model.safetensors") for name in ("whole", "stopped"))
    same = all(torch.equal(right[key], weights[key]) for key in right)
    note = "bit for bit; on a GPU only the uninterrupted one compiles its layers"
    record.add("resumed", "weights equal", float(same), "", note=note, headline=True)
    distance = sum(float((right[key] - weights[key]).square().sum()) for key in right) ** 0.5
    norm = sum(float(tensor.square().sum()) for tensor in right.values()) ** 0.5
    record.add("resumed", "relative difference of weights", distance / norm, "")


@torch.inference_mode()
def _published(record: Recorder, folder: Path, device: torch.device, dev: Ragged) -> None:
    """Load the published folder as a stranger would, and compute the dev loss one utterance at a time in fp32."""
    model = AutoModelForCausalLM.from_pretrained(folder / "model").to(device).eval()
    total = 0.0
    for ids in dev:
        row = torch.from_numpy(ids.astype("int64"))[None].to(device)
        total += float(model(input_ids=row, labels=row).loss) * (len(ids) - 1)
    loss = total / int(dev.lengths.sum() - len(dev))
    said = float(read_json(folder / "model" / "training.json")["dev_loss"])
    record.add("published", "dev loss of the loaded model", loss, "nats per token")
    difference = abs(loss / said - 1)
    record.check("published", "relative difference from the trainer's own", difference, "", difference < 5e-3)


class _Training:
    """A training in a process of its own, whose output goes to a file; ended with the block.

    Args:
        folder: of the tokens.
        sizes: of the model.
        name: of the folder that it writes to.
        compile_layers: lm.training.compile.
    """

    def __init__(self, folder: Path, sizes: Sizes, name: str, compile_layers: Literal["auto", "off"]):
        self.out = folder / name
        self.began = time.time()
        self.ended: float | None = None
        self._output = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the block
        words = command(folder, sizes, name, compile_layers)
        self.process = subprocess.Popen(words, stderr=self._output, stdout=self._output)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._output.close()

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        code = self.process.poll()
        if code is not None and self.ended is None:
            self.ended = time.time()
        return code

    @property
    def seconds(self) -> float:
        """Since it began, to its end if it has ended."""
        return (self.ended or time.time()) - self.began

    @property
    def said(self) -> str:
        """Its output so far."""
        self._output.seek(0)
        text = self._output.read()
        return text.strip()
