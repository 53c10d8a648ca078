"""Find utterances that follow each other in a chapter, and cut chapters into contexts with their continuations.

No manifest says which utterances follow each other. Where a recording has several cuts, they follow in the order of
their starts (LibriHeavy, Lhotse cuts of long recordings). Where each cut has a recording of its own, their ids end in a
number, and the ids before it name the chapter (LibriSpeech's `1867-154075-0001`, LJSpeech's `LJ001-0001`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from scripts.common.cuts import ROUNDING, Cut, speaker, total_seconds

LONGEST_PAUSE = 2.0  # seconds between two cuts of a recording, of which the second continues the first
NUMBERED = re.compile(r"(.*?)(\d+)", re.DOTALL)


@dataclass(frozen=True)
class Segment:
    """Consecutive utterances of one chapter: a context and the utterance that continues it.

    Attributes:
        context: one utterance or more.
        continuation: the next one.
        chapter: name of the chapter, the same for no other speaker or recording.
        start: seconds of the chapter's utterances before the context.
    """

    context: tuple[Cut, ...]
    continuation: Cut
    chapter: tuple[str, str]
    start: float

    @property
    def id(self) -> str:
        """The continuation's id, which no other segment has."""
        return self.continuation["id"]

    @property
    def speaker(self) -> str:
        """The speaker of all its utterances."""
        return self.chapter[0]

    @property
    def context_seconds(self) -> float:
        """Duration of the context."""
        return total_seconds(self.context)

    @property
    def seconds(self) -> float:
        """Duration of the continuation."""
        return self.continuation["duration"]

    @property
    def end(self) -> float:
        """Seconds of the chapter's utterances up to the end of the continuation."""
        return self.start + self.context_seconds + self.seconds


@dataclass(frozen=True)
class _Placed:
    """An utterance in its chapter: its number there, or its start in seconds in a recording."""

    cut: Cut
    order: float
    numbered: bool

    def continues(self, other: "_Placed") -> bool:
        """Whether this utterance is the next one after `other`."""
        if self.numbered or other.numbered:
            return self.numbered and other.numbered and self.order == other.order + 1
        return -ROUNDING <= self.order - (other.order + other.cut["duration"]) <= LONGEST_PAUSE


def runs(cuts: Iterable[Cut]) -> Iterator[tuple[tuple[str, str], float, list[Cut]]]:
    """(chapter, seconds of its utterances before, consecutive utterances) of the cuts, chapter by chapter.

    An utterance that continues nothing and that nothing continues is a run of one.
    """
    cuts = list(cuts)
    shared = Counter(cut["recording"]["id"] for cut in cuts)
    chapters: dict[tuple[str, str], list[_Placed]] = defaultdict(list)
    for cut in cuts:
        recording, number = cut["recording"]["id"], NUMBERED.fullmatch(cut["id"])
        if shared[recording] > 1 or number is None:
            chapters[speaker(cut), recording].append(_Placed(cut, cut["start"], numbered=False))
        else:
            chapters[speaker(cut), number[1]].append(_Placed(cut, int(number[2]), numbered=True))
    for chapter, placed in sorted(chapters.items()):
        placed.sort(key=lambda each: (each.numbered, each.order, each.cut["id"]))
        first, before = 0, 0.0
        for last, each in enumerate(placed, start=1):
            if last == len(placed) or not placed[last].continues(each):
                run = [other.cut for other in placed[first:last]]
                yield chapter, before, run
                first, before = last, before + total_seconds(run)


def segments(cuts: Iterable[Cut], context: int) -> tuple[list[Segment], int]:
    """Segments of `context` + 1 utterances that do not overlap, and the number of utterances that are in none."""
    found: list[Segment] = []
    left = 0
    for chapter, before, run in runs(cuts):
        for first in range(0, len(run) - context, context + 1):
            utterances: Sequence[Cut] = run[first : first + context + 1]
            start = before + total_seconds(run[:first])
            found.append(Segment(tuple(utterances[:-1]), utterances[-1], chapter, start))
        left += len(run) % (context + 1)
    return found, left
