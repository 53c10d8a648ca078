"""LibriHeavy's two texts: the page's text is kept, and the recogniser's text gives the readings of numbers."""

import pytest

from scripts.corpus.drops import DropError
from scripts.corpus.speech.book_text import clean_typography, normalise_book
from scripts.corpus.speech.number_readings import readings
from scripts.corpus.speech.transcripts import Characters

ENGLISH = Characters("A-Za-z0-9 .,;:!?'\"()-")


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("“It’s well‐known,” he said—and ‘smiled’…", "\"It's well-known,\" he said - and 'smiled'..."),
        ("wait--no -- never", "wait - no - never"),
        ("The _first_ and *second*", "The first and second"),
        ("On [Pg 12] went the [Illustration: a ship] ship[3] and {14} men [a]", "On went the ship and men"),
        ("Tyger, tyger,\n   burning bright", "Tyger, tyger, burning bright"),
        ("a [sic] stays, and (12) too", "a [sic] stays, and (12) too"),
    ],
)
def test_print_becomes_plain(page: str, text: str):
    assert clean_typography(page) == text


@pytest.mark.parametrize(
    ("page", "heard", "text", "words"),
    [
        # What was heard does not replace a word of the page.
        ("The little gill laughed.", "THE LITTLE GIRL LAUGHED", "The little gill laughed.", "THE LITTLE GILL LAUGHED"),
        # Numbers as they were read.
        ("In 1865, he died.", "IN EIGHTEEN SIXTY FIVE HE DIED", "In 1865, he died.", "IN EIGHTEEN SIXTY FIVE HE DIED"),
        (
            "In 1865 he died.",
            "IN EIGHTEEN HUNDRED AND SIXTY FIVE HE DYED",
            "In 1865 he died.",
            "IN EIGHTEEN HUNDRED AND SIXTY FIVE HE DIED",
        ),
        ("May 5, at 10:30", "MAY THE FIFTH AT TEN THIRTY", "May 5, at 10:30", "MAY THE FIFTH AT TEN THIRTY"),
        (
            "the 1860s and 2nd",
            "THE EIGHTEEN SIXTIES AND SECOND",
            "the 1860s and 2nd",
            "THE EIGHTEEN SIXTIES AND SECOND",
        ),
        ("a 20-inch gun", "A TWENTY INCH GUN", "a 20-inch gun", "A TWENTY INCH GUN"),
        ("100 men", "A HUNDRED MEN", "100 men", "A HUNDRED MEN"),
        ("1,250 men", "ONE THOUSAND TWO HUNDRED AND FIFTY MEN", "1,250 men", None),
        # Page and verse numbers that were not.
        ("he went 12 to the door", "HE WENT TO THE DOOR", "he went to the door", "HE WENT TO THE DOOR"),
        ("12 And it came to pass", "AND IT CAME TO PASS", "And it came to pass", "AND IT CAME TO PASS"),
        ("came to pass. 13", "CAME TO PASS", "came to pass.", "CAME TO PASS"),
        ("one man 3 and one 4 woman", "ONE MAN AND ONE WOMAN", "one man and one woman", "ONE MAN AND ONE WOMAN"),
        # A number that is read here is not taken for the one that was not.
        ("3 he had 3 men", "HE HAD THREE MEN", "he had 3 men", "HE HAD THREE MEN"),
    ],
)
def test_numbers_are_as_they_were_heard(page: str, heard: str, text: str, words: str | None):
    assert normalise_book([page, heard], ENGLISH) == [text, words or heard]


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["In 1865 he died."], "digits"),
        (["In 1865 he died.", ""], "digits"),
        (["In 1865 he died.", "IN THE SUMMER HE DIED"], "digits"),
        (["12", ""], "digits"),
        (["at a café", "AT A CAFE"], "characters"),
        (["Ἀχιλλεύς", "ACHILLES"], "characters"),
        (["five & six", "FIVE AND SIX"], "characters"),
        (["[Illustration]", ""], "empty-text"),
        (["...", ""], "empty-text"),
    ],
)
def test_what_cannot_be_told_is_dropped(texts: list[str], reason: str):
    with pytest.raises(DropError) as error:
        normalise_book(texts, ENGLISH)
    assert error.value.reason == reason


def test_characters_are_those_of_the_class_beyond_ascii_too():
    french = Characters("A-Za-zàâçéèêëîïôûùü .")
    french.check("Café noir.")
    with pytest.raises(DropError, match="'ö'"):
        french.check("Möbel")
    with pytest.raises(DropError, match="','"):
        french.check("Oui, oui")


def test_readings_are_many_and_none_is_empty():
    said = {" ".join(words) for words in readings("1906,")}
    assert {
        "NINETEEN OH SIX",
        "NINETEEN HUNDRED AND SIX",
        "ONE THOUSAND NINE HUNDRED AND SIX",
        "ONE NINE OH SIX",
    } <= said
    assert readings("x2y") == []
    assert ["TEN", "NINE", "EIGHT"] in readings("10-9-8")
    assert readings("10-9-8-7-6-5-4-3-2-1-10-9-8-7-6-5") == []  # more than anybody can go through
    assert readings("0")[0]
    assert ["A", "THOUSAND"] in readings("1000")
    assert ["TWENTY", "FIRST"] in readings("21")


@pytest.mark.parametrize(
    ("text", "book", "words"),
    [
        ("He was 21, on the 3rd of May.", None, "HE WAS TWENTY ONE ON THE THIRD OF MAY"),
        ("“Chapter 12—_The_ End” [Pg 40]", '"Chapter 12 - The End"', "CHAPTER TWELVE THE END"),
        ("About 99 of them (7).", None, "ABOUT NINETY NINE OF THEM SEVEN"),
    ],
)
def test_without_a_transcript_numbers_of_one_reading_are_spelled(text: str, book: str | None, words: str):
    assert normalise_book([text], ENGLISH) == [book or text, words]


@pytest.mark.parametrize("number", ["1865", "100", "0", "007", "10:30", "$5", "20-inch", "15%", "3.5", "2,000"])
def test_without_a_transcript_any_other_number_drops_the_cut(number: str):
    with pytest.raises(DropError, match="is read in several ways") as error:
        normalise_book([f"It was {number} then."], ENGLISH)
    assert error.value.reason == "digits"
