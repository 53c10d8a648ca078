"""What a training costs while it runs: operations, how near to the device's limit, memory."""

import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scripts.lm.checkpoint import Position
from scripts.lm.config import ModelConfig

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
    kept = 2 * model.hidden_size * model.hidden_size * (1 + model.kv_heads / model.heads)  # q and o, k and v
    weights = model.layers * (kept + 3 * model.hidden_size * model.intermediate_size) + model.hidden_size * vocab_size
    return float(6 * weights * lengths.sum() + 6 * model.layers * model.hidden_size * np.square(lengths).sum())


def measured_peak(device: torch.device, precision: str, times: int = 5) -> float:
    """Operations per second of a large square matrix product, the median of some."""
    side = SIDE[device.type]
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(side, side, generator=generator).to(device, kind)
    clock = time.process_time if device.type == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
    spent = []
    for _ in range(times + 1):
        began = clock()
        torch.mm(a, a)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        spent.append(clock() - began)
    return 2 * side**3 / statistics.median(spent[1:])


def memory_mib(device: torch.device) -> int:
    """Most memory that was held so far, MiB: of the GPU, or of this process (Linux; 0 elsewhere)."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) // 2**20
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) // 2**10 for line in status.splitlines() if line.startswith("VmHWM")), 0)


class Meter:
    """Measures one training, row by row of its log; on many ranks all count, and the first one writes.

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

    def step(self, position: Position, lengths: np.ndarray) -> None:
        """Count a step's operations; `lengths`: predicted tokens of each utterance, [S]."""
        position.flops += step_flops(self.model, self.vocab_size, lengths)

    def row(self, position: Position) -> dict[str, float]:
        """Columns of the log since the row before; their seconds hold the dev losses measured in between."""
        seconds = max(position.seconds - position.row_seconds, 1e-9)
        share = position.loss_tokens / max(position.computed - position.row_computed, 1)
        mfu = (position.flops - position.row_flops) / seconds / self.peak
        memory = memory_mib(self.device)
        position.row_computed, position.row_flops = position.computed, position.flops
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
    """A TensorBoard writer, or None with a line that says what is missing."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        print("no TensorBoard events: tensorboard is not installed (dependency group tensorboard)", file=sys.stderr)
        return None
    return SummaryWriter(str(folder))
