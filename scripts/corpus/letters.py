"""Letters beyond ASCII: one code point for each, the forms under which a lexicon lists words, and their ASCII forms."""

import unicodedata
from collections.abc import Container, Iterator

APOSTROPHES = str.maketrans(dict.fromkeys("‘’ʼ", "'"))

# Latin letters that Unicode does not decompose into an ASCII letter and marks, as English texts write them without.
ASCII_LETTERS = {
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "th", "Ð": "TH", "þ": "th", "Þ": "TH", "ħ": "h", "Ħ": "H", "ı": "i", "ŋ": "ng", "Ŋ": "NG",
}  # fmt: skip


def compose(text: str) -> str:
    """The text with letters and their marks composed (NFC): one character for é, however it was written."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def fold_letters(text: str) -> str:
    """The text with its letters' ASCII forms: without marks (é: e), and by ASCII_LETTERS (ß: ss).

    Compatibility forms (ligatures, full-width letters, superscripts) become what they stand for (Unicode Standard Annex
    15, NFKD). A letter of another script stays.
    """
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(ASCII_LETTERS.get(each, each) for each in decomposed if not unicodedata.combining(each))


def listed_form(word: str) -> str:
    """The form under which a lexicon lists a word: upper-case, letters composed, with ASCII apostrophes."""
    return word.upper() if word.isascii() else compose(compose(word).translate(APOSTROPHES).upper())


def listed_words(text: str, listed: Container[str]) -> Iterator[tuple[str, str | None]]:
    """The text in parts: (what stands before a listed word, that word), and at last (the rest, None).

    Args:
        text: whose words are runs of letters, their marks, and apostrophes between them.
        listed: words as of `listed_form`; of one with 's behind it, the word without will do.
    """
    # Marks that compose with no letter (Hebrew points, vowel signs of Indic scripts) are of their letter's word.
    inside = "".join(each if each.isalpha() or each in "'’" or unicodedata.combining(each)
                     or unicodedata.category(each) == "Mc" else " " for each in text)  # fmt: skip
    position = at = 0
    for run in inside.split():
        start = inside.index(run, at)
        at = start + len(run)
        bare = run.strip("'’")
        word = listed_form(bare)
        if bare and (word in listed or word.removesuffix("'S") in listed):
            start += run.index(bare)
            yield text[position:start], word
            position = start + len(bare)
    yield text[position:], None
