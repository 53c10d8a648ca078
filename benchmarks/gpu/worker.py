"""Run stages one after another in this process; `benchmarks.gpu.__main__` starts it and watches its clock.

A failed CUDA kernel leaves no usable device behind, so after a stage with an exception this process ends, and the
parent starts another one for the stages that remain.
"""

import argparse
import os
import time
from functools import partial
from importlib import import_module
from pathlib import Path

import torch
import transformers

from benchmarks.gpu.record import Recorder
from benchmarks.gpu.stages import BUDGETS, result_path
from scripts.common import cpu

THREADS = 8  # of the host, at most


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stages", nargs="+", choices=list(BUDGETS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sizes", choices=("full", "tiny"), required=True)
    parser.add_argument("--stretch", type=float, required=True)
    args = parser.parse_args()
    full = args.sizes == "full"
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    cpu.prepare(min(THREADS, os.cpu_count() or 1) if full else 1)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    for name in args.stages:
        budget = args.stretch * BUDGETS[name].seconds(full)
        record = Recorder(name, result_path(args.out, name), time.time() + budget)
        torch.manual_seed(0)
        torch.backends.cuda.matmul.allow_tf32 = False  # fp32 is IEEE's unless a measurement says otherwise
        record.run(name, partial(_stage, record, device, full))
        record.write(ended=True)
        if record.failures:
            break


def _stage(record: Recorder, device: torch.device, full: bool) -> None:
    import_module(f"benchmarks.gpu.{record.stage}").run(record, device, full)


if __name__ == "__main__":
    main()
