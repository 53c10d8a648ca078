"""Character error rate between a cut's spoken text and the transcript of a recogniser that came with it.

LibriHeavy finds the book text of a cut by its transcript (Kang et al. 2023, section 2). Where the two differ much, the
book text may be of another edition, or of another place.
"""

import re
from collections.abc import Sequence

import jiwer
import numpy as np

from scripts.corpus.letters import compose, fold_letters

NO_WORD = re.compile(r"[^A-Z' ]+")
EDGES = (0.02, 0.05, 0.1, 0.2, 0.5)  # between the bins of the histogram


def transcript_error(texts: Sequence[str], spoken: str) -> float | None:
    """Edits per character of the spoken text that lead to the transcript; None without a transcript.

    Args:
        texts: of the supervision: the book text and, if there is one, the transcript.
        spoken: the words of the book text, upper-case.
    """
    if len(texts) < 2 or not texts[1].strip():
        return None
    words = NO_WORD.sub(" ", fold_letters(compose(texts[1])).upper().replace("’", "'")).split()
    return float(jiwer.cer(spoken, " ".join(words))) if words else 1.0


class Histogram:
    """Numbers of cuts by their error, in the bins between EDGES."""

    def __init__(self) -> None:
        self.counts = np.zeros(len(EDGES) + 1, np.int64)

    def add(self, error: float) -> None:
        """Count an error."""
        self.counts[np.searchsorted(EDGES, error, side="left")] += 1

    def __str__(self) -> str:
        total = int(self.counts.sum())
        if not total:
            return "no cut has a transcript"
        names = [f"up to {edge:.0%}" for edge in EDGES] + [f"above {EDGES[-1]:.0%}"]
        shares = ", ".join(f"{name} {count / total:.1%}" for name, count in zip(names, self.counts, strict=True))
        return f"CER of book and transcript in {total:,} cuts: {shares}"
