"""Decoding processes give the samples that this process would read, import no torch, and report unreadable files."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from scripts.common.audio import AudioError, UnreachableError
from scripts.common.cuts import read_cuts
from scripts.units.prefetch import DecodeProcess, prefetch
from tests.factories.cuts import hummed_cut


@pytest.mark.parametrize("normalise", [False, True])
def test_processes_read_the_same(corpus: SimpleNamespace, normalise: bool) -> None:
    cuts = [cut for path in corpus.train for cut in read_cuts(path)]
    planned = [*(cuts[i : i + 4] for i in range(0, len(cuts), 4)), []]
    here, there = (list(prefetch(planned, corpus.root, workers, normalise=normalise)) for workers in (0, 2))
    assert [len(batch.lengths) for batch in here] == [4, 4, 4, 3, 0]
    for a, b in zip(here, there, strict=True):
        assert a.lengths == b.lengths
        assert torch.equal(a.samples, b.samples)


def test_audio_that_cannot_be_read(corpus: SimpleNamespace) -> None:
    with pytest.raises(AudioError, match=r"x: .* does not exist") as error:
        list(prefetch([[hummed_cut("x", "gone.flac", 0.0, 16_000)]], corpus.root, 1, normalise=True))
    assert error.value.reason == "audio-missing"


@pytest.mark.parametrize("workers", [0, 1])
def test_a_file_that_cannot_be_reached(tmp_path: Path, workers: int) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "a.wav"))  # is there, and cannot be opened
        with pytest.raises(UnreachableError, match=r"a\.wav is there but cannot be read"):
            list(prefetch([[hummed_cut("x", "a.wav", 0.0, 16_000)]], str(tmp_path), workers, normalise=True))


def test_a_process_that_dies(corpus: SimpleNamespace) -> None:
    process = DecodeProcess(corpus.root, normalise=True, pin=False)
    cuts = list(read_cuts(corpus.dev))
    assert len(process.decode(cuts).lengths) == len(cuts)
    os.kill(process.process.pid, signal.SIGKILL)
    with pytest.raises(ValueError, match="a process that decodes audio ended with code -9"):
        process.decode(cuts)
    process.close()


def test_stopping_early_ends_the_processes(corpus: SimpleNamespace) -> None:
    cuts = list(read_cuts(corpus.dev))
    stream = prefetch([cuts] * 50, corpus.root, 2, normalise=True)
    next(stream)
    stream.close()
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "args="], capture_output=True, text=True).stdout
    assert "decode_worker" not in children


def test_a_process_imports_neither_torch_nor_transformers() -> None:
    code = "import sys, scripts.units.decode_worker; print({'torch', 'transformers'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
