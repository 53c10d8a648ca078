"""Plant words into the training text, each as often as it is to occur, in sentences of their own.

A word that is to occur n times occurs once in each of n equal parts of the text, at a random place. From there on it
waits for the next middle sentence of a paragraph, whatever its topic, that is drawn from the templates `planted` of
grammar.yaml. Such a sentence holds up to MOST different planted words; the others wait until there are as many, so that
ordinary sentences stay between them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

MOST = 3  # planted words of a sentence
SHARES = (0.1, 0.3, 0.6)  # sentences that hold 1, 2, 3 of them
CROWDED = 2 * MOST  # if that many wait, every sentence holds as many as it may
END = 0.96  # share of the text after which no word is due any more, so that all that wait find a sentence


class Planting:
    """Which words the next planted sentence holds.

    Args:
        counts: occurrences by word.
        rng: draws the places.

    Attributes:
        waiting: (share of the text from which it is due, word) of every occurrence that is not planted yet, in order.
        planted: occurrences so far.
    """

    def __init__(self, counts: Mapping[str, int], rng: np.random.Generator):
        self.rng = rng
        self.waiting = sorted(
            (END * (part + rng.random()) / count, word) for word, count in counts.items() for part in range(count)
        )
        self.planted = Counter[str]()
        self.size = self._draw_size()

    def due(self, progress: float) -> list[str]:
        """Different words for a planted sentence after this share of the text; none if it is to be an ordinary one."""
        words: list[str] = []
        for place, word in self.waiting:
            if place > progress or len(words) == MOST:
                break
            if word not in words:
                words.append(word)
        if progress >= END or (len(self.waiting) >= CROWDED and self.waiting[CROWDED - 1][0] <= progress):
            return words
        return words[: self.size] if len(words) >= self.size else []

    def plant(self, words: Iterable[str]) -> None:
        """Note that these words stand in the text now."""
        for word in words:
            del self.waiting[next(i for i, (_, waiting) in enumerate(self.waiting) if waiting == word)]
            self.planted[word] += 1
        self.size = self._draw_size()

    def _draw_size(self) -> int:
        return int(self.rng.choice(len(SHARES), p=SHARES)) + 1
