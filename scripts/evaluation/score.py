"""The pair tasks of one modality: log-probability of both sides of every item, and which one wins."""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import Item, speaker
from scripts.common.files import write_csv
from scripts.evaluation.accuracy import by_item, decide_sides, normalise
from scripts.evaluation.items import add_task_arguments, cut_seconds, read_tasks

COLUMNS = (
    "id",
    "voice",
    "subset",
    "group",
    "logprob_positive",
    "logprob_negative",
    "tokens_positive",
    "tokens_negative",
    "seconds_positive",
    "seconds_negative",
    "correct",
)


@dataclass(frozen=True)
class Config:
    """Keys of config.yaml's `evaluation` that this step reads."""

    decide_by: str
    batch_tokens: int
    threads: int


def table(
    items: list[Item], tokens: dict[str, np.ndarray], logprobs: dict[str, float], decide_by: str
) -> list[dict[str, Any]]:
    """One row per item: log-probabilities in nats, scored tokens (all but BOS), correct = 1, 0 or 0.5."""
    seconds = cut_seconds(items)
    decisive = {
        cut: normalise(np.array(logprob), len(tokens[cut]) - 1, seconds[cut], decide_by)
        for cut, logprob in logprobs.items()
    }
    rows = []
    for item, correct in zip(items, decide_sides(items, decisive), strict=True):
        positive, negative = item["positive"]["id"], item["negative"]["id"]
        rows.append(
            {
                "id": item["id"],
                "voice": speaker(item["positive"]),
                "subset": item["subset"],
                "group": item["group"],
                "logprob_positive": logprobs[positive],
                "logprob_negative": logprobs[negative],
                "tokens_positive": len(tokens[positive]) - 1,
                "tokens_negative": len(tokens[negative]) - 1,
                "seconds_positive": seconds[positive],
                "seconds_negative": seconds[negative],
                "correct": f"{correct:g}",
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--model", required=True, type=Path, help="AutoModelForCausalLM folder")
    add_task_arguments(parser)
    parser.add_argument("--config", required=True, type=lambda text: Config(**json.loads(text)))
    arguments = parser.parse_args()
    config = arguments.config
    # Imported here: an error in a task file should not wait seconds for torch.
    tasks = list(read_tasks(arguments))
    from scripts.evaluation.scoring import load_model, score

    model = load_model(arguments.model, config.threads)
    for task in tasks:
        logprobs = score(model, task.tokens, config.batch_tokens, f"{arguments.modality}/{task.name}")
        rows = table(task.items, task.tokens, logprobs, config.decide_by)
        write_csv(task.out, COLUMNS, rows)
        correct = by_item([row["id"] for row in rows], np.array([float(row["correct"]) for row in rows]))
        print(
            f"{arguments.modality}/{task.name}: {100 * correct.mean():.1f}% of {len(correct)} pairs"
            f" ({len(rows)} with voices), {sum(map(len, task.tokens.values()))} tokens",
            file=sys.stderr,
        )


if __name__ == "__main__":
    run(main)
