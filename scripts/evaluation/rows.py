"""A system's scores of a task, `evaluation/{task}/{system}.csv`: one row per item and voice.

`logprob_`, `tokens_` and `seconds_` of the negative sides hold one number per side, with semicolons between where the
item is a choice among several, so that every decision can be made again. An item that the system could not score has
none of these: `dropped` holds the reason, and `evaluation/dropped.csv` (common_items.py) takes it out of all
comparisons.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from scripts.evaluation.accuracy import by_item, decide, normalise, padded

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
    "dropped",
)
PLACE = COLUMNS[:4]
BETWEEN = ";"  # numbers of several negative sides
NEEDED = {"total": ("logprob",), "per_token": ("logprob", "tokens"), "per_second": ("logprob", "seconds")}

Row = dict[str, Any]  # numbers, or the texts that a csv holds


def row(place: Sequence[str], measures: Mapping[str, Sequence[float]]) -> Row:
    """The row of an item that was scored, as yet undecided.

    Args:
        place: the values of PLACE.
        measures: of logprob, tokens and seconds, as far as they are known, a number per side, the positive one first.
    """
    filled = _blank(place)
    for name, (positive, *negative) in measures.items():
        filled[f"{name}_positive"] = positive
        filled[f"{name}_negative"] = negative[0] if len(negative) == 1 else BETWEEN.join(map(str, negative))
    return filled


def without_score(place: Sequence[str], reason: str) -> Row:
    """The row of an item that could not be scored."""
    return {**_blank(place), "dropped": reason}


def _blank(place: Sequence[str]) -> Row:
    return {**dict.fromkeys(COLUMNS, ""), **dict(zip(PLACE, place, strict=True))}


def complete(rows: Iterable[Row], score_normalization: str) -> list[Row]:
    """The rows, `correct` filled in where an item was scored."""
    rows = list(rows)
    scored = [row for row in rows if not row["dropped"]]
    for each, correct in zip(scored, decided(scored, score_normalization), strict=True):
        each["correct"] = f"{correct:g}"
    return rows


def summary(rows: Sequence[Row]) -> str:
    """The accuracy and what it is of, in one line."""
    scored = [row for row in rows if not row["dropped"]]
    correct = by_item([row["id"] for row in scored], numbers(scored, "correct"))
    left = f", {len(rows) - len(scored)} rows could not be scored" if len(scored) < len(rows) else ""
    return f"{100 * correct.mean():.1f}% of {len(correct)} items ({len(scored)} rows with voices){left}"


def can_decide(rows: Sequence[Row], way: str) -> bool:
    """Whether the rows hold what a way to decide needs: texts have no seconds."""
    return all(row[f"{what}_positive"] != "" for row in rows for what in NEEDED[way])


def decided(rows: Sequence[Row], way: str) -> np.ndarray:
    """`accuracy.decide` of each row that was scored, in one of the ways of SCORE_NORMALIZATIONS; float64 [N]."""
    positive, negatives = ({what: read(rows, what) for what in NEEDED[way]} for read in (_positive, _negatives))
    return decide(_score(positive, way), _score(negatives, way))


def _score(measures: Mapping[str, np.ndarray], way: str) -> np.ndarray:
    *_, divisor = measures.values()  # of a total, the log-probability itself, which is not divided
    return normalise(measures["logprob"], divisor, divisor, way)


def _positive(rows: Sequence[Row], what: str) -> np.ndarray:
    return numbers(rows, f"{what}_positive")


def _negatives(rows: Sequence[Row], what: str) -> np.ndarray:
    """float64 [N, K]; NaN where an item has fewer than K negative sides."""
    return padded([[float(text) for text in str(row[f"{what}_negative"]).split(BETWEEN)] for row in rows])


def choices(rows: Sequence[Row]) -> np.ndarray:
    """Sides of each row's item, int64 [N]."""
    return np.array([2 + str(row["logprob_negative"]).count(BETWEEN) for row in rows], dtype=np.int64)


def numbers(rows: Sequence[Row], name: str) -> np.ndarray:
    """A column of numbers, float64 [N]."""
    return np.array([float(row[name]) for row in rows])
