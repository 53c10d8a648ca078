"""From the text that a cut came with to the two that every cut has: the book's, and the words that were said.

They are `custom.texts[0]` (cased and punctuated: what the text modalities read) and `custom.texts[1]` (upper-case
words: what the aligner reads), and always two forms of the same words.
"""

import re
from collections.abc import Mapping
from typing import Any

# Typography that means nothing but its ASCII neighbour; LibriHeavy's book texts are full of it.
PLAIN = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‐": "-", "‑": "-", "…": "...", "\u00a0": " "}
FOREIGN = re.compile(r"[^\x00-\x7f]")
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LETTERS = bytes(ord(chr(code).upper()) if chr(code).upper() in f"{UPPER}'" else ord(" ") for code in range(128))
LETTERS += b" " * 128
NO_DIGITS = bytes(code for code in range(128) if not chr(code).isdigit())


class CutError(ValueError):
    """A cut that is left out; `reason` is the word it is counted under."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def ascii_typography(text: str, table: Mapping[str, str] = PLAIN) -> str:
    """The text with the characters of `table` replaced; others stay as they are."""
    if text.isascii():
        return text
    for character in set(FOREIGN.findall(text)):  # a few, and str.replace is ten times faster than str.translate
        text = text.replace(character, table.get(character, character))
    return text


def plain(text: str) -> str:
    """The text with ASCII typography, one space between words and none around them."""
    return spaced(ascii_typography(text))


def spaced(text: str) -> str:
    """The text with one space between words and none around them."""
    if text.isprintable() and "  " not in text and text[:1] != " " and text[-1:] != " " and text.isascii():
        return text  # as most are, and splitting them takes ten times as long
    return " ".join(text.split())


def normalise(text: str) -> str:
    """The words of a text as the aligner reads them: upper-case letters and inner apostrophes.

    Hyphens and other punctuation part words; apostrophes at a word's edge are quotation marks and go.

    Raises:
        CutError: with reason `digits`: how a number was spoken cannot be told from its digits.
    """
    if has_digit(text):
        digit = re.search(r"\S*\d\S*", text)
        assert digit
        raise CutError("digits", f"the text has {digit[0]!r}, spelled nowhere")
    # A letter that is not ASCII may have capitals that are (ß: SS); an ASCII letter's are its own.
    raw = text.encode() if text.isascii() else text.upper().encode("ascii", "replace")
    words = raw.translate(LETTERS).decode("ascii").split()
    if "'" in text:
        words = [word for word in (word.strip("'") for word in words) if word]
    return " ".join(words)


def has_digit(text: str) -> bool:
    """Whether a text has a digit."""
    # Deleting all other bytes takes a tenth of the time of a search.
    return bool(text.encode().translate(None, NO_DIGITS)) if text.isascii() else bool(re.search(r"\d", text))


def given_texts(supervision: dict[str, Any]) -> list[str]:
    """What a supervision has of texts, at most two, in `custom.texts` or else `text`.

    Raises:
        CutError: with reason `no-text`.
    """
    custom = supervision.get("custom") or {}
    found = custom.get("texts") or ([supervision["text"]] if supervision.get("text") is not None else [])
    if not isinstance(found, list) or not found or not all(isinstance(text, str) for text in found):
        raise CutError("no-text", "its supervision has neither custom.texts nor text")
    return found[:2]


class Characters:
    """What corpus.characters allows, the inside of a regular-expression class.

    Raises:
        ValueError: it is no such thing.
    """

    def __init__(self, inside: str):
        self.inside = inside
        try:
            self._odd = re.compile(f"[^{inside}]")
        except re.error as error:
            raise ValueError(f"corpus.characters: [{inside}] is not a regular-expression class ({error})") from None
        self._allowed = bytes(code for code in range(128) if not self._odd.match(chr(code)))

    def check(self, text: str) -> None:
        """CutError `characters` naming the first character that is not allowed."""
        if text.isascii() and not text.encode().translate(None, self._allowed):
            return
        if found := self._odd.search(text):
            raise CutError("characters", f"the text has {found[0]!r}; corpus.characters allows [{self.inside}]")


def as_given(found: list[str], characters: Characters) -> list[str]:
    """[book text, words] where the second text, if there is one, spells the first: it is taken at its word.

    Args:
        found: what `given_texts` returned.
        characters: that a text may have.

    Raises:
        CutError: with reason `empty-text`, `characters` or `digits`.
    """
    texts = [plain(text) for text in found]
    if not texts[0]:
        raise CutError("empty-text", "its text is empty")
    for text in texts:
        characters.check(text)
    words = normalise(texts[1] if len(texts) > 1 and texts[1] else texts[0])
    if not words:
        raise CutError("empty-text", "its text has no words")
    return [texts[0], words]
