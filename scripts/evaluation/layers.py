"""Accuracy of every layer: its hidden states are passed through the final norm and the output head.

Items are decided as for the model itself; layer 0 is the embeddings, the last layer is the model.
"""

from typing import Any

import numpy as np

from scripts.common.cuts import Item
from scripts.evaluation.accuracy import chance, decide_sides, item_interval, normalise
from scripts.evaluation.items import couples, cut_seconds

COLUMNS = ("layer", "value", "ci_low", "ci_high", "n", "chance")


def table(
    items: list[Item],
    tokens: dict[str, np.ndarray],
    logprobs: dict[str, np.ndarray],
    score_normalization: str,
    samples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """One row per layer with its accuracy and interval; `logprobs` is cut id -> float64 [1 + layers]."""
    seconds = cut_seconds(items)
    scores = {
        cut: normalise(logprob, len(tokens[cut]) - 1, seconds[cut], score_normalization)
        for cut, logprob in logprobs.items()
    }
    correct, ids, bound = decide_sides(items, scores), [item["id"] for item in items], couples(items)
    return [
        {"layer": layer, **item_interval(ids, bound, column, samples, seed)._asdict(), "chance": chance(items)}
        for layer, column in enumerate(correct.T)  # of [N, 1 + layers]
    ]
