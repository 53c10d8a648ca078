"""The rows of `evaluation/{task}/{system}.csv`: a system's scores of a task, one row per item and voice.

`logprob_`, `eos_`, `tokens_` and `seconds_` of the negative sides hold one number per side, separated by semicolons, so
that items can be decided again with another normalization. `eos_` is the part of `logprob_` that the last token, EOS,
has. An item that the system could not score has no numbers: `dropped`
holds the reason, and `evaluation/dropped.csv` (common_items.py) excludes it from all comparisons.

`couple` names the items that are bound together (mirrored pairs, the two endings of two stories) and are resampled
together; an item without one is a couple of its own. `exposure` is how often the word of the item occurs in train,
`distance` how many words, and `distance_seconds` how many seconds of speech, lie between the start of the word that
decides the item and the start of the word that is decided; blank where the item does not say.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from scripts.common.cuts import Item, speaker
from scripts.evaluation.accuracy import WITHOUT_EOS, by_item, decide, normalise, pad_sides

COLUMNS = (
    "id",
    "voice",
    "subset",
    "group",
    "couple",
    "exposure",
    "distance",
    "distance_seconds",
    "logprob_positive",
    "logprob_negative",
    "eos_positive",
    "eos_negative",
    "tokens_positive",
    "tokens_negative",
    "seconds_positive",
    "seconds_negative",
    "correct",
    "dropped",
)
KEY = COLUMNS[:8]
SEPARATOR = ";"  # between the numbers of several negative sides
MEASURES_OF = {"total": ("logprob",), "per_token": ("logprob", "tokens"), "per_second": ("logprob", "seconds")}
MEASURES_OF |= {f"{name}{WITHOUT_EOS}": (*measures, "eos") for name, measures in MEASURES_OF.items()}

Row = dict[str, Any]  # values are numbers, or strings if read from a csv


def item_key(item: Item) -> tuple[str, ...]:
    """The values of KEY of a task item."""
    labels = (str(item.get(name, "")) for name in ("exposure", "distance", "distance_seconds"))
    voice = speaker(item["positive"])
    return (item["id"], voice, item["subset"], item["group"], item.get("couple", item["id"]), *labels)


def text_key(name: str, voice: str, subset: str, group: str) -> tuple[str, ...]:
    """The values of KEY of an item that is not bound to another and belongs to no stratum."""
    return (name, voice, subset, group, name, "", "", "")


def score_row(key: Sequence[str], measures: Mapping[str, Sequence[float]]) -> Row:
    """The row of a scored item, without `correct`.

    Args:
        key: the values of KEY.
        measures: logprob, and eos, tokens and seconds if known: a number per side, the positive one first.
    """
    filled = _blank(key)
    for name, (positive, *negative) in measures.items():
        filled[f"{name}_positive"] = positive
        filled[f"{name}_negative"] = negative[0] if len(negative) == 1 else SEPARATOR.join(map(str, negative))
    return filled


def without_score(key: Sequence[str], reason: str) -> Row:
    """The row of an item that could not be scored."""
    return {**_blank(key), "dropped": reason}


def _blank(key: Sequence[str]) -> Row:
    return {**dict.fromkeys(COLUMNS, ""), **dict(zip(KEY, key, strict=True))}


def fill_correct(rows: Iterable[Row], score_normalization: str) -> list[Row]:
    """The rows with `correct` of the scored items."""
    rows = list(rows)
    scored = [row for row in rows if not row["dropped"]]
    for each, correct in zip(scored, decide_rows(scored, score_normalization), strict=True):
        each["correct"] = f"{correct:g}"
    return rows


def summary(rows: Sequence[Row]) -> str:
    """One line with the accuracy and the number of items."""
    scored = [row for row in rows if not row["dropped"]]
    correct = by_item([row["id"] for row in scored], number_column(scored, "correct"))
    dropped = f", {len(rows) - len(scored)} rows could not be scored" if len(scored) < len(rows) else ""
    return f"{100 * correct.mean():.1f}% of {len(correct)} items ({len(scored)} rows with voices){dropped}"


def can_decide(rows: Sequence[Row], score_normalization: str) -> bool:
    """Whether the rows hold the measures that a normalization needs: texts have no seconds."""
    return all(row[f"{measure}_positive"] != "" for row in rows for measure in MEASURES_OF[score_normalization])


def couple_column(rows: Sequence[Row]) -> list[str]:
    """The couple of each row; an item without one is a couple of its own."""
    return [row["couple"] or row["id"] for row in rows]


def normalized_scores(rows: Sequence[Row], score_normalization: str) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the positive sides [N] and of the negative ones [N, K] with one of ALL_NORMALIZATIONS."""
    positive, negatives = (
        {measure: read(rows, measure) for measure in MEASURES_OF[score_normalization]}
        for read in (_positive, _negatives)
    )
    return _score(positive, score_normalization), _score(negatives, score_normalization)


def decide_rows(rows: Sequence[Row], score_normalization: str) -> np.ndarray:
    """`accuracy.decide` of each scored row with one of ALL_NORMALIZATIONS; float64 [N]."""
    return decide(*normalized_scores(rows, score_normalization))


def _score(measures: Mapping[str, np.ndarray], score_normalization: str) -> np.ndarray:
    logprob, tokens, seconds = measures["logprob"], measures.get("tokens", 1), measures.get("seconds", 1)
    if score_normalization.endswith(WITHOUT_EOS):
        logprob, tokens = logprob - measures["eos"], tokens - 1
    return normalise(logprob, tokens, seconds, score_normalization.removesuffix(WITHOUT_EOS))


def _positive(rows: Sequence[Row], measure: str) -> np.ndarray:
    return number_column(rows, f"{measure}_positive")


def _negatives(rows: Sequence[Row], measure: str) -> np.ndarray:
    """float64 [N, K]; NaN where an item has fewer than K negative sides."""
    return pad_sides([[float(text) for text in str(row[f"{measure}_negative"]).split(SEPARATOR)] for row in rows])


def num_sides(rows: Sequence[Row]) -> np.ndarray:
    """Number of sides of each row's item, int64 [N]."""
    return np.array([2 + str(row["logprob_negative"]).count(SEPARATOR) for row in rows], dtype=np.int64)


def number_column(rows: Sequence[Row], name: str) -> np.ndarray:
    """A numeric column, float64 [N]."""
    return np.array([float(row[name]) for row in rows])
