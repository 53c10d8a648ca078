"""Written forms become the words that an English reader would say."""

import pytest

from scripts.corpus.pronounce import cmudict_lexicon, is_phone
from scripts.corpus.verbalize import cardinal, number_words, pronounce


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0", "ZERO"),
        ("17", "SEVENTEEN"),
        ("342", "THREE HUNDRED FORTY TWO"),
        ("1865", "EIGHTEEN SIXTY FIVE"),
        ("1900", "NINETEEN HUNDRED"),
        ("1906", "NINETEEN OH SIX"),
        ("2000", "TWO THOUSAND"),
        ("1,250", "ONE THOUSAND TWO HUNDRED FIFTY"),
        ("1000000", "ONE MILLION"),
        ("007", "ZERO ZERO SEVEN"),
        ("3.14", "THREE POINT ONE FOUR"),
        ("22ND", "TWENTY SECOND"),
        ("20TH", "TWENTIETH"),
        ("12TH", "TWELFTH"),
        ("4TH", "FOURTH"),
        ("15%", "FIFTEEN PERCENT"),
        ("$1", "ONE DOLLAR"),
        ("$40", "FORTY DOLLARS"),
        ("1860S", "EIGHTEEN SIXTY'S"),
    ],
)
def test_numbers(text: str, words: str):
    assert number_words(text) == words.split()


@pytest.mark.parametrize("text", ["", "A1", "1-2", "1,25", "WORD", "1:30"])
def test_what_is_no_number(text: str):
    assert number_words(text) is None


def test_every_number_has_a_pronunciation():
    known = cmudict_lexicon()
    for number in [*range(200), 999, 1000, 1101, 99999, 10**14, 123456789012345]:
        assert all(word in known for word in cardinal(number))
        # CMUdict has neither "zeroth" nor "trillionth".
        for text in (str(number), f"{number}TH") if 0 < number < 10**12 else (str(number),):
            assert pronounce(text, known), text
            assert all(is_phone(phone) for phone in pronounce(text, known)[0].split())


@pytest.mark.parametrize(
    ("written", "same_as"),
    [
        ("MR.", "MISTER"),
        ("ESQ.", "ESQUIRE"),
        ("DON’T", "DON'T"),
        ("GIRLS'", "GIRLS"),
        ("'DOGS'", "DOGS"),
        ("WORD,", "WORD"),
    ],
)
def test_forms_of_one_word(written: str, same_as: str):
    known = cmudict_lexicon()
    assert pronounce(written, known)[0] == known[same_as][0]


def test_possessives_initials_hyphens_and_dropped_g():
    known = {
        "MOUTH": ["M AW1 TH"], "DOG": ["D AO1 G"], "FOX": ["F AA1 K S"], "WALKING": ["W AO1 K IH0 NG"],
        "B.": ["B IY1"], "C.": ["S IY1"],
    }  # fmt: skip
    assert pronounce("MOUTH'S", known) == ["M AW1 TH S"]
    assert pronounce("DOG'S", known) == ["D AO1 G Z"]
    assert pronounce("FOX'S", known) == ["F AA1 K S IH0 Z"]
    assert pronounce("WALKIN'", known) == ["W AO1 K IH0 N"]
    assert pronounce("B.C.", known) == pronounce("BC", known) == ["B IY1 S IY1"]
    assert pronounce("DOG-FOX", known) == ["D AO1 G F AA1 K S"]
    assert pronounce("QUUX", known) == pronounce("DOG-QUUX", known) == pronounce("'", known) == []
