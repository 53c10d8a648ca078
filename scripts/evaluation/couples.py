"""The interaction score of mirrored pairs: couples of two pairs that are right together.

A couple of two pairs exchanges a difference: what makes the positive side likely in one pair makes the negative side
likely in the other. In the sum of the two pairs' score differences (positive side minus negative side) every preference
for a word, an ending or a length cancels out; what remains is the interaction of the difference with its context. A
couple is right if the sum is above 0, half right at 0; chance is 50%. A couple spoken by several voices is decided per
voice, then averaged.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from scripts.evaluation.score_rows import Row, couple_column, normalized_scores, num_sides


def decide_couples(rows: Sequence[Row], score_normalization: str) -> tuple[list[str], np.ndarray]:
    """Names of the couples of two pairs, sorted, and the score of each, float64 [C]: mean over voices of 1, 0.5 or 0.

    Couples of one item or of more than two, and those with an item of more than two sides, are left out, and so is a
    voice that speaks one of the two pairs only. Where each pair has a single row, as in recorded speech whose contexts
    are of two speakers, the two rows decide whatever their voices.
    """
    items_of: dict[str, set[str]] = defaultdict(set)
    for couple, row in zip(couple_column(rows), rows, strict=True):
        items_of[couple].add(row["id"])
    rows = [row for couple, row in zip(couple_column(rows), rows, strict=True) if len(items_of[couple]) == 2]
    if not rows:
        return [], np.zeros(0)
    positive, negatives = normalized_scores(rows, score_normalization)
    is_pair, difference = num_sides(rows) == 2, positive - negatives[:, 0]
    rows_of: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))  # couple, voice: row of each item
    for index, (couple, row) in enumerate(zip(couple_column(rows), rows, strict=True)):
        rows_of[couple][row["voice"]].append(index)
    decided: dict[str, float] = {}
    for couple, by_voice in sorted(rows_of.items()):
        every = [index for indices in by_voice.values() for index in indices]
        single = len(every) == 2 and rows[every[0]]["id"] != rows[every[1]]["id"]
        spoken = [every] if single else [indices for indices in by_voice.values() if len(indices) == 2]
        both = np.array(spoken, dtype=np.int64)
        if len(both) and is_pair[both].all():
            sums = difference[both].sum(axis=1)  # [voices]
            decided[couple] = float(np.where(sums > 0, 1.0, np.where(sums == 0, 0.5, 0.0)).mean())
    return list(decided), np.array(list(decided.values()))
