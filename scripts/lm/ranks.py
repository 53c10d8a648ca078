"""The processes that train one model together: a rank each, one per GPU, or several on a CPU.

Notable: whatever decides what happens next is agreed (`sum`, `most`, `together`), so no rank ever waits in
an exchange that the others have left, and of a mistake that all have made only one speaks. What is agreed
goes over gloo, between CPUs; gradients and moments go over NCCL where there are GPUs.
"""

import ctypes
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

LEFT = 75  # exit code of a rank that ends because of another; the other says why
TIMEOUT = timedelta(minutes=30)  # of an exchange: rank 0 may be writing a model of many gigabytes
PR_SET_PDEATHSIG = 1  # Linux, prctl(2)


class Ranks:
    """This process among those of its training.

    Attributes:
        rank: number of this process, from 0; only rank 0 speaks and writes.
        size: how many there are.
        device: what this rank computes on.
    """

    def __init__(self, rank: int = 0, size: int = 1, local: int = 0):
        cuda = torch.cuda.is_available()
        if cuda and local >= torch.cuda.device_count():
            raise ValueError(too_few_gpus(local + 1))
        self.rank, self.size = rank, size
        self.device = torch.device(f"cuda:{local}" if cuda and size > 1 else "cuda" if cuda else "cpu")
        if size == 1:
            return
        if cuda:
            torch.cuda.set_device(self.device)
        try:
            backend = "cpu:gloo,cuda:nccl" if cuda else "gloo"
            dist.init_process_group(backend, timeout=TIMEOUT, rank=rank, world_size=size)
        except (dist.DistNetworkError, dist.DistStoreError) as error:
            place = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
            raise ValueError(
                f"rank {rank} of {size} cannot meet the others at {place} (MASTER_ADDR:MASTER_PORT):"
                f" {str(error).splitlines()[0]}; take a free port, or let --processes find one"
            ) from None

    @classmethod
    def join(cls) -> "Ranks":
        """The rank that torchrun's variables name; without them the one process of a training.

        Raises:
            ValueError: more ranks on this machine than GPUs, or no way to the other ranks.
        """
        numbers = [int(os.environ.get(name, default)) for name, default in DEFAULTS.items()]
        if launched():
            _die_with_parent()
        return cls(*numbers)

    @property
    def speaks(self) -> bool:
        """Whether this rank prints and writes."""
        return self.rank == 0

    def sum(self, *values: float) -> list[float]:
        """Each value summed over all ranks, in their order: the same on every rank."""
        return list(values) if self.size == 1 else [float(total) for total in self._gather(values).sum(0)]

    def most(self, *values: int) -> list[int]:
        """The largest of each value over all ranks."""
        return list(values) if self.size == 1 else [int(most) for most in self._gather(values).amax(0)]

    def told(self, value: Any) -> Any:
        """What rank 0 says: any picklable value, the same on every rank."""
        said = [value]
        if self.size > 1:
            dist.broadcast_object_list(said, 0, device=torch.device("cpu"))
        return said[0]

    def _gather(self, values: tuple[float, ...]) -> torch.Tensor:
        """float64 [ranks, values]."""
        mine = torch.tensor(values, dtype=torch.float64)
        everyones = [torch.empty_like(mine) for _ in range(self.size)]
        dist.all_gather(everyones, mine)
        return torch.stack(everyones)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Run a block on every rank; where it fails on one, all end, and the first that failed says why."""
        failure = None
        try:
            yield
        except (ValueError, OSError) as error:
            failure = error
        first = self.size - self.most(self.size - self.rank if failure else 0)[0]
        if first == self.rank and failure:
            raise failure
        if first < self.size:
            sys.exit(LEFT)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """With several ranks, leave Python at the block's end, however it ends, with one line for what went wrong.

        Taking gloo or NCCL down in good order may wait for ever for a rank that is gone, or for one's own threads.
        """
        if self.size == 1:
            yield
            return
        code: int | str | None = 0
        try:
            yield
        except SystemExit as stopped:
            code = stopped.code
        except (ValueError, OSError) as error:
            code = f"error: {error}"
        except RuntimeError as error:
            lost = re.search(r"gloo|NCCL|[Cc]onnection", str(error))
            code = LEFT if lost else traceback.format_exc()
            if lost:
                print(f"rank {self.rank} ends: another rank of {self.size} is gone", file=sys.stderr)
        except Exception:  # a defect
            code = traceback.format_exc()
        if isinstance(code, str):
            print(code, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1 if isinstance(code, str) else code or 0)


DEFAULTS = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}  # torchrun's variables, as one process sees them


def launched() -> bool:
    """Whether torchrun, or the like, has started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def too_few_gpus(wanted: int) -> str:
    """What is wrong where a machine has fewer GPUs than ranks."""
    return (
        f"{wanted} or more processes on a machine with {torch.cuda.device_count()} GPUs that can be seen;"
        " each process needs one: lower cluster.gpus.lm, or --processes"
    )


def deal(sizes: np.ndarray, hands: int) -> np.ndarray:
    """Whose each item is, int64 [S], so that the hands' sums are near each other: largest first, to the emptiest.

    Args:
        sizes: int64 [S].
        hands: how many share them.
    """
    filled = np.zeros(hands, dtype=np.int64)
    owners = np.zeros(len(sizes), dtype=np.int64)
    for item in np.argsort(-np.asarray(sizes), kind="stable"):
        owners[item] = np.argmin(filled)  # the first of the emptiest
        filled[owners[item]] += sizes[item]
    return owners


def _die_with_parent() -> None:
    """A rank whose launcher is killed must not go on beside its successor: torchrun's own ranks would."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
