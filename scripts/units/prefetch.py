"""Batches of audio that processes decode, normalise and pad while the encoder works on earlier ones.

Memory: at most `AHEAD` batches per process wait in page-locked memory, one more per process is being decoded there
(as waveforms and padded), and the encoder holds two. A batch is at most `units.batch_seconds` of audio at 64 kB per
second, or one longer utterance.
"""

import io
import json
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import torch

from scripts.common import audio
from scripts.common.cuts import Cut
from scripts.units import decode_worker
from scripts.units.encoder import WaveBatch

AHEAD = 2  # batches per process that are decoded or being decoded


class DecodeProcess:
    """One process of scripts.units.decode_worker; `pin` puts what it decodes in page-locked memory."""

    def __init__(self, root: str, *, normalise: bool, pin: bool):
        self.request, self.pin = {"root": str(root), "normalise": normalise}, pin
        command = [sys.executable, "-m", decode_worker.__name__]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def decode(self, cuts: Sequence[Cut]) -> WaveBatch:
        """The cuts' audio.

        Raises:
            AudioError: naming the cut that cannot be used.
            UnreachableError: naming the file that cannot be read.
            ValueError: the process ended.
        """
        assert self.process.stdin is not None
        assert isinstance(self.process.stdout, io.BufferedReader)
        if not cuts:
            return WaveBatch(torch.zeros(0, 0), [])
        try:
            self.process.stdin.write(json.dumps({**self.request, "cuts": cuts}).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the process has ended: the missing answer says so
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"lengths": [1]}
        if "error" in answer:
            if answer["reason"] is None:
                raise audio.UnreachableError(answer["error"])
            raise audio.AudioError(answer["reason"], answer["error"])
        lengths = answer["lengths"]
        samples = torch.empty(len(lengths), max(lengths), pin_memory=self.pin)  # [B, N]
        # One copy, from the pipe into the memory that the GPU reads, without Python's lock.
        if self.process.stdout.readinto(samples.numpy().data.cast("B")) < samples.nbytes:
            raise ValueError(f"a process that decodes audio ended with code {self.process.wait()}")
        return WaveBatch(samples, lengths)

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


def prefetch(
    batches: Iterable[Sequence[Cut]], root: str, workers: int, *, normalise: bool, pin: bool = False
) -> Iterator[WaveBatch]:
    """Audio of each batch, in order; with 0 workers it is read when asked for, in this process.

    Args:
        batches: cuts; an empty batch gives an empty WaveBatch.
        root: folder of the audio.
        workers: decoding processes.
        normalise: bring each utterance to zero mean and unit variance.
        pin: processes' batches arrive in page-locked memory, from which a GPU copies while it computes.
    """
    if workers == 0:
        for batch in batches:
            yield WaveBatch.of([audio.read(cut, root) for cut in batch], normalise=normalise)
        return
    processes = [DecodeProcess(root, normalise=normalise, pin=pin) for _ in range(workers)]
    idle: SimpleQueue[DecodeProcess] = SimpleQueue()
    for process in processes:
        idle.put(process)

    def decode(cuts: Sequence[Cut]) -> WaveBatch:
        process = idle.get()
        try:
            return process.decode(cuts)
        finally:
            idle.put(process)

    pool = ThreadPoolExecutor(workers)
    pending: deque[Future[WaveBatch]] = deque()
    try:
        for batch in batches:
            pending.append(pool.submit(decode, batch))
            if len(pending) > AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.process.kill()
        pool.shutdown()
        for process in processes:
            process.close()
