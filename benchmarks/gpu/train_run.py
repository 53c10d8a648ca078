"""Stage 4: `scripts.lm.train` as the workflow runs it, on tokens from a source of known entropy.

Two trainings of the same tokens run side by side. One is left alone; the other gets SIGTERM inside its first epoch and
is started again. Both must end at the same loss, near the source's own, and with a folder that transformers loads.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

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
SAME_LOSS = 2e-3  # relative difference of a resumed training's dev loss where sums are not repeated bit for bit


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


def command(folder: Path, sizes: Sizes, out: str) -> list[str]:
    """Of one training."""
    training = recipe(8192, "auto")
    training = replace(
        training,
        epochs=1,
        evaluations_per_epoch=1,
        batch_utterances=sizes.batch_utterances,
        learning_rate=sizes.learning_rate,
        checkpoints_in_epoch_1=EXPORTS,
    )
    config = json.dumps(asdict(LMConfig(sizes.model, training)))
    files = ["--train", f"{folder}/train.bin", "--dev", f"{folder}/dev.bin", "--tokenizer", f"{folder}/tokenizer"]
    more = ["--config", config, "--seed", str(SEED), "--name", "source", "--out", f"{folder}/{out}"]
    return [sys.executable, "-m", "scripts.lm.train", *files, *more]


def _trainings(record: Recorder, folder: Path, sizes: Sizes, source: Source, dev: Ragged) -> None:
    began = time.time()
    with _started(command(folder, sizes, "whole")) as whole:
        with _started(command(folder, sizes, "stopped")) as stopped:
            exports = folder / "stopped" / "checkpoints" / "scaling"
            while len(list(exports.glob("tokens-*"))) < STOP_AFTER:
                if stopped.poll() is not None:
                    raise RuntimeError(f"the training ended before it was stopped: {_said(stopped)}")
                _in_time(record)
                time.sleep(0.01)
            stopped.send_signal(signal.SIGTERM)
            code = _wait(record, stopped)
        record.check("stopped", "exit code", code, "", code == 128 + signal.SIGTERM)
        with _started(command(folder, sizes, "stopped")) as resumed:
            code = _wait(record, resumed)
            said = _said(resumed)
        record.check("resumed", "exit code", code, "", code == 0, said[-300:])
        record.check(
            "resumed", "went on from a state", "going on after step" in said, "", "going on after step" in said
        )
        code = _wait(record, whole)
        record.check("uninterrupted", "exit code", code, "", code == 0, _said(whole)[-300:])
    record.add("training", "time of all three", time.time() - began, "s")

    about = {name: read_json(folder / name / "model" / "training.json") for name in ("whole", "stopped")}
    log = read_csv(folder / "whole" / "log.csv")
    first, last = float(log[0]["train_loss"]), float(about["whole"]["dev_loss"])
    floor = source.loss(dev)
    record.add("source", "entropy", source.entropy, "nats per token", headline=True)
    record.add("source", "its own loss on dev", floor, "nats per token", headline=True)
    record.add("uninterrupted", "parameters", about["whole"]["parameters"], "")
    record.add("uninterrupted", "speed", [float(row["tokens_per_second"]) for row in log], "tokens/s")
    record.add("uninterrupted", "first train loss", first, "nats per token")
    record.add("uninterrupted", "dev loss", last, "nats per token", headline=True)
    left = (last - floor) / (first - floor)
    record.check(
        "uninterrupted", "share of the way to the source's loss that is left", left, "", -0.01 < left < sizes.gap
    )

    again = float(about["stopped"]["dev_loss"])
    difference = abs(again / last - 1)
    record.check("resumed", "relative difference of dev loss", difference, "", difference <= SAME_LOSS)
    mine, theirs = (load_file(folder / name / "model" / "model.safetensors") for name in ("whole", "stopped"))
    same = all(torch.equal(mine[key], theirs[key]) for key in mine)
    note = "bit for bit; a GPU's attention may add gradients in any order"
    record.add("resumed", "weights equal", float(same), "", note=note, headline=True)
    distance = sum(float((mine[key] - theirs[key]).square().sum()) for key in mine) ** 0.5
    norm = sum(float(tensor.square().sum()) for tensor in mine.values()) ** 0.5
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


@contextmanager
def _started(words: list[str]) -> Iterator[subprocess.Popen]:
    """A training whose output goes to a file; ended with the block."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(words, stderr=output, stdout=output)
        process.output = output  # type: ignore[attr-defined]
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()


def _said(process: subprocess.Popen) -> str:
    output = process.output  # type: ignore[attr-defined]
    output.seek(0)
    return str(output.read()).strip()


def _wait(record: Recorder, process: subprocess.Popen) -> int:
    while (code := process.poll()) is None:
        _in_time(record)
        time.sleep(0.01)
    return code


def _in_time(record: Recorder) -> None:
    if record.left < 0:
        raise TimeoutError("the stage's budget is over before its trainings are")
