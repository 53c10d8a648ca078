"""Training speed of the packed language model against a plain padded loop, same model and utterances.

Run `python -m benchmarks.lm` from the repository root; tokens per second of processor time, one thread.
"""

import json
import time
from collections.abc import Callable

import numpy as np
import torch
import yaml
from transformers import LlamaForCausalLM

from scripts.common import cpu
from scripts.common.ragged import Ragged
from scripts.lm.batches import micro_batches
from scripts.lm.config import parse_config
from scripts.lm.model import build_model, packed_loss
from scripts.lm.training import MICRO_BATCH_TOKENS

VOCABULARY, STEPS = 103, 4
MEAN_TOKENS = {"50 Hz": 400, "characters": 110, "BPE": 30}


def padded_step(model: LlamaForCausalLM, tokens: Ragged) -> None:
    """All utterances in one batch as long as the longest, transformers' own attention and loss."""
    rows = [torch.from_numpy(sequence.astype(np.int64)) for sequence in tokens]
    ids = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=2)
    labels = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-100)
    model(ids, labels=labels, use_cache=False).loss.backward()


def packed_step(model: LlamaForCausalLM, tokens: Ragged) -> None:
    """As in training."""
    for packed in micro_batches(tokens, np.arange(len(tokens)), MICRO_BATCH_TOKENS):
        packed_loss(model, packed).backward()


def speed(step: Callable[[LlamaForCausalLM, Ragged], None], model: LlamaForCausalLM, batches: list[Ragged]) -> float:
    """Tokens per second, the first batch not counted."""
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    start = 0.0
    for number, tokens in enumerate(batches):
        if number == 1:
            start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16):
            step(model, tokens)
        optimizer.step()
        optimizer.zero_grad()
    return sum(len(tokens.stream) for tokens in batches[1:]) / (time.process_time() - start)


def main() -> None:
    cpu.prepare(1)
    with open("config.yaml", encoding="utf-8") as file:
        config = parse_config(json.dumps(yaml.safe_load(file)["lm"]))
    rng = np.random.default_rng(0)
    loops = (("padded", "sdpa", padded_step), ("packed", "packed", packed_step))
    print(f"{'sequences':<12} {'tokens':>6} {'padded':>8} {'packed':>8}   tokens per second of processor time")
    for name, mean in MEAN_TOKENS.items():
        batches = []
        for _ in range(1 + STEPS):
            lengths = rng.uniform(0.4 * mean, 1.6 * mean, config.training.batch_utterances).astype(int)
            sequences = [rng.integers(3, VOCABULARY, n) for n in lengths]
            batches.append(Ragged.join([str(i) for i in range(len(sequences))], sequences))
        speeds = []
        for _, attention, step in loops:
            model = build_model(config.model, VOCABULARY, 1, 2, 0, config.training.precision)
            model.set_attn_implementation(attention)
            speeds.append(speed(step, model, batches))
        print(f"{name:<12} {mean:>6} {speeds[0]:>8,.0f} {speeds[1]:>8,.0f}")


if __name__ == "__main__":
    main()
