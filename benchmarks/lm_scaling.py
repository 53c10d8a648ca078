"""GPU-hours of the paper's trainings, from operations and assumed rates: nothing here is measured.

Run `python -m benchmarks.lm_scaling` from the repository root; it prints Markdown. Tokens per epoch are the paper's
(table 2), its 43,000 hours in LibriHeavy's mean cut of 14.8 s, all cuts taken to be equally long. Operations are
`scripts.lm.loop.meter.step_flops`. The rate is TinyLlama's report of 56% of an A100's 312 TFLOP/s in bf16
(arXiv:2401.02385, full sequences of 2048 tokens), and the same share of an H200's 989 (dense, by its data sheet), which
is an assumption.
"""

from dataclasses import replace

import numpy as np

from scripts.lm.config import ModelConfig
from scripts.lm.loop.meter import step_flops

# Vocabulary and tokens per epoch.
MODALITIES = {
    "Text-BPE": (2048, 696.2e6),
    "Text-Raw": (80, 2.249e9),
    "Phone-BPE": (2048, 625.7e6),
    "Phone-Raw": (80, 1.542e9),
    "Phone-Repeat": (80, 7.737e9),
    "Speech-HuBERT": (2048, 7.737e9),
}
HOURS, CUT_SECONDS, EPOCHS = 43_000, 14.8, 3
A100, H200, SHARE = 312e12, 989e12, 0.56
TINYLLAMA = ModelConfig(hidden_size=2048, intermediate_size=5632, layers=22, heads=32, kv_heads=4, context=2048)
# Llama-2-13B's shape with fewer layers: ten times the weights of the layers.
TEN_TIMES = replace(TINYLLAMA, hidden_size=5120, intermediate_size=13824, layers=36, heads=40, kv_heads=8)


def operations(model: ModelConfig, vocabulary: int, tokens: float, data: float = 1.0) -> float:
    """Of `EPOCHS` epochs over `data` times the paper's corpus."""
    utterances = HOURS * 3600 / CUT_SECONDS
    return EPOCHS * data * utterances * step_flops(model, vocabulary, np.array([tokens / utterances]))


def weights(model: ModelConfig) -> float:
    """Of the layers."""
    return step_flops(model, 0, np.array([1e-9])) / 6e-9


def main() -> None:
    print(f"{weights(TINYLLAMA) / 1e9:.2f} and {weights(TEN_TIMES) / 1e9:.2f} billion weights in the layers\n")
    print(
        "| modality | tokens, 3 epochs (1e9) | operations (1e18) | A100-hours | H200-hours | 10x data | 10x weights |"
    )
    print("|---|---|---|---|---|---|---|")
    total = np.zeros(4)
    for name, (vocabulary, tokens) in MODALITIES.items():
        needed = operations(TINYLLAMA, vocabulary, tokens)
        more = [operations(TINYLLAMA, vocabulary, tokens, 10.0), operations(TEN_TIMES, vocabulary, tokens)]
        hours = np.array([needed / A100, *(x / H200 for x in (needed, *more))]) / SHARE / 3600
        total += hours
        row = [name, f"{EPOCHS * tokens / 1e9:.1f}", f"{needed / 1e18:.1f}", *(f"{x:,.0f}" for x in hours)]
        print(f"| {' | '.join(row)} |")
    print(f"| all | | | {' | '.join(f'{x:,.0f}' for x in total)} |")


if __name__ == "__main__":
    main()
