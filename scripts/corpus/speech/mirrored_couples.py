"""Join segments of dev into couples that exchange their continuations.

The two items of a couple have the same two continuations, each once as the positive and once as the negative one, so
that a preference for a continuation cancels (scripts/evaluation/couples.py). Continuations of a couple are matched in
length. No utterance is in two couples.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from scripts.common.seeds import generator
from scripts.corpus.config import Limits
from scripts.corpus.speech.chapters import Segment
from scripts.corpus.speech.config import NextUtterance

LENGTH_RATIO = 1.2  # of a couple's longer continuation to its shorter one, at most
APART = 60.0  # seconds of utterances between two segments of one chapter, at least
UNKNOWN = "unknown"  # a cut's speaker, where the corpus does not name one
SAME_SPEAKER, OTHER_SPEAKER, UNKNOWN_SPEAKER = "same-speaker", "another-speaker", "unknown-speaker"
SAME_CHAPTER = "same-chapter"
GROUPS = (SAME_CHAPTER, SAME_SPEAKER, OTHER_SPEAKER, UNKNOWN_SPEAKER)  # in the order in which couples are taken


class Couple(NamedTuple):
    """Two segments that exchange their continuations."""

    first: Segment
    second: Segment

    @property
    def group(self) -> str:
        """What the negative continuations share with their contexts, one of GROUPS."""
        if self.first.chapter == self.second.chapter:
            return SAME_CHAPTER
        if UNKNOWN in (self.first.speaker, self.second.speaker):
            return UNKNOWN_SPEAKER
        return SAME_SPEAKER if self.first.speaker == self.second.speaker else OTHER_SPEAKER

    @property
    def name(self) -> str:
        """The ids of both continuations."""
        return f"{self.first.id}+{self.second.id}"


def matched(segments: Iterable[Segment], may_exchange: Callable[[Segment, Segment], bool]) -> list[Couple]:
    """Couples of segments with continuations of similar length: from the shortest on, each takes the next longer one.

    Args:
        segments: in any order.
        may_exchange: whether two of them may form a couple, besides their lengths.
    """
    ordered = sorted(segments, key=lambda segment: (segment.seconds, segment.id))
    taken = [False] * len(ordered)
    couples = []
    for place, first in enumerate(ordered):
        if taken[place]:
            continue
        for other in range(place + 1, len(ordered)):
            second = ordered[other]
            if second.seconds > LENGTH_RATIO * first.seconds:
                break
            if not taken[other] and may_exchange(first, second):
                taken[other] = True
                couples.append(Couple(*sorted((first, second), key=lambda segment: segment.id)))
                break
    return couples


def possible_couples(segments: Sequence[Segment], negative: str, limits: Limits) -> list[Couple]:
    """As many couples as the matching finds, each segment in at most one.

    Args:
        segments: of dev.
        negative: `NextUtterance.negative`.
        limits: lengths of the sides, context and continuation together.
    """

    def fit(first: Segment, second: Segment) -> bool:
        return not any(
            limits.reason(one.context_seconds + other.seconds) for one in (first, second) for other in (first, second)
        )

    if negative == SAME_CHAPTER:
        return [
            couple
            for chapter in _grouped(segments, lambda segment: segment.chapter)
            for couple in matched(
                chapter,
                lambda one, two: fit(one, two) and max(one.start, two.start) - min(one.end, two.end) >= APART,
            )
        ]

    def in_other_chapter(first: Segment, second: Segment) -> bool:
        return first.chapter != second.chapter and fit(first, second)

    couples = [
        couple
        for speaker in _grouped(segments, lambda segment: segment.speaker)
        if speaker[0].speaker != UNKNOWN
        for couple in matched(speaker, in_other_chapter)
    ]
    used = {segment.id for couple in couples for segment in couple}
    return couples + matched([segment for segment in segments if segment.id not in used], in_other_chapter)


def sample_couples(
    possible: Sequence[Couple], task: NextUtterance, name: str, seed: int, segments: int
) -> list[Couple]:
    """The couples of the task, drawn by the seed, in the order of GROUPS as far as each group has couples.

    Args:
        possible: couples to choose from.
        task: its settings.
        name: the task's.
        seed: of the experiment.
        segments: number of contexts with a continuation in dev, for the message.

    Raises:
        ValueError: dev has too few couples.
    """
    wanted = task.pairs // 2
    if len(possible) < wanted:
        remedy = f"set it to {2 * len(possible)} at most" if possible else "remove the task"
        raise ValueError(
            f"corpus.dev_tasks.{name}.pairs is {task.pairs}, {wanted} couples; dev has {len(possible)} possible couples"
            f" (negative: {task.negative}) of {segments} contexts with a continuation: {remedy}, or enlarge dev"
        )
    chosen: list[Couple] = []
    for group in GROUPS:
        members = sorted((couple for couple in possible if couple.group == group), key=lambda couple: couple.name)
        order = generator(seed, "corpus", "dev_tasks", name, group).permutation(len(members))
        chosen += [members[place] for place in order[: wanted - len(chosen)]]
    return sorted(chosen, key=lambda couple: couple.name)


def left_out(segments: Sequence[Segment], possible: Sequence[Couple], chosen: Sequence[Couple], limits: Limits) -> str:
    """Why segments are in no couple that was chosen, with their numbers, in words; "none" if all are."""
    matched_ids = {segment.id for couple in possible for segment in couple}
    reasons = Counter(
        limits.reason(segment.context_seconds + segment.seconds) or "without a partner"
        for segment in segments
        if segment.id not in matched_ids
    )
    reasons["not drawn"] = 2 * (len(possible) - len(chosen))
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()) if count) or "none"


def _grouped(segments: Iterable[Segment], key: Callable[[Segment], object]) -> list[list[Segment]]:
    groups: dict[object, list[Segment]] = defaultdict(list)
    for segment in segments:
        groups[key(segment)].append(segment)
    return list(groups.values())
