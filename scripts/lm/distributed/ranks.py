"""The processes (ranks) that train one model together: one per GPU, or several on a CPU.

Notable: every decision is a collective (`sum`, `all_reduce_max`, `broadcast`, `sync_errors`), so no rank waits in an
exchange that the others have left, and an error that occurs on several ranks is reported once. These small exchanges
go over gloo between CPUs; gradients, weights and moments go over NCCL where there are GPUs.
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

import torch
import torch.distributed as dist

PEER_FAILED = 75  # exit code of a rank that ends because another one failed; the other reports why
TIMEOUT = timedelta(minutes=30)  # of one exchange: rank 0 may be writing a model of many gigabytes
PR_SET_PDEATHSIG = 1  # Linux, prctl(2)
ENVIRONMENT = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}  # torchrun's variables and their defaults


class Ranks:
    """This process among the processes of its training.

    Attributes:
        rank: number of this process, from 0.
        size: number of processes.
        device: what this rank computes on.
        distributed: whether there is a process group: always with several ranks, with one only where it is asked for.
    """

    def __init__(self, rank: int = 0, size: int = 1, local_rank: int = 0, *, distributed: bool | None = None):
        cuda = torch.cuda.is_available()
        if cuda and local_rank >= torch.cuda.device_count():
            raise ValueError(too_few_gpus(local_rank + 1))
        self.rank, self.size = rank, size
        self.distributed = size > 1 if distributed is None else distributed
        self.device = torch.device(f"cuda:{local_rank}" if cuda else "cpu")
        if not self.distributed:
            return
        if cuda:
            torch.cuda.set_device(self.device)
        try:
            dist.init_process_group(
                "cpu:gloo,cuda:nccl" if cuda else "gloo",
                timeout=TIMEOUT,
                rank=rank,
                world_size=size,
                device_id=self.device if cuda else None,  # NCCL connects now, on this GPU, not at the first exchange
            )
        except (dist.DistNetworkError, dist.DistStoreError) as error:
            address = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
            raise ValueError(
                f"rank {rank} of {size} cannot meet the others at {address} (MASTER_ADDR:MASTER_PORT):"
                f" {str(error).splitlines()[0]}; take a free port, or let --processes find one"
            ) from None

    @classmethod
    def from_environment(cls) -> "Ranks":
        """The rank that torchrun's variables name; without them the only process of a training.

        Raises:
            ValueError: more ranks on this machine than GPUs, or no connection to the other ranks.
        """
        rank, size, local_rank = (int(os.environ.get(name, default)) for name, default in ENVIRONMENT.items())
        if is_launched():
            _die_with_parent()
        return cls(rank, size, local_rank)

    @property
    def is_main(self) -> bool:
        """Whether this is rank 0, the only one that prints and writes files."""
        return self.rank == 0

    def sum(self, *values: float) -> list[float]:
        """Each value summed over all ranks, in the order of the ranks: the same on every rank."""
        return [float(total) for total in self._all_gather(values).sum(0)] if self.distributed else list(values)

    def all_reduce_max(self, *values: int) -> list[int]:
        """The largest of each value over all ranks."""
        return [int(largest) for largest in self._all_gather(values).amax(0)] if self.distributed else list(values)

    def broadcast(self, value: Any) -> Any:
        """Rank 0's value on every rank; any value that can be pickled."""
        values = [value]
        if self.distributed:
            dist.broadcast_object_list(values, 0, device=torch.device("cpu"))
        return values[0]

    def _all_gather(self, values: tuple[float, ...]) -> torch.Tensor:
        """float64 [ranks, values]."""
        own = torch.tensor(values, dtype=torch.float64)
        gathered = [torch.empty_like(own) for _ in range(self.size)]
        dist.all_gather(gathered, own)
        return torch.stack(gathered)

    @contextmanager
    def sync_errors(self) -> Iterator[None]:
        """Run a block on every rank; if it fails on one, all ranks end, and the first that failed reports its error."""
        failure = None
        try:
            yield
        except (ValueError, OSError) as error:
            failure = error
        first = self.size - self.all_reduce_max(self.size - self.rank if failure else 0)[0]
        if first == self.rank and failure:
            raise failure
        if first < self.size:
            sys.exit(PEER_FAILED)

    @contextmanager
    def hard_exit(self) -> Iterator[None]:
        """In a process group, leave Python at the end of the block, with one line for an error.

        An orderly shutdown of gloo or NCCL may wait forever for a rank that is gone, or for one of its own threads.
        """
        if not self.distributed:
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
            code = PEER_FAILED if lost else traceback.format_exc()
            if lost:
                print(f"rank {self.rank} ends: another rank of {self.size} is gone", file=sys.stderr)
        except Exception:  # a defect
            code = traceback.format_exc()
        if isinstance(code, str):
            print(code, file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1 if isinstance(code, str) else code or 0)


def is_launched() -> bool:
    """Whether a launcher has started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def too_few_gpus(wanted: int) -> str:
    """The message where a machine has fewer GPUs than ranks."""
    return (
        f"{wanted} or more processes on a machine with {torch.cuda.device_count()} GPUs that can be seen;"
        " each process needs one: lower cluster.gpus.lm, or --processes"
    )


def _die_with_parent() -> None:
    """Have the kernel kill this rank when its launcher is killed: it must not go on beside its successor."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
