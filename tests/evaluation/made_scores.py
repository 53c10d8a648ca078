"""Score files and bits of invented models: mirrored couples whose items are won with a given probability."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from scripts.common.files import write_csv
from scripts.evaluation.score_rows import COLUMNS


def score_rows(right: np.ndarray) -> list[dict[str, object]]:
    """Rows of pairs that are right or wrong, [N], two to a couple."""
    return [
        {
            **dict.fromkeys(COLUMNS, ""),
            "id": f"i{place:04}",
            "voice": "v",
            "couple": f"c{place // 2:04}",
            "logprob_positive": -1.0 if won else -2.0,
            "logprob_negative": -1.5,
            "correct": float(won),
        }
        for place, won in enumerate(right)
    ]


def write_scores(evaluation: Path, task: str, right: Mapping[str, np.ndarray]) -> None:
    """`{task}/{model}.csv` of every model, and an empty dropped.csv."""
    for model, won in right.items():
        write_csv(evaluation / task / f"{model}.csv", COLUMNS, score_rows(won))
    write_csv(evaluation / "dropped.csv", ["task", "id", "modality", "reason"], [])


def write_bits(evaluation: Path, bits: Mapping[str, np.ndarray], seconds: float = 2.0) -> None:
    """`utterance_bits/{model}.csv` of every model."""
    for model, values in bits.items():
        rows = [
            {"id": f"u{place}", "seconds": seconds, "words": 3, "bits": value} for place, value in enumerate(values)
        ]
        write_csv(evaluation / "utterance_bits" / f"{model}.csv", list(rows[0]), rows)


def nested(shares: Mapping[str, float], items: int = 400, seed: int = 0) -> dict[str, np.ndarray]:
    """Items that each model gets right: the easiest share of them, the same difficulty for all models."""
    hardness = np.random.default_rng(seed).permutation(items) / items
    return {model: hardness < share for model, share in shares.items()}
