"""Start the ranks of a training on this machine: torchrun, called from Python so that errors stay one line."""

import signal
import sys

import torch
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from scripts.lm.ranks import LEFT, too_few_gpus

GRACE = 600  # seconds that a signal leaves the ranks to end their step and write its state


def launch(module: str, arguments: list[str], processes: int) -> None:
    """Run `python -m module` as that many ranks; return when all are done, or exit with the code of the first to fail.

    A free port is found by the launcher itself. SIGTERM, SIGINT and SIGUSR1 are passed on to every rank. When a
    rank fails the others get SIGTERM, and SIGKILL 30 seconds later.

    Raises:
        ValueError: there are fewer GPUs than processes, or a rank was killed (which, by what).
    """
    if torch.cuda.is_available() and torch.cuda.device_count() < processes:
        raise ValueError(too_few_gpus(processes))
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",  # 0: any free port
        run_id="lm",
        local_addr="localhost",
        max_restarts=0,
        signals_to_handle="SIGTERM,SIGINT,SIGUSR1",
        shutdown_timeout=GRACE,
        logs_specs=DefaultLogsSpecs(),
    )
    try:
        elastic_launch(config, sys.executable)("-m", module, *arguments)
    except SignalException as stopped:
        sys.exit(128 + stopped.sigval)
    except ChildFailedError as error:
        own = {rank: failure for rank, failure in error.failures.items() if failure.exitcode != LEFT}
        rank, failure = min((own or error.failures).items(), key=lambda item: item[1].timestamp)
        if failure.exitcode < 0:
            raise ValueError(
                f"rank {rank} of {processes} was killed by {signal.Signals(-failure.exitcode).name} (out of memory?);"
                " the others have ended, and the same command goes on from the newest state"
            ) from None
        sys.exit(failure.exitcode)  # it has said why
