"""Encoders behind one interface: transformers in this process, fairseq in a process of its own.

`units/encoder/` says by its files which it is: a Hugging Face folder, or fairseq.json beside the checkpoint. Layer n is
the same in both: the output of n transformer layers without the final norm that some models have (HuBERT large). It is
fairseq's `extract_features(output_layer=n)` and transformers' `hidden_states[n]`; only the last hidden state of a model
with a final norm is another thing in transformers, which gives the normed one. Held by tests/units/test_fairseq.py.
"""

import hashlib
import json
import os
import shutil
import subprocess
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from scripts.common.files import read_json, write_json
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.units import encoder, fairseq_worker  # the worker for its path alone
from scripts.units.encoder import WaveBatch
from scripts.units.masked_norm import ChannelStats

CHECKPOINT, SETTINGS = "fairseq.pt", "fairseq.json"
WORKER = Path(fairseq_worker.__file__)


class Encoder(Protocol):
    """What extraction and clustering know of an encoder; see scripts.units.encoder.Encoder."""

    layer: int
    normalise: bool

    @property
    def device(self) -> torch.device:
        """Where features are."""
        ...

    def features(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:
        """float32 [frame_count(N_b), D] of each whole utterance."""
        ...

    def encode(self, batch: WaveBatch, stats: Sequence[ChannelStats | None] = ()) -> torch.Tensor:
        """[B, T, D] on `device`; a row's frames beyond its own mean nothing."""
        ...

    def channel_stats(self, wave: torch.Tensor) -> ChannelStats | None:
        """What the chunks of a long utterance [N] must know of the whole."""
        ...


class FairseqEncoder:
    """A fairseq checkpoint's features, computed by scripts.units.fairseq_worker.

    Attributes:
        device: of the features: they come back to the CPU wherever fairseq computes.

    Args:
        folder: with fairseq.pt and fairseq.json.
        layer: as everywhere, n transformer layers and no final norm.

    Raises:
        ValueError: the interpreter has no fairseq, or the checkpoint cannot be used.
    """

    device = torch.device("cpu")

    def __init__(self, folder: Path, layer: int, device: str, threads: int):
        self.layer = layer
        self.checkpoint, python = folder / CHECKPOINT, read_json(folder / SETTINGS)["python"]
        command = [python, str(WORKER), "--checkpoint", str(self.checkpoint), "--layer", str(layer)]
        command += ["--device", device, "--threads", str(threads)]
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, **encoder.FEW_PRIMITIVES},
            )
        except OSError as error:
            raise ValueError(
                f"units.encoder.fairseq_python is {python!r}, which does not run ({error.strerror}); it must be the"
                " Python of envs/fairseq.yaml (make fairseq)"
            ) from None
        weakref.finalize(self, self.process.kill)
        about = self._answer()
        if about["sample_rate"] != SAMPLE_RATE:
            raise ValueError(f"{self.checkpoint}: was trained on {about['sample_rate']} Hz; {SAMPLE_RATE} is expected")
        self.size, self.normalise = about["size"], about["normalize"]

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise ValueError(f"{self.checkpoint}: the fairseq process ended with code {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise ValueError(f"{self.checkpoint}: cannot be loaded as a HuBERT encoder ({answer['error']})")
        return answer

    def encode(self, batch: WaveBatch, stats: Sequence[ChannelStats | None] = ()) -> torch.Tensor:
        """float32 [B, T, D], zeros behind each row's own frames; `stats` are not used."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        rows = [row[:length].numpy() for row, length in zip(batch.samples.cpu(), batch.lengths, strict=True)]
        request = json.dumps({"lengths": batch.lengths}) + "\n"
        self.process.stdin.write(request.encode() + b"".join(row.tobytes() for row in rows))
        self.process.stdin.flush()
        counts = self._answer()["frames"]
        features = torch.zeros(len(counts), max(counts), self.size)
        for row, count in zip(features, counts, strict=True):
            data = self.process.stdout.read(4 * count * self.size)
            row[:count] = torch.from_numpy(np.frombuffer(data, np.float32).reshape(count, self.size).copy())
        return features

    def features(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:
        """float32 [frame_count(N_b), D] of each whole utterance."""
        out = self.encode(WaveBatch.of(waves, normalise=self.normalise)).numpy()  # [B, T, D]
        return [row[: frame_count(len(wave))] for row, wave in zip(out, waves, strict=True)]

    def channel_stats(self, wave: torch.Tensor) -> None:
        """Nothing: fairseq's norm uses a chunk's own statistics."""


def is_fairseq(folder: str | Path) -> bool:
    """Whether `fetch_fairseq` filled the folder."""
    return (Path(folder) / SETTINGS).exists()


def fetch_fairseq(source: str, python: str, folder: Path) -> str:
    """Copy a fairseq checkpoint into an encoder's folder if it can be loaded; return its fingerprint.

    Raises:
        ValueError: there is no such file, or what FairseqEncoder raises.
    """
    if not Path(source).is_file():
        raise ValueError(f"units.encoder.source is {source!r}: no such fairseq checkpoint (.pt)")
    shutil.copyfile(source, folder / CHECKPOINT)
    write_json(folder / SETTINGS, {"python": python})
    try:
        FairseqEncoder(folder, 0, "cpu", 1).process.kill()
    except ValueError as error:
        raise ValueError(str(error).replace(str(folder / CHECKPOINT), source)) from None
    return fingerprint(folder)


def fingerprint(folder: str | Path) -> str:
    """Hash of the checkpoint's bytes."""
    with open(Path(folder) / CHECKPOINT, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(
    folder: str | Path, layer: int, *, device: str = "cpu", precision: str = "fp32", threads: int = 1
) -> tuple[Encoder, str]:
    """The encoder of `units/encoder/` up to a layer, and its fingerprint.

    Args:
        folder: what scripts.units.pretrain wrote.
        layer: 1 is the first transformer layer.
        device: cpu, cuda, or auto for cuda where there is one.
        precision: fp32 or bf16 (transformers alone; fairseq computes in fp32).
        threads: of a fairseq process.
    """
    chosen = choose_device(device)
    if is_fairseq(folder):
        return FairseqEncoder(Path(folder), layer, chosen, threads), fingerprint(folder)
    return encoder.load(folder, layer, device=chosen, precision=precision)


def choose_device(device: str) -> str:
    """Cpu or cuda; ValueError if cuda is asked for and not available."""
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise ValueError("units.device is 'cuda' but torch sees no CUDA device; auto takes one where there is one")
    return "cuda" if available and device != "cpu" else "cpu"
