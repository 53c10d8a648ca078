"""The ABX task on triphones: tokens of aligned cuts, and the cells that compare them.

A token is a phone with its left and right neighbour, from the onset of the one to the offset of the other; two tokens
that differ in the middle phone alone form a minimal pair ("bag", "beg"). A cell holds all tokens a and x of one phone
and b of another one, in one context. Within speakers all three have one speaker; across speakers x has another one
than a and b.
Source: Schatz et al. 2013 (Interspeech); caps on tokens and speakers as in Libri-Light's and ZeroSpeech 2021's
evaluation (Kahn et al. 2020; Nguyen et al. 2020).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from scripts.common.cuts import Cut, num_samples, phone_alignment, speaker
from scripts.common.frames import frame_centres, frame_count
from scripts.common.seeds import generator

NO_SPEECH = ("SIL", "SPN")  # neither a phone to discriminate nor a context
CONDITIONS = ("within", "across")
TOKENS = 10  # most tokens of one phone, context and speaker
OTHER_SPEAKERS = 5  # most speakers of x that a pair of phones of one speaker is compared with
ALL_TOKENS = 20_000  # of all cells; contexts are left out beyond it

Groups = dict[int, dict[str, dict[str, list[int]]]]  # context -> speaker -> phone -> tokens


class Triphone(NamedTuple):
    """A token: its neighbouring phones, speaker, phone, and (cut, first frame, frame behind the last)."""

    context: tuple[str, str]
    speaker: str
    phone: str
    place: tuple[int, int, int]


class Tokens(NamedTuple):
    """Where the tokens are, int64 [N] each; frames are those whose centre lies between onset and offset."""

    cut: np.ndarray
    first: np.ndarray
    stop: np.ndarray


class Cells(NamedTuple):
    """Cells of one condition, int64 [C] each, in the order of phone_a, phone_b, speaker.

    `speaker` is that of a and b; a, b and x are numbers of groups of tokens.
    """

    context: np.ndarray
    speaker: np.ndarray
    phone_a: np.ndarray
    phone_b: np.ndarray
    a: np.ndarray
    b: np.ndarray
    x: np.ndarray


@dataclass(frozen=True)
class Task:
    """What is compared.

    Attributes:
        tokens: all tokens that some cell has, N of them, by cut.
        groups: tokens of one phone, context and speaker: int64 [at most TOKENS] each.
        within, across: the cells within and across speakers.
        left_out: contexts that were left out because of ALL_TOKENS.
    """

    tokens: Tokens
    groups: tuple[np.ndarray, ...]
    within: Cells
    across: Cells
    left_out: int

    @property
    def conditions(self) -> tuple[tuple[str, Cells], ...]:
        """Both conditions by name."""
        return tuple(zip(CONDITIONS, (self.within, self.across), strict=True))

    def __str__(self) -> str:
        contexts = len({*self.within.context.tolist(), *self.across.context.tolist()})
        return (
            f"ABX: {len(self.tokens.cut)} triphones in {contexts} contexts ({self.left_out} left out),"
            f" {len(self.within.a)} cells within and {len(self.across.a)} across speakers"
        )


def triphones(cuts: Sequence[Cut]) -> Iterator[Triphone]:
    """Every triphone of speech that has a frame; phones are without stress, as in the other measures."""
    for number, cut in enumerate(cuts):
        aligned = phone_alignment(cut)
        phones = [phone.rstrip("012") for phone, *_ in aligned]
        centres = frame_centres(frame_count(num_samples(cut)))
        onsets = np.array([start for _, start, _ in aligned])
        offsets = onsets + np.array([duration for *_, duration in aligned])
        firsts, stops = np.searchsorted(centres, onsets - 1e-9), np.searchsorted(centres, offsets + 1e-9)
        for middle in range(1, len(phones) - 1):
            left, phone, right = phones[middle - 1 : middle + 2]
            first, stop = int(firsts[middle - 1]), int(stops[middle + 1])
            if first < stop and not {left, phone, right} & set(NO_SPEECH):
                yield Triphone((left, right), speaker(cut), phone, (number, first, stop))


def build_task(cuts: Sequence[Cut], seed: int) -> Task:
    """The task on aligned cuts; which tokens, speakers and contexts are left out is drawn from the seed."""
    return task_of(list(triphones(cuts)), seed)


def task_of(found: Sequence[Triphone], seed: int) -> Task:
    """The task on triphones, which are in the order of their cuts."""
    grouped: dict[tuple[str, str], dict[str, dict[str, list[int]]]] = {}
    for number, (context, who, phone, _) in enumerate(found):
        grouped.setdefault(context, {}).setdefault(who, {}).setdefault(phone, []).append(number)
    random = generator(seed, "units", "abx")
    names = sorted(grouped)
    kept: Groups = {}
    left_out = total = 0
    for place in random.permutation(len(names)):
        chosen = {
            who: {phone: _some(random, tokens, TOKENS) for phone, tokens in sorted(of_speaker.items())}
            for who, of_speaker in sorted(grouped[names[place]].items())
        }
        size = sum(len(tokens) for of_speaker in chosen.values() for tokens in of_speaker.values())
        if not _has_cells(chosen):
            continue
        if total + size > ALL_TOKENS:
            left_out += 1
            continue
        total += size
        kept[int(place)] = chosen
    return _task(found, dict(sorted(kept.items())), random, left_out)


def _some(random: np.random.Generator, items: list, count: int) -> list:
    """At most `count` of the items, in their order."""
    if len(items) <= count:
        return items
    return [items[place] for place in np.sort(random.choice(len(items), count, replace=False))]


def _has_cells(speakers: Mapping[str, Mapping[str, Sequence[int]]]) -> bool:
    """Whether a context compares two phones: of one speaker, one of them twice, or once by another speaker too."""
    for who, phones in speakers.items():
        others = {phone for other, of_other in speakers.items() if other != who for phone in of_other}
        if len(phones) > 1 and any(len(tokens) > 1 or phone in others for phone, tokens in phones.items()):
            return True
    return False


def _task(found: Sequence[Triphone], kept: Groups, random: np.random.Generator, left_out: int) -> Task:
    """The task on the kept tokens of each context, which become numbers among themselves."""
    used = sorted(t for speakers in kept.values() for phones in speakers.values() for g in phones.values() for t in g)
    number = {token: place for place, token in enumerate(used)}
    speaker_ids = {name: i for i, name in enumerate(sorted({found[token].speaker for token in used}))}
    phone_ids = {name: i for i, name in enumerate(sorted({found[token].phone for token in used}))}
    groups: list[np.ndarray] = []
    within: list[tuple[int, ...]] = []
    across: list[tuple[int, ...]] = []
    for context, speakers in kept.items():
        ids: dict[str, dict[str, int]] = {}
        for who, phones in speakers.items():
            ids[who] = {}
            for phone, tokens in phones.items():
                ids[who][phone] = len(groups)
                groups.append(np.array([number[token] for token in tokens]))
        for who, own in ids.items():
            for a, b in ((a, b) for a in own for b in own if a != b):
                head = (context, speaker_ids[who], phone_ids[a], phone_ids[b], own[a], own[b])
                if len(groups[own[a]]) > 1:
                    within.append((*head, own[a]))
                others = [other for other in ids if other != who and a in ids[other]]
                across += [(*head, ids[other][a]) for other in _some(random, others, OTHER_SPEAKERS)]
    places = np.array([found[token].place for token in used], np.int64).reshape(-1, 3)
    return Task(Tokens(*places.T), tuple(groups), _cells(within), _cells(across), left_out)


def _cells(rows: list[tuple[int, ...]]) -> Cells:
    cells = Cells(*np.array(rows, np.int64).reshape(-1, len(Cells._fields)).T)
    order = np.lexsort((cells.context, cells.speaker, cells.phone_b, cells.phone_a))
    return Cells(*(column[order] for column in cells))
