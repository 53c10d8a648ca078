"""Time of an optimizer step of the miniature's model: AdamW, torch.optim.Muon and ours.

Run `python -m benchmarks.muon` from the repository root: milliseconds of processor time of one thread, the median over
steps, without the gradients. Both Muons update the layers' matrices and leave the rest out.
"""

import statistics
import time

import torch

from benchmarks.lm import ONE_MILLION
from scripts.lm.loop.muon import Muon
from scripts.lm.model.llama import build_model

VOCABULARY, STEPS, WARM, RATE = 103, 30, 5, 3e-3


def milliseconds(optimizer: torch.optim.Optimizer) -> float:
    """Processor time of a step, the median after WARM steps."""
    times = []
    for _ in range(WARM + STEPS):
        start = time.process_time()
        optimizer.step()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times[WARM:])


def main() -> None:
    """Print a line per optimizer."""
    torch.set_num_threads(1)
    model = build_model(ONE_MILLION, VOCABULARY, 1, 2, seed=0)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    matrices = [p for p in model.model.layers.parameters() if p.dim() == 2]
    optimizers = {
        "AdamW, all parameters": torch.optim.AdamW(model.parameters(), lr=RATE, fused=True),
        "torch.optim.Muon": torch.optim.Muon(matrices, lr=RATE, adjust_lr_fn="match_rms_adamw"),
        "ours, bf16": Muon(matrices, lr=RATE),
        "ours, fp32": Muon(matrices, lr=RATE, dtype=torch.float32),
    }
    for name, optimizer in optimizers.items():
        print(f"{name:<24} {milliseconds(optimizer):6.1f} ms")


if __name__ == "__main__":
    main()
