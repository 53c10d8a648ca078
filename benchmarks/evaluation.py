"""Speed of scoring, of the layer analysis and of the bootstrap, each beside what it replaces.

Run `python -m benchmarks.evaluation` from the repository root. The model is the miniature's, untrained; the pairs have
the lengths of sLM21's words and sentences in three kinds of tokens, and of stories whose sides share their beginning.
One pair at a time is transformers' own loss on each side, as most evaluation scripts do it. "Products" is what no
fp32 scoring can exceed on this machine: the model's matrix products alone, over the tokens that must be passed when
every shared beginning is passed once. Times are of the processor, one thread (on a GPU: of the clock). Names of sets
as arguments run these alone.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel

from scripts.common import cpu
from scripts.evaluation.accuracy import interval
from scripts.evaluation.logprobs import score, score_layers
from scripts.evaluation.packing import rows

VOCABULARY, BATCH_TOKENS = 103, 2048
# pairs, shortest, longest, share of the beginning that both sides have
SETS = {
    "words, BPE": (600, 2, 7, 0.0),
    "sentences, BPE": (400, 8, 20, 0.0),
    "words, phones": (400, 4, 12, 0.0),
    "sentences, phones": (200, 20, 60, 0.0),
    "stories, phones": (60, 120, 220, 0.8),
    "words, 50 Hz": (150, 20, 60, 0.0),
    "sentences, 50 Hz": (60, 60, 250, 0.0),
    "stories, 50 Hz": (16, 500, 900, 0.8),
}
AGREE = 1e-4  # relative difference of scores that counts as the same
RESAMPLES, ITEMS = 10_000, 100_000


def model() -> PreTrainedModel:
    """The miniature's language model with random weights, on a GPU if there is one."""
    sizes = yaml.safe_load(Path("config.yaml").read_text())["lm"]["model"]
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=sizes["hidden_size"],
        intermediate_size=sizes["intermediate_size"],
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        num_key_value_heads=sizes["kv_heads"],
        max_position_embeddings=sizes["context"],
    )
    return LlamaForCausalLM(config).eval().to("cuda" if torch.cuda.is_available() else "cpu")


def pairs(count: int, shortest: int, longest: int, shared: float) -> dict[str, np.ndarray]:
    """BOS ... EOS of both sides of `count` pairs; the first `shared` of a pair is the same."""
    rng = np.random.default_rng(0)
    found = {}
    for number in range(count):
        length = int(rng.integers(shortest, longest))
        beginning = rng.integers(3, VOCABULARY, round(shared * length))
        for side in ("positive", "negative"):
            rest = rng.integers(3, VOCABULARY, length - len(beginning) + int(rng.integers(0, 5)))
            found[f"{number}-{side}"] = np.concatenate([[1], beginning, rest, [2]]).astype(np.uint16)
    return found


@torch.no_grad()
def one_at_a_time(network: PreTrainedModel, sequences: dict[str, np.ndarray]) -> dict[str, float]:
    """Each sequence in a forward pass of its own, by transformers' loss."""
    found = {}
    for name, ids in sequences.items():
        row = torch.from_numpy(ids.astype(np.int64))[None].to(network.device)
        found[name] = -float(network(input_ids=row, labels=row).loss) * (len(ids) - 1)
    return found


@torch.inference_mode()
def products(network: PreTrainedModel, sequences: dict[str, np.ndarray]) -> None:
    """The matrix products of the model's linear layers over the tokens that scoring passes, and nothing else."""
    layers = [module for module in network.modules() if isinstance(module, torch.nn.Linear)]
    for row in rows(sorted(sequences.values(), key=np.ndarray.tolist), BATCH_TOKENS):
        states = {n: torch.ones(len(row.inputs), n, device=network.device) for n in {m.in_features for m in layers}}
        for layer in layers:
            layer(states[layer.in_features])


def timed(step: Callable[[], object]) -> tuple[float, object]:
    """Seconds of the best of two calls, and what the last one returned."""
    clock = time.perf_counter if torch.cuda.is_available() else time.process_time
    best, found = float("inf"), None
    for _ in range(2):
        began = clock()
        found = step()
        best = min(best, clock() - began)
    return best, found


def main() -> None:
    cpu.prepare(1)
    network, chosen = model(), sys.argv[1:]
    print(f"{'pairs per second':<18} {'one by one':>11} {'batched':>9} {'times':>6}   layers cost   products")
    for name, shape in SETS.items():
        if chosen and name not in chosen:
            continue
        sequences = pairs(*shape)
        slow, reference = timed(lambda s=sequences: one_at_a_time(network, s))
        fast, found = timed(lambda s=sequences: score(network, s, BATCH_TOKENS, "bench"))
        layers, _ = timed(lambda s=sequences: score_layers(network, s, BATCH_TOKENS, "bench"))
        least, _ = timed(lambda s=sequences: products(network, s))
        worst = max(abs(found[key] / reference[key] - 1) for key in reference)
        assert worst < AGREE, f"{name}: scores differ by {worst:.1e}"
        print(
            f"{name:<18} {shape[0] / slow:>11.1f} {shape[0] / fast:>9.1f} {slow / fast:>6.1f} {layers / fast:>13.2f}"
            f" {shape[0] / least:>10.1f}",
            flush=True,
        )
    if chosen:
        return
    rng = np.random.default_rng(0)
    for name, values in (
        ("four voices, won or lost", rng.integers(0, 2, (ITEMS, 4)).mean(axis=1)),
        ("real numbers", rng.random(ITEMS)),
    ):
        seconds, _ = timed(lambda v=values: interval(v, RESAMPLES, 1))
        print(f"bootstrap of {ITEMS:,} items, {RESAMPLES:,} resamples, {name}: {seconds:.2f} s")


if __name__ == "__main__":
    main()
