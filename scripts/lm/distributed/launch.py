"""Start the ranks of a training on this machine, as torchrun does, and end them together.

Notable: the launcher of the first node hosts the store at which the ranks meet, so a free port is found without a
race. It is written out because torchrun's own launcher grants ranks 30 s after a signal before torch 2.12, which is
too short to write a state of gigabytes.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
from torch.distributed import TCPStore

from scripts.lm.distributed.ranks import PEER_FAILED, too_few_gpus

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
SIGNAL_GRACE = 600  # seconds that ranks have after a signal to end their step and write its state
FAILURE_GRACE = 30  # seconds that ranks have after another one failed
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Nodes:
    """The machines that train together.

    Attributes:
        count: number of machines.
        number: of this one, from 0.
        address: host:port of the first machine, where all ranks meet; port 0: any free one, for one machine only.
    """

    count: int = 1
    number: int = 0
    address: str = "localhost:0"

    def __post_init__(self) -> None:
        host, _, port = self.address.rpartition(":")
        if not host or not port.isdecimal() or int(port) >= 2**16:
            raise ValueError(f"--rendezvous is {self.address}; it must be HOST:PORT of the first node")
        if not 0 <= self.number < self.count:
            raise ValueError(f"--node-rank is {self.number}; it must be from 0 to {self.count - 1}, below --nodes")
        if self.count > 1 and int(port) == 0:
            raise ValueError("several nodes need --rendezvous HOST:PORT, the same on all, HOST being the first node")


def launch(module: str, arguments: list[str], processes: int, nodes: Nodes = Nodes()) -> None:
    """Run `python -m module` as that many ranks on this machine; return when all have succeeded.

    SIGTERM, SIGINT and SIGUSR1 are passed on to every rank. When a rank fails the others get SIGTERM, and SIGKILL
    30 seconds later. Exits with the code of the first rank that failed, or 128 + signal.

    Raises:
        ValueError: there are fewer GPUs than processes, the port is taken, or a rank was killed.
    """
    if torch.cuda.is_available() and torch.cuda.device_count() < processes:
        raise ValueError(too_few_gpus(processes))
    host, _, port = nodes.address.rpartition(":")
    with _received_signals() as received:
        store = _store(host, int(port)) if nodes.number == 0 else None
        environment = {
            **os.environ,
            "MASTER_ADDR": host,
            "MASTER_PORT": str(store.port if store else port),
            "WORLD_SIZE": str(processes * nodes.count),
            "TORCHELASTIC_USE_AGENT_STORE": "True",  # the store is the launcher's: rank 0 must not open one
        }
        ranks = {
            nodes.number * processes + local: subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                env={**environment, "RANK": str(nodes.number * processes + local), "LOCAL_RANK": str(local)},
            )
            for local in range(processes)
        }
        try:
            failed = _wait(ranks, received)
        finally:
            for process in ranks.values():
                process.kill()
                process.wait()
    if failed is None:
        return
    rank, code = failed
    if received:
        sys.exit(128 + received[0])
    if code < 0:
        raise ValueError(
            f"rank {rank} of {processes * nodes.count} was killed by {signal.Signals(-code).name} (out of memory?);"
            " the others have ended, and the same command goes on from the newest state"
        )
    sys.exit(code)  # the rank has printed why


def _store(host: str, port: int) -> TCPStore:
    try:
        return TCPStore(host, port, is_master=True, wait_for_workers=False, timeout=timedelta(minutes=30))
    except RuntimeError as error:  # DistNetworkError among them
        raise ValueError(f"{host}:{port}: the ranks cannot meet there: {str(error).splitlines()[0]}") from None


@contextmanager
def _received_signals() -> Iterator[list[int]]:
    """The signals that arrive while the block runs, which they do not end."""
    received: list[int] = []

    def receive(number: int, frame: Any) -> None:
        received.append(number)

    before = {number: signal.signal(number, receive) for number in SIGNALS}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(ranks: dict[int, subprocess.Popen[bytes]], received: list[int]) -> tuple[int, int] | None:
    """Wait until all ranks have ended, at the latest some time after a signal or a failure.

    Returns:
        (rank, exit code) of the first that failed by itself rather than because of another, or None.
    """
    failures: dict[int, int] = {}
    passed_on, deadline = 0, float("inf")
    running = dict(ranks)
    while running:
        time.sleep(POLL_SECONDS)
        for number in received[passed_on:]:
            _signal(running, number)
            deadline = min(deadline, time.monotonic() + SIGNAL_GRACE)
        passed_on = len(received)
        ended = {rank: process.returncode for rank, process in running.items() if process.poll() is not None}
        running = {rank: process for rank, process in running.items() if rank not in ended}
        new = {rank: code for rank, code in ended.items() if code}
        if new and not failures and not received:
            _signal(running, signal.SIGTERM)
            deadline = time.monotonic() + FAILURE_GRACE
        failures |= new
        if time.monotonic() > deadline:
            _signal(running, signal.SIGKILL)
    own = {rank: code for rank, code in failures.items() if code != PEER_FAILED}
    return next(iter((own or failures).items()), None)


def _signal(running: dict[int, subprocess.Popen[bytes]], number: int) -> None:
    for process in running.values():
        process.send_signal(number)
