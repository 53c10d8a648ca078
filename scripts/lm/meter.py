"""What a training costs while it runs: operations, how near to the device's limit, memory."""

import statistics
import time
from pathlib import Path

import numpy as np
import torch

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
