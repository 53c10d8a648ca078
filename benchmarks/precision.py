"""How many pair decisions change when scoring multiplies in less than float32, on the trained models of a run.

Run `python -m benchmarks.precision results/mini` from the repository root. The sides of every task are scored in
float32 and in each precision of `evaluation.precision` that the device has, and the decisions compared. On a CPU,
which has no TF32, "tf32, emulated" rounds both factors of every linear layer's product to TF32's 10 bits of mantissa
and adds up in float32, as a GPU does. The attention's own products stay in float32; a GPU's memory-efficient kernel
computes them nearly exactly. The error of a score is its distance from float32's in nats.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from transformers import PreTrainedModel

from scripts.common import cpu
from scripts.common.cuts import Item
from scripts.common.files import read_json
from scripts.evaluation.accuracy import decide_sides
from scripts.evaluation.items import Task, cut_ids, read_items, read_tokens, scorable
from scripts.evaluation.logprobs import score
from scripts.lm.model.load import load_model

Scores = dict[str, float]
EMULATED = "tf32, emulated"
TF32_DROPPED_BITS = 13  # of float32's 23 bits of mantissa


def round_to_tf32(x: torch.Tensor) -> torch.Tensor:
    """The nearest numbers with 10 bits of mantissa, float32."""
    half, kept = 1 << (TF32_DROPPED_BITS - 1), -1 << TF32_DROPPED_BITS
    return ((x.contiguous().view(torch.int32) + half) & kept).view(torch.float32)


@contextmanager
def emulated_tf32(model: PreTrainedModel) -> Iterator[None]:
    """While it lasts, the model's linear layers multiply factors rounded to TF32."""
    layers = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    exact = [layer.weight.data for layer in layers]
    hooks = [layer.register_forward_pre_hook(lambda _, inputs: (round_to_tf32(inputs[0]),)) for layer in layers]
    for layer in layers:
        layer.weight.data = round_to_tf32(layer.weight.data)
    try:
        yield
    finally:
        for layer, weight, hook in zip(layers, exact, hooks, strict=True):
            layer.weight.data = weight
            hook.remove()


def score_in(precision: str, model: PreTrainedModel, tokens: dict[str, np.ndarray], batch_tokens: int) -> Scores:
    """`score` in one of `precisions`."""
    if precision == EMULATED:
        with emulated_tf32(model):
            return score(model, tokens, batch_tokens, precision)
    return score(model, tokens, batch_tokens, precision, precision)


def precisions(device: torch.device) -> list[str]:
    """What is compared with float32 on a device."""
    return ["tf32" if device.type == "cuda" else EMULATED, "bf16"]


class Comparison(NamedTuple):
    """How scores in another precision differ from float32's.

    Attributes:
        pairs, changed: rows of the task, and how many of them are decided otherwise.
        orders, orders_changed: all pairs of a positive and a negative side of the task, whether of one item or not, and
            how many of them change order; so many more that a rare change shows.
        mean_error, max_error: of a score, in nats.
    """

    pairs: int
    changed: int
    orders: int
    orders_changed: int
    mean_error: float
    max_error: float


def compare(items: list[Item], exact: Scores, rounded: Scores) -> Comparison:
    """Scores of all sides of the items in float32 and in another precision."""
    errors = np.array([abs(rounded[cut] - exact[cut]) for cut in cut_ids(items)])
    changed = decide_sides(items, exact) != decide_sides(items, rounded)
    before, after = (_orders(items, scores) for scores in (exact, rounded))
    return Comparison(
        len(items), int(changed.sum()), before.size, int((before != after).sum()), errors.mean(), errors.max()
    )


def _orders(items: list[Item], scores: Scores) -> np.ndarray:
    """-1, 0 or 1 for every positive side against every negative one."""
    positive = np.array([scores[item["positive"]["id"]] for item in items])
    negative = np.array([scores[cut] for item in items for cut in cut_ids([item])[1:]])
    return np.sign(positive[:, None] - negative)


def run_tasks(results: Path, modality: str) -> list[tuple[str, Task]]:
    """(name, scorable task) of the pair tasks of a run in one modality."""
    context = read_json(results / f"lm/{modality}/model/config.json")["max_position_embeddings"]
    found = []
    for file in sorted((results / "alignment/tasks").glob("*.jsonl.gz")):
        name = file.name.removesuffix(".jsonl.gz")
        items = read_items(file)
        tokens = read_tokens(results / f"tokens/{modality}/tasks/{name}.bin", cut_ids(items))
        found.append((name, scorable(Task(name, items, tokens, Path()), context)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of a finished run, results/<name>")
    parser.add_argument("--modalities", nargs="*", help="all of the run unless named")
    parser.add_argument("--batch-tokens", type=int, default=2048)
    arguments = parser.parse_args()
    cpu.prepare(1)
    modalities = arguments.modalities or list(read_json(arguments.results / "config.json")["modalities"])
    totals: dict[str, np.ndarray] = {}
    head = f"{'modality':<16}{'task':<18}{'precision':<16}{'changed':>14}{'of all orders':>16}"
    print(f"{head}{'mean error':>12}{'largest':>9}")
    for modality in modalities:
        model = load_model(arguments.results / f"lm/{modality}/model")
        for name, task in run_tasks(arguments.results, modality):
            exact = score(model, task.tokens, arguments.batch_tokens, "fp32", "fp32")
            for precision in precisions(model.device):
                one = compare(task.items, exact, score_in(precision, model, task.tokens, arguments.batch_tokens))
                print(
                    f"{modality:<16}{name:<18}{precision:<16}{f'{one.changed} of {one.pairs}':>14}"
                    f"{f'{one.orders_changed} of {one.orders}':>16}{one.mean_error:>12.5f}{one.max_error:>9.4f}",
                    flush=True,
                )
                totals[precision] = totals.get(precision, np.zeros(4, int)) + np.array(one[:4])
    for precision, (pairs, changed, orders, orders_changed) in totals.items():
        print(
            f"{precision}: {changed} of {pairs} decisions and {orders_changed} of {orders} orders differ from float32's"
        )


if __name__ == "__main__":
    main()
