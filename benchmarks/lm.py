"""Training speed against transformers' `Trainer`: same model, utterances, precision and machine, one thread.

Run `python -m benchmarks.lm` from the repository root; in bf16 where the processor has it, else in fp32. For each size
of model and kind of tokens: useful tokens per second of processor time, the median over steps, of

- Trainer as it is: each batch padded to its longest utterance;
- Trainer with length grouping: batches of utterances of like length;
- ours: utterances end to end, as `scripts.lm.loop.trainer` computes them.

"Of the product" is the share of the machine's own matrix product, measured between the steps, that ours reaches
in the operations that the model needs (`scripts.lm.loop.meter.step_flops`; padding and what is computed twice do not
count).
"""

import statistics
import tempfile
import time
from typing import Any

import numpy as np
import torch
import transformers
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from scripts.common import cpu
from scripts.common.ragged import Ragged
from scripts.lm.batching.batches import micro_batches
from scripts.lm.config import ModelConfig
from scripts.lm.loop.meter import measured_peak, step_flops
from scripts.lm.model.llama import build_model, packed_loss

BATCH, STEPS, WARM, ROW_TOKENS, RATE = 8, 12, 3, 4096, 1e-3
TOKENS = {"50 Hz": (400, 103), "characters": (110, 103), "BPE": (30, 603)}  # mean length, vocabulary
PRECISION = cpu.precision("auto", torch.device("cpu"))
ONE_MILLION = ModelConfig(hidden_size=128, intermediate_size=344, layers=4, heads=2, kv_heads=2, context=1536)
FIVE_MILLION = ModelConfig(hidden_size=256, intermediate_size=688, layers=6, heads=4, kv_heads=4, context=1536)


class Clock(TrainerCallback):
    """Processor time at the end of each step."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ends.append(time.process_time())


def padded(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
    """One batch as long as its longest, with its mask."""
    ids = [torch.tensor(row["input_ids"]) for row in rows]
    pad = torch.nn.utils.rnn.pad_sequence
    mask = pad([torch.ones_like(row) for row in ids], batch_first=True)
    labels = pad(ids, batch_first=True, padding_value=-100)
    return {"input_ids": pad(ids, batch_first=True), "attention_mask": mask, "labels": labels}


def by_trainer(config: ModelConfig, vocabulary: int, utterances: list[np.ndarray], strategy: str) -> float:
    """Useful tokens per second of each step, in the median."""
    model = build_model(config, vocabulary, 1, 2, 0)
    model.set_attn_implementation("sdpa")
    clock, useful = Clock(), []

    def collate(rows: list[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        useful.append(sum(len(row["input_ids"]) - 1 for row in rows))
        return padded(rows)

    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=BATCH,
            max_steps=STEPS,
            learning_rate=RATE,
            bf16=PRECISION == "bf16",
            use_cpu=True,
            optim="adamw_torch_fused",
            train_sampling_strategy=strategy,
            remove_unused_columns=False,
            save_strategy="no",
            logging_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        rows = [{"input_ids": utterance.tolist()} for utterance in utterances]
        trainer = Trainer(model, arguments, data_collator=collate, train_dataset=rows, callbacks=[clock])  # type: ignore[arg-type]
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    seconds = np.diff(clock.ends)
    return statistics.median(np.array(useful[1 : len(clock.ends)])[WARM - 1 :] / seconds[WARM - 1 :])


def by_us(config: ModelConfig, vocabulary: int, utterances: list[np.ndarray]) -> tuple[float, float]:
    """(useful tokens per second, share of the matrix product), each in the median over the steps."""
    model = build_model(config, vocabulary, 1, 2, 0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, fused=True)
    rates, shares = [], []
    for step in range(STEPS):
        chosen = utterances[step * BATCH : (step + 1) * BATCH]
        tokens = Ragged.join([str(i) for i in range(BATCH)], chosen)
        lengths = tokens.lengths - 1
        began = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=PRECISION == "bf16"):
            for packed in micro_batches(tokens, np.arange(BATCH), ROW_TOKENS):
                (packed_loss(model, packed) / lengths.sum()).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds = time.process_time() - began
        peak = measured_peak(torch.device("cpu"), PRECISION)
        if step >= WARM:
            rates.append(lengths.sum() / seconds)
            shares.append(step_flops(config, vocabulary, lengths) / seconds / peak)
    return statistics.median(rates), statistics.median(shares)


def main() -> None:
    cpu.prepare(1)
    transformers.utils.logging.set_verbosity_error()
    peaks = [measured_peak(torch.device("cpu"), precision) / 1e9 for precision in ("bf16", "fp32")]
    print(f"matrix product alone: {peaks[0]:.0f} GFLOP/s in bf16, {peaks[1]:.0f} in fp32; trained in {PRECISION}")
    print(f"{'':<22} {'Trainer':>8} {'grouped':>8} {'ours':>8} {'times':>6} {'of the product':>15}")
    for size, config in (("0.9 M", ONE_MILLION), ("5 M", FIVE_MILLION)):
        for name, (mean, vocabulary) in TOKENS.items():
            rng = np.random.default_rng(0)
            lengths = rng.uniform(0.4 * mean, 1.6 * mean, BATCH * STEPS).astype(int)
            utterances = [np.array([1, *rng.integers(3, vocabulary, n - 2), 2]) for n in lengths]
            theirs = [by_trainer(config, vocabulary, utterances, way) for way in ("random", "group_by_length")]
            ours, share = by_us(config, vocabulary, utterances)
            print(
                f"{size:<6} {name:<15} {theirs[0]:>8,.0f} {theirs[1]:>8,.0f} {ours:>8,.0f} {ours / max(theirs):>6.2f}"
                f" {share:>15.0%}",
                flush=True,
            )


if __name__ == "__main__":
    main()
