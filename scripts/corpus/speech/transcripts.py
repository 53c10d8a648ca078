"""Normalise the text of a cut to the two forms that every cut has, of the same words.

`custom.texts[0]` is the book text, cased and punctuated, for the text modalities. `custom.texts[1]` is the spoken text,
upper-case words, for the aligner: in ASCII, but for words that the user's lexicon lists with other letters.
"""

import re
from collections.abc import Container, Mapping
from typing import Any

from scripts.corpus.drops import DropError
from scripts.corpus.letters import compose, fold_letters, listed_words

# Typographic variants of ASCII characters, frequent in LibriHeavy's book texts.
ASCII_FORMS = {
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "–": "-",
    "—": "-",
    "‐": "-",
    "‑": "-",
    "…": "...",
    "\u00a0": " ",
}
NON_ASCII = re.compile(r"[^\x00-\x7f]")
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = bytes(ord(chr(code).upper()) if chr(code).upper() in f"{UPPER}'" else ord(" ") for code in range(128))
LETTERS += b" " * 128
NO_DIGITS = bytes(code for code in range(128) if not chr(code).isdigit())


def ascii_typography(text: str, table: Mapping[str, str] = ASCII_FORMS) -> str:
    """The text with the characters of `table` replaced."""
    if text.isascii():
        return text
    for character in set(NON_ASCII.findall(text)):  # a few, and str.replace is ten times faster than str.translate
        text = text.replace(character, table.get(character, character))
    return text


def normalise_typography(text: str) -> str:
    """The text with ASCII typography and composed letters (NFC), one space between words and none around them."""
    return collapse_spaces(ascii_typography(compose(text)))


def collapse_spaces(text: str) -> str:
    """The text with one space between words and none around them."""
    if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " " and text.isascii():
        return text  # most texts; splitting them takes ten times as long
    return " ".join(text.split())


def to_words(text: str, listed: Container[str] = ()) -> str:
    """The words of a text as the aligner reads them: upper-case letters and inner apostrophes.

    Letters have their ASCII forms (`fold_letters`), under which pronunciations are listed, but in words that the user's
    lexicon lists as they are spelled. Hyphens and other punctuation part words; apostrophes at a word's edge are
    quotation marks and go.

    Args:
        text: the text.
        listed: words with letters beyond ASCII, as of `listed_form`, that are pronounced as they are spelled.

    Raises:
        DropError: with reason `digits`: how a number was spoken cannot be told from its digits; or `letters`: a letter
            has no ASCII form, and its word is not listed.
    """
    if text.isascii() or not listed:
        return _ascii_words(text)
    words: list[str] = []
    for before, word in listed_words(text, listed):
        words += _ascii_words(before).split()
        if word is not None:
            words.append(word)
    return " ".join(words)


def _ascii_words(text: str) -> str:
    """`to_words` without listed words."""
    text = fold_letters(text)
    if has_digit(text):
        digit = re.search(r"\S*\d\S*", text)
        assert digit
        raise DropError("digits", f"the text has {digit[0]!r}, spelled nowhere")
    if not text.isascii() and (letter := next((each for each in text if each.isalpha() and not each.isascii()), None)):
        raise DropError(
            "letters",
            f"the text has {letter!r}, which has no ASCII form, in a word that the lexicon of the corpus does not list",
        )
    raw = text.encode("ascii", "replace")
    words = raw.translate(LETTERS).decode("ascii").split()
    if "'" in text:
        words = [word for word in (word.strip("'") for word in words) if word]
    return " ".join(words)


def has_digit(text: str) -> bool:
    """Whether a text has a digit."""
    # Deleting all other bytes takes a tenth of the time of a search.
    return bool(text.encode().translate(None, NO_DIGITS)) if text.isascii() else bool(re.search(r"\d", text))


def texts_of(supervision: dict[str, Any]) -> list[str]:
    """The texts of a supervision, at most two: `custom.texts`, else `text`.

    Raises:
        DropError: with reason `no-text`.
    """
    custom = supervision.get("custom") or {}
    texts = custom.get("texts") or ([supervision["text"]] if supervision.get("text") is not None else [])
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise DropError("no-text", "its supervision has neither custom.texts nor text")
    return texts[:2]


class Characters:
    """The characters that corpus.characters allows: the inside of a regular-expression class.

    Raises:
        ValueError: it is not valid there.
    """

    def __init__(self, inside: str):
        self.inside = inside
        try:
            self._odd = re.compile(f"[^{inside}]")
        except re.error as error:
            raise ValueError(f"corpus.characters: [{inside}] is not a regular-expression class ({error})") from None
        self._allowed = bytes(code for code in range(128) if not self._odd.match(chr(code)))

    def check(self, text: str) -> None:
        """DropError `characters` naming the first character that is not allowed."""
        if text.isascii() and not text.encode().translate(None, self._allowed):
            return
        if match := self._odd.search(text):
            raise DropError("characters", f"the text has {match[0]!r}; corpus.characters allows [{self.inside}]")


def normalise_given(given: list[str], characters: Characters, listed: Container[str] = ()) -> list[str]:
    """[book text, spoken text] where the second text, if there is one, is the spoken form of the first.

    Args:
        given: what `texts_of` returned.
        characters: those that a text may have.
        listed: as of `to_words`.

    Raises:
        DropError: with reason `empty-text`, `characters`, `digits` or `letters`.
    """
    texts = [normalise_typography(text) for text in given]
    if not texts[0]:
        raise DropError("empty-text", "its text is empty")
    for text in texts:
        characters.check(text)
    words = to_words(texts[1] if len(texts) > 1 and texts[1] else texts[0], listed)
    if not words:
        raise DropError("empty-text", "its text has no words")
    return [texts[0], words]
