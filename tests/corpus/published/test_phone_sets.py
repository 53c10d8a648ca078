"""Transcriptions in other phone sets become CMUdict's phones, or the message names the symbol without a phone."""

import pytest

from scripts.corpus.pronounce import is_phone
from scripts.corpus.published.phone_sets import (
    ARPABET,
    IPA,
    UnmappedError,
    detect_alphabet,
    to_cmudict,
    unmapped_summary,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HH AH0 L OW1", "HH AH0 L OW1"),
        ("hh ah l ow", "HH AH1 L OW0"),  # nothing marked: the first full vowel is stressed, for words and others alike
        ("hh_ax_l_ow", "HH AH0 L OW1"),
        ("B AA1 DX EL", "B AA1 T AH0 L"),
        ("k ae1 t", "K AE1 T"),
        ("AX", "AH1"),
    ],
)
def test_arpabet(text: str, expected: str):
    assert detect_alphabet([text]) == "arpabet"
    assert to_cmudict(text, "arpabet") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("həˈloʊ", "HH AH0 L OW1"),
        ("h ə l oʊ", "HH AH0 L OW1"),
        ("t͡ʃɜːt͡ʃ", "CH ER1 CH"),
        ("tʃ ɝ tʃ", "CH ER1 CH"),
        ("dʒʌdʒ", "JH AH1 JH"),
        ("ˌʌndɚˈstænd", "AH2 N D ER0 S T AE1 N D"),
        ("bɑːɾl̩", "B AA1 T AH0 L"),
        ("pʰaɪɹ", "P AY1 R"),
        ("ɡɔɪ", "G OY1"),
        ("s.p.r.ɪ.ŋ", "S P R IH1 NG"),
        ("juːz", "Y UW1 Z"),
        ("əv", "AH1 V"),
    ],
)
def test_ipa(text: str, expected: str):
    assert to_cmudict(text, "ipa") == expected


def test_a_file_is_written_in_one_alphabet():
    # Alone, "p i" could be read either way; a file is in ARPAbet only if all of it is.
    assert detect_alphabet(["k t", "k ae t"]) == "arpabet"
    assert detect_alphabet(["k t", "k æ t"]) == "ipa"


@pytest.mark.parametrize(
    ("text", "written_in", "symbol"), [("p y t", "ipa", "y"), ("p ʘ t", "ipa", "ʘ"), ("QX", "arpabet", "QX")]
)
def test_a_symbol_without_a_place_is_named(text: str, written_in: str, symbol: str):
    with pytest.raises(UnmappedError) as error:
        to_cmudict(text, written_in)
    assert str(error.value) == symbol


def test_nothing_is_nothing():
    assert to_cmudict(" ", "ipa") == ""


@pytest.mark.parametrize(("table", "written_in"), [(ARPABET, "arpabet"), (IPA, "ipa")])
def test_every_symbol_of_the_tables_gives_phones_of_cmudict(table: dict, written_in: str):
    for symbol in table:
        assert all(is_phone(phone) for phone in to_cmudict(symbol, written_in).split()), symbol


def test_the_summary_names_symbol_and_code_point():
    assert unmapped_summary({"ʘ": 3, "y": 4}) == "'y' (U+0079) in 4, 'ʘ' (U+0298) in 3"
