"""sWUGGY's couples: words and pseudo-words that n-grams cannot distinguish."""

import re
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from scripts.alignment.g2p import align_letters, pair_costs
from scripts.common.ragged import Ragged
from scripts.common.seeds import generator
from scripts.corpus.config import Task
from scripts.corpus.pronounce import cmudict_entries
from scripts.corpus.world.vocabulary import WORLD, strip_stress
from scripts.corpus.world.word_pairs import Couple, Spoken, assign_exposures, exists, load_couples, swuggy
from scripts.evaluation.ngram import fit, ngram_logprobs
from tests.corpus.world.miniature import items, lexicon, phones_of, texts

COUPLES = load_couples(WORLD)
LEVELS = (1, 4, 16, 64, 256)


def test_there_are_couples_enough_for_five_levels():
    assert len(COUPLES) >= 75
    assert {word.letters for couple in COUPLES for word in couple.words} == set(lexicon().planted)


def test_words_are_cmudicts_and_pseudo_words_are_not():
    sounds = {strip_stress(phones) for entry in cmudict_entries().values() for phones in entry}
    for couple in COUPLES:
        for word in couple.words:
            assert list(word.phones) == cmudict_entries()[word.letters][0]
        for new in couple.pseudo_words:
            assert new.letters not in cmudict_entries()
            assert strip_stress(new.phones) not in sounds
            assert sum(phone.endswith("1") for phone in new.phones) == 1, new


@pytest.mark.parametrize(
    ("letters", "phones", "known"),
    [
        ("dog", "D AO1 G", True),
        ("dogg", "D AO1 G", True),  # sounds like a word
        ("chopper", "CH AA1 P ER0", True),
        ("cabitat", "K AE1 B AH0 T AE2 T", False),
    ],
)
def test_what_exists(letters, phones, known):
    assert exists(Spoken(letters, tuple(phones.split()))) == known


def test_letters_and_phones_are_cut_at_the_same_places():
    words = [(word.letters, word.phones) for couple in COUPLES for word in couple.words]
    entries = cmudict_entries()
    known = sorted(set(lexicon().content_forms()) | {word for word, _ in words})
    cost = pair_costs((word, tuple(entries[word][0])) for word in known)
    unseen = max(cost.values()) + 2
    misplaced = []
    for couple in COUPLES:
        for cut in (couple.first, couple.second):
            path = align_letters(cut.whole.letters, cut.whole.phones, cost, unseen)
            assert path
            places, letters, phones = {(0, 0)}, 0, 0
            for spelling, sounds in path:
                letters, phones = letters + len(spelling), phones + len(sounds.split())
                places.add((letters, phones))
            start = len(cut.before.letters), len(cut.before.phones)
            end = start[0] + len(cut.middle.letters), start[1] + len(cut.middle.phones)
            misplaced += [cut.whole.letters] * (not {start, end} <= places)
    assert misplaced == []


# What is told by n-grams


def _ragged(sequences: list[list[str]], ids: dict[str, int]) -> Ragged:
    """Token sequences between <s> (1) and </s> (2)."""
    rows = [np.array([1, *(ids.setdefault(s, len(ids) + 3) for s in sequence), 2], np.uint16) for sequence in sequences]
    return Ragged.join([str(i) for i in range(len(rows))], rows)


def _symbols(unit: str, words: list[str]) -> list[str]:
    if unit == "letters":
        return list(" ".join(words))
    return [phone for word in words for phone in lexicon().phones(word).split()]


@pytest.mark.parametrize("unit", ["letters", "phones"])
def test_n_grams_are_at_exactly_one_half(unit: str):
    ids: dict[str, int] = {}
    tables = fit(_ragged([_symbols(unit, sentence) for sentence in texts("train")], ids), 4)
    positives, negatives = (
        _ragged([list(side["text"]) if unit == "letters" else phones_of(side) for side in sides], ids)
        for sides in zip(*((item["positive"], item["negatives"][0]) for item in items("swuggy")), strict=True)
    )
    for order in (1, 2, 3, 4):
        right, wrong = (np.array(ngram_logprobs(tables[:order], side, len(ids) + 3)) for side in (positives, negatives))
        difference = right - wrong
        assert np.abs(difference[::2] + difference[1::2]).max() < 1e-9  # what one item gains the other loses
        assert np.where(np.abs(difference) < 1e-9, 0.5, difference > 0).mean() == 0.5
        assert order == 1 or (np.abs(difference) > 0.1).mean() > 0.8  # it has an opinion on nearly every item


def test_numbers_of_letters_and_phones_balance_in_every_couple():
    found = items("swuggy")
    for one, other in zip(found[::2], found[1::2], strict=True):
        assert one["couple"] == other["couple"]
        assert one["voices"] == other["voices"]
        assert one["exposure"] == other["exposure"]
        for size in (lambda side: len(side["text"]), lambda side: len(phones_of(side))):
            sides = [size(item["positive"]) - size(item["negatives"][0]) for item in (one, other)]
            assert sum(sides) == 0
            assert abs(sides[0]) <= 2


# Levels


def test_levels_have_as_many_couples_of_equal_lengths():
    assigned = assign_exposures(COUPLES, LEVELS, 170, generator(1, "test"))
    assert Counter(exposure for _, exposure in assigned) == dict.fromkeys(LEVELS, 17)
    words = [word for couple, _ in assigned for word in couple.words]
    assert len({word.letters for word in words}) == 170
    for size in (lambda word: len(word.letters), lambda word: len(word.phones)):
        means = [
            np.mean([size(word) for couple, e in assigned if e == level for word in couple.words]) for level in LEVELS
        ]
        assert max(means) - min(means) < 0.4
    other = assign_exposures(COUPLES, LEVELS, 170, generator(2, "test"))
    assert dict(_levels(assigned)) != dict(_levels(other))
    assert assigned == assign_exposures(COUPLES, LEVELS, 170, generator(1, "test"))


def _levels(assigned: list[tuple[Couple, int]]) -> list[tuple[str, int]]:
    return [(couple.words[0].letters, exposure) for couple, exposure in assigned]


def test_items_name_their_level():
    for item in items("swuggy"):
        assert item["group"] == f"exposure-{item['exposure']}"
        assert item["subset"] == "all"
        assert item["couple"] == item["id"][:-1]


def test_more_pairs_than_couples():
    most = len(COUPLES) // 5 * 10
    message = (
        rf"corpus\.world\.tasks\.swuggy\.pairs is 1000; planted\.yaml has {len(COUPLES)} couples, at most {most} pairs"
    )
    with pytest.raises(ValueError, match=message):
        list(swuggy(Task(1000, 1, LEVELS), 4, WORLD, 1))
    assert len(list(swuggy(Task(most, 1, LEVELS), 4, WORLD, 1))) == most


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (
            "{p-ane-l: P - AE1 N AH0 - L, pl-ane-t: P L - AE1 N AH0 - T, c-ine-ma: S - IH1 N AH0 - M AH0}",
            "two words, found 3",
        ),
        ("{p-anel: P - AE1 N AH0 L, pl-ane-t: P L - AE1 N AH0 - T}", "expected x-t-y: X - T - Y, found p-anel"),
        (
            "{p-ane-l: B - AE1 N AH0 - L, pl-ane-t: P L - AE1 N AH0 - T}",
            "is not CMUdict's first pronunciation of 'panel'",
        ),
        ("{p-ane-l: P - AE1 N AH0 - L, c-ine-ma: S - IH1 N AH0 - M AH0}", "the middles differ"),
        ("{pa-ne-l: P AE1 - N AH0 - L, pla-ne-t: P L AE1 - N AH0 - T}", "fewer than 3 letters or phones"),
        ("{b-ack-s: B - AE1 K - S, s-ack-ed: S - AE1 K - T}", "fewer than 3 letters or phones"),
        ("{ch-aste-n: CH - EY1 S AH0 - N, ch-aste-n: CH - EY1 S AH0 - N}", "two words, found 1"),
        ("{m-ount-ain: M - AW1 N T - AH0 N, f-ount-ain: F - AW1 N T - AH0 N}", "the pseudo-word 'mountain' is a word"),
        ("{c-ors-et: K - AO1 R S - AH0 T, m-ors-el: M - AO1 R S - AH0 L}", "'corset' occurs twice"),
    ],
)
def test_a_mistake_in_the_couples_is_named(tmp_path: Path, new: str, message: str):
    shutil.copy(WORLD / "planted.yaml", tmp_path)
    text = (WORLD / "planted.yaml").read_text()
    first = re.search(r"  - \{p-ane-l.*\n", text)
    assert first
    (tmp_path / "planted.yaml").write_text(text.replace(first[0], f"  - {new}\n"))
    with pytest.raises(ValueError, match=r".") as error:
        load_couples(tmp_path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "planted.yaml"))
    assert "\n" not in str(error.value)
