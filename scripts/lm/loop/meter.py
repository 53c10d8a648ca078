"""Cost of a training while it runs: operations, their share of the device's peak, memory."""

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scripts.lm.config import ModelConfig
from scripts.lm.loop.checkpoint import TrainState

SIDE = {"cpu": 1024, "cuda": 8192}  # of the matrices whose product is timed


def step_flops(model: ModelConfig, vocab_size: int, lengths: np.ndarray) -> float:
    """Floating-point operations that forward and backward need for sequences of these lengths.

    2 per weight and token forward and 4 backward (embeddings are looked up, not multiplied), and of the
    attention's two products 2 per layer, head dimension and pair of tokens that may see each other, three
    times: 6 N P + 6 L H sum(T^2), as PaLM counts (arXiv:2204.02311, appendix B), but with the causal half
    of the pairs only.

    Args:
        model: sizes.
        vocab_size: of the output head.
        lengths: predicted tokens of each sequence, [S].
    """
    lengths = lengths.astype(float)
    attention = 2 * model.hidden_size * model.hidden_size * (1 + model.kv_heads / model.heads)  # q and o, k and v
    weights = (
        model.layers * (attention + 3 * model.hidden_size * model.intermediate_size) + model.hidden_size * vocab_size
    )
    return float(6 * weights * lengths.sum() + 6 * model.layers * model.hidden_size * np.square(lengths).sum())


def measured_peak(device: torch.device, precision: str, times: int = 5) -> float:
    """Operations per second of a large square matrix product, the median of some."""
    side = SIDE[device.type]
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(side, side, generator=generator).to(device, dtype)
    clock = time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    seconds = []
    for _ in range(times + 1):
        start = clock()
        torch.mm(a, a)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        seconds.append(clock() - start)
    return 2 * side**3 / statistics.median(seconds[1:])


def memory_mib(device: torch.device) -> int:
    """Most memory held so far, MiB: of the GPU, or of this process (Linux; 0 elsewhere)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) // 2**20
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) // 2**10 for line in status.splitlines() if line.startswith("VmHWM")), 0)


class Meter:
    """Measures one training, row by row of its log; every rank counts, rank 0 writes.

    Args:
        model, vocab_size: sizes.
        precision: of the products, "bf16" or "fp32".
        device: of one rank.
        ranks: how many there are.
        peak: operations per second of one device; None: a matrix product is timed.
        events: folder for TensorBoard's event files; None, or tensorboard not installed: none are written.
    """

    def __init__(
        self,
        model: ModelConfig,
        vocab_size: int,
        precision: str,
        device: torch.device,
        ranks: int = 1,
        peak: float | None = None,
        events: Path | None = None,
    ):
        self.model, self.vocab_size, self.device = model, vocab_size, device
        self.peak = ranks * (measured_peak(device, precision) if peak is None else peak)
        self.events = None if events is None else _writer(events)
        self.note = ""

    def step(self, state: TrainState, lengths: np.ndarray) -> None:
        """Count a step's operations; `lengths`: predicted tokens of each utterance, [S]."""
        state.flops += step_flops(self.model, self.vocab_size, lengths)

    def row(self, state: TrainState) -> dict[str, float]:
        """Columns of the log since the row before; their seconds hold the dev losses measured in between."""
        seconds = max(state.seconds - state.row_seconds, 1e-9)
        share = state.loss_tokens / max(state.computed - state.row_computed, 1)
        mfu = (state.flops - state.row_flops) / seconds / self.peak
        memory = memory_mib(self.device)
        state.row_computed, state.row_flops = state.computed, state.flops
        self.note = f"{share:.1%} useful  {mfu:.0%} of the peak  {memory:,} MiB"
        return {"useful_token_share": round(share, 4), "mfu": round(mfu, 4), "memory_mib": memory}

    def write(self, row: dict[str, float | str]) -> None:
        """A row of the log as TensorBoard events, flushed."""
        if self.events is None:
            return
        for name, value in row.items():
            if name not in ("step", "epoch") and value != "":
                self.events.add_scalar(name, float(value), int(row["step"]))
        self.events.flush()


def _writer(folder: Path) -> Any:
    """A TensorBoard writer; None, with one line that says so, where tensorboard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("no TensorBoard events: tensorboard is not installed (dependency group tensorboard)", file=sys.stderr)
        return None
    return SummaryWriter(str(folder))
