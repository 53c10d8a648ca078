"""Accuracy of every layer: what could the output head already tell from its hidden states?

Each layer's states go through the final norm and the output head and score the pairs as the model
itself does; layer 0 is the embeddings, the last layer is the model.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import Item
from scripts.common.files import write_csv
from scripts.evaluation.accuracy import by_item, decide_sides, interval, normalise
from scripts.evaluation.items import add_task_arguments, cut_seconds, read_tasks

COLUMNS = ("layer", "value", "ci_low", "ci_high", "n")


@dataclass(frozen=True)
class Config:
    """Keys of config.yaml's `evaluation` that this step reads."""

    decide_by: str
    bootstrap_samples: int
    batch_tokens: int
    threads: int


def table(
    items: list[Item],
    tokens: dict[str, np.ndarray],
    logprobs: dict[str, np.ndarray],
    config: Config,
    seed: int,
) -> list[dict[str, Any]]:
    """One row per layer with its accuracy and interval; `logprobs` is cut id -> float64 [1 + layers]."""
    seconds = cut_seconds(items)
    scores = {
        cut: normalise(logprob, len(tokens[cut]) - 1, seconds[cut], config.decide_by)
        for cut, logprob in logprobs.items()
    }
    correct = by_item([item["id"] for item in items], decide_sides(items, scores))  # [N, 1 + layers]
    return [
        {"layer": layer, **interval(column, config.bootstrap_samples, seed)._asdict()}
        for layer, column in enumerate(correct.T)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--model", required=True, type=Path, help="AutoModelForCausalLM folder")
    add_task_arguments(parser)
    parser.add_argument("--config", required=True, type=lambda text: Config(**json.loads(text)))
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    config = arguments.config
    tasks = list(read_tasks(arguments))
    from scripts.evaluation.scoring import load_model, score_layers

    model = load_model(arguments.model, config.threads)
    for task in tasks:
        logprobs = score_layers(model, task.tokens, config.batch_tokens, f"{arguments.modality}/{task.name}")
        rows = table(task.items, task.tokens, logprobs, config, arguments.seed)
        write_csv(task.out, COLUMNS, rows)
        by_layer = " ".join(f"{100 * row['value']:.1f}" for row in rows)
        print(f"{arguments.modality}/{task.name}: % by layer {by_layer}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
