"""Which utterances of dev follow each other, and which contexts exchange their continuations."""

from collections import Counter
from typing import Any

import pytest

from scripts.common.cuts import Cut
from scripts.corpus.config import Limits
from scripts.corpus.speech.chapters import runs, segments
from scripts.corpus.speech.config import NextUtterance
from scripts.corpus.speech.mirrored_couples import APART, LENGTH_RATIO, left_out, possible_couples, sample_couples
from tests.factories.cuts import make_cut

LIMITS = Limits(max_seconds=30.0, min_seconds=0.1, max_missing_audio=0.1, max_dropped=0.1)


def files(chapter: str, lengths: list[float], speaker: str | None = None, first: int = 0) -> list[Cut]:
    """A file for each utterance, numbered like LibriSpeech's."""
    speaker = chapter.partition("-")[0] if speaker is None else speaker
    names = [f"{chapter}-{number:04d}" for number in range(first, first + len(lengths))]
    return [make_cut(name, name, duration=length, speaker=speaker) for name, length in zip(names, lengths, strict=True)]


def part(name: str, start: float, duration: float, **fields: Any) -> Cut:
    """A part of a long recording."""
    return make_cut(name, "long", duration=duration, start=start, **fields)


def ids(found: list[list[Cut]]) -> list[list[str]]:
    return [[cut["id"] for cut in run] for run in found]


def test_parts_of_a_recording_follow_each_other_by_time_unless_something_is_missing_between():
    cuts = [part("c", 9.0, 2.0), part("a", 0.0, 4.0), part("b", 4.5, 3.0), part("d", 14.0, 2.0), part("e", 15.0, 2.0)]
    found = list(runs(cuts))
    assert ids([run for *_, run in found]) == [["a", "b", "c"], ["d"], ["e"]]  # 3 s missing; an overlap
    assert [before for _, before, _ in found] == [0.0, 9.0, 11.0]
    assert {chapter for chapter, *_ in found} == {("s", "long")}


def test_files_follow_each_other_by_the_number_at_the_end_of_their_ids():
    cuts = [*files("7-1", [1.0, 2.0]), *files("7-1", [1.0] * 2, first=9), *files("7-2", [1.0]), make_cut("x", "x")]
    assert ids([run for *_, run in runs(reversed(cuts))]) == [
        ["7-1-0000", "7-1-0001"],
        ["7-1-0009", "7-1-0010"],
        ["7-2-0000"],
        ["x"],
    ]
    speakers = [*files("clip", [1.0], speaker="a"), *files("clip", [1.0], speaker="b", first=1)]
    assert len(list(runs(speakers))) == 2


@pytest.mark.parametrize(("context", "expected"), [(1, [["0", "1"], ["2", "3"]]), (2, [["0", "1", "2"]])])
def test_segments_do_not_overlap_and_what_is_left_is_counted(context: int, expected: list[list[str]]):
    found, left = segments(files("7-1", [3.0, 4.0, 5.0, 6.0, 7.0]), context)
    names = [[cut["id"][-1] for cut in (*segment.context, segment.continuation)] for segment in found]
    assert names == expected
    assert left == 5 - sum(map(len, expected))
    assert found[-1].start == (7.0 if context == 1 else 0.0)
    assert found[-1].end == found[-1].start + (11.0 if context == 1 else 12.0)


def couples_of(cuts: list[Cut], negative: str = "another-chapter", context: int = 1, limits: Limits = LIMITS) -> list:
    return possible_couples(segments(cuts, context)[0], negative, limits)


def test_a_couple_is_of_one_speaker_where_that_can_be():
    cuts = [*files("7-1", [5.0, 4.0] * 2), *files("7-2", [5.0, 4.1]), *files("8-1", [5.0, 4.0])]
    couples = couples_of(cuts)
    assert Counter(couple.group for couple in couples) == {"same-speaker": 1, "another-speaker": 1}
    for couple in couples:
        assert couple.first.chapter != couple.second.chapter
    names = [segment.id for couple in couples for segment in couple]
    assert len(names) == len(set(names)) == 4


def test_continuations_of_a_couple_have_similar_lengths():
    same = files("7-1", [5.0, 4.0])
    assert len(couples_of([*same, *files("8-1", [9.0, 4.0 * LENGTH_RATIO])])) == 1
    assert not couples_of([*same, *files("8-1", [9.0, 4.1 * LENGTH_RATIO])])


def test_no_side_is_longer_than_the_limit():
    cuts = [*files("7-1", [5.0, 11.0]), *files("8-1", [19.5, 10.0])]  # 19.5 + 11 s is the other's negative side
    found, _ = segments(cuts, 1)
    assert not possible_couples(found, "another-chapter", LIMITS)
    assert left_out(found, [], [], LIMITS) == "2 without a partner"
    assert left_out(segments(files("7-1", [25.0, 9.0]), 1)[0], [], [], LIMITS) == "1 too-long"
    longer = Limits(max_seconds=31.0, min_seconds=0.1, max_missing_audio=0.1, max_dropped=0.1)
    assert len(possible_couples(found, "another-chapter", longer)) == 1


def test_who_is_not_known_to_be_the_same_is_called_unknown():
    cuts = [*files("1-1", [5.0, 4.0], "unknown"), *files("1-2", [5.0, 4.0], "unknown"), *files("9-1", [5.0, 4.0], "9")]
    (couple,) = couples_of(cuts)
    assert couple.group == "unknown-speaker"


def test_within_a_chapter_a_minute_lies_between_the_two():
    cuts = files("7-1", [5.0, 5.0] * 9)
    couples = couples_of([*cuts, *files("7-2", [5.0, 5.0])], "same-chapter")
    assert {couple.group for couple in couples} == {"same-chapter"}
    for one, two in couples:
        assert one.chapter == two.chapter
        assert max(one.start, two.start) - min(one.end, two.end) >= APART
    assert len(couples) == 2  # 90 s: of nine segments, the first two and the last two
    assert not couples_of(cuts[:14], "same-chapter")


def many(count: int) -> list[Cut]:
    return [cut for number in range(count) for cut in files(f"{number // 2}-{number}", [5.0, 4.0] * 5)]


def test_the_draw_follows_the_seed_and_takes_couples_of_one_speaker_first():
    cuts = [*many(4), *files("90-1", [5.0, 4.0] * 5), *files("91-1", [5.0, 4.0] * 5)]
    found, _ = segments(cuts, 1)
    possible = possible_couples(found, "another-chapter", LIMITS)
    assert Counter(couple.group for couple in possible) == {"same-speaker": 10, "another-speaker": 5}
    few, more = NextUtterance(pairs=8), NextUtterance(pairs=24)
    chosen = sample_couples(possible, few, "n", 1, len(found))
    assert chosen == sample_couples(possible[::-1], few, "n", 1, len(found))
    assert chosen != sample_couples(possible, few, "n", 2, len(found))
    assert chosen != sample_couples(possible, few, "m", 1, len(found))
    assert {couple.group for couple in chosen} == {"same-speaker"}
    counted = Counter(couple.group for couple in sample_couples(possible, more, "n", 1, len(found)))
    assert counted == {"same-speaker": 10, "another-speaker": 2}
    assert left_out(found, possible, chosen, LIMITS) == "22 not drawn"


def test_a_dev_that_is_too_small_is_refused_with_what_it_allows():
    found, _ = segments(many(2), 1)
    possible = possible_couples(found, "another-chapter", LIMITS)
    with pytest.raises(ValueError, match=r"^corpus\.dev_tasks\.next\.pairs is 12, 6 couples; dev has 5 possible couples"
                                         r" \(negative: another-chapter\) of 10 contexts with a continuation: set it to"
                                         r" 10 at most, or enlarge dev$"):  # fmt: skip
        sample_couples(possible, NextUtterance(pairs=12), "next", 1, len(found))
    with pytest.raises(ValueError, match=r"dev has 0 possible couples .*: remove the task, or enlarge dev"):
        sample_couples([], NextUtterance(pairs=2), "next", 1, 0)
