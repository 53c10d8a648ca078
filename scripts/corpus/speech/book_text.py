"""Normalise LibriHeavy's printed book texts to texts as they were read aloud.

LibriHeavy has two texts per cut (Kang et al. 2023, section 2): the text of the book, cased and punctuated, and the
transcript of a speech recogniser, upper case and with errors. The book text is kept. The transcript only decides how a
number in it was read, or whether it was read at all (page and verse numbers are not). The rules, in order:

1. Typographic quotes, hyphens and dots become ASCII; a dash (– — or --) becomes a hyphen between spaces.
2. Printer's marks are removed: [12], [Pg 12], [Illustration: ...], [Footnote ...], the _ and * of emphasis; line breaks
   (verse) become spaces.
3. If the transcript has a reading of a number next to a neighbouring word of the number, the number stays in the book
   text and its reading goes into the spoken text. If the transcript has the number's neighbours side by side, the
   number was not read and is removed. Otherwise the cut is dropped: `digits`. Without a transcript (corpora other than
   LibriHeavy), a number that is always read in one way (1 to 99, 21st) stays and is spelled in the spoken text.
4. A cut whose text then has a character outside corpus.characters is dropped: `characters`. The book text keeps its
   letters (résumé); the spoken text has their ASCII forms (RESUME), under which pronunciations are listed, unless the
   user's lexicon lists the word as it is spelled.
"""

import re
from collections.abc import Container, Sequence

from scripts.corpus.drops import DropError
from scripts.corpus.letters import compose
from scripts.corpus.speech.number_readings import only_reading, readings
from scripts.corpus.speech.transcripts import (
    ASCII_FORMS,
    Characters,
    ascii_typography,
    collapse_spaces,
    has_digit,
    normalise_typography,
    to_words,
)

TYPOGRAPHY = {
    **ASCII_FORMS,
    **dict.fromkeys("–—―", " - "),
    **dict.fromkeys("‚‛´", "'"),
    **dict.fromkeys("„‟«»", '"'),
    **dict.fromkeys("\ufeff\u200b", ""),
}
UNMARKED = bytes(code for code in range(128) if chr(code) not in "[{_*`")
PRINTER = re.compile(
    r"[\[{]\s*(?:(?:pg|page|p|illustration|foot-?note|side-?note|note|transcriber)\b[^\]}]*|\d+|[a-z]|\*+)\s*[\]}]",
    re.IGNORECASE,
)
WINDOW = 8  # words that the recogniser may be ahead or behind: its insertions and deletions
CONTEXT = (
    2  # words of the transcript that must match at the edge of a cut for a number beside them to count as not read
)

Words = Sequence[str]


def clean_typography(text: str) -> str:
    """Rules 1 and 2."""
    text = ascii_typography(compose(text), TYPOGRAPHY)
    if "--" in text or text.encode().translate(None, UNMARKED):
        text = PRINTER.sub(" ", text)
        text = re.sub(r"-{2,}", " - ", text).replace("_", "").replace("*", " ").replace("`", "'")
    return collapse_spaces(text)


def normalise_book(given: list[str], characters: Characters, listed: Container[str] = ()) -> list[str]:
    """[book text, spoken text] of [book text, recogniser's transcript]; the transcript may be missing.

    Args:
        given: LibriHeavy's `custom.texts`.
        characters: those that a text may have.
        listed: as of `to_words`.

    Raises:
        DropError: with reason `empty-text`, `characters`, `digits` or `letters`.
    """
    book = clean_typography(given[0])
    if not book:
        raise DropError("empty-text", "its text is empty")
    if has_digit(book) and len(given) > 1:
        book, words = read_numbers(book.split(), to_words(normalise_typography(given[1]), listed).split(), listed)
    elif has_digit(book):
        words = spell_numbers(book.split(), listed)
    else:
        characters.check(book)
        words = to_words(book, listed)
    characters.check(book)
    if not words:
        raise DropError("empty-text", "its text has no words")
    return [book, words]


def spell_numbers(tokens: Sequence[str], listed: Container[str] = ()) -> str:
    """The spoken text of a text without a transcript: its numbers in words, where each has one reading only.

    Raises:
        DropError: with reason `digits`, if a number has several.
    """
    words: list[str] = []
    for token in tokens:
        spoken = only_reading(token) if has_digit(token) else to_words(token, listed).split()
        if spoken is None:
            raise DropError("digits", f"the text has {token!r}, which is read in several ways; spell it as it was read")
        words += spoken
    return " ".join(words)


def read_numbers(tokens: Sequence[str], transcript: Words, listed: Container[str] = ()) -> tuple[str, str]:
    """Book text without the numbers that were not read aloud, and the spoken text with the readings of the others.

    Raises:
        DropError: with reason `digits`, if the transcript does not show whether or how a number was read.
    """
    spelled = [None if has_digit(token) else to_words(token, listed).split() for token in tokens]
    book: list[str] = []
    words: list[str] = []
    at = 0  # index in `transcript` after the words that match the tokens so far
    for place, (token, spoken) in enumerate(zip(tokens, spelled, strict=True)):
        if spoken is None:
            after = _following(spelled[place + 1 :])
            reading = _find_reading(token, transcript, at, words[-1:], after[:1])
            if reading is None:
                at = _find_omission(token, transcript, at, words[-CONTEXT:], after)
                continue
            at, spoken = reading
        else:
            for word in spoken:
                at = next((i + 1 for i in range(at, min(at + WINDOW, len(transcript))) if transcript[i] == word), at)
        book.append(token)
        words += spoken
    return " ".join(book), " ".join(words)


def _following(spelled: Sequence[list[str] | None]) -> list[str]:
    """The next words, at most CONTEXT, up to the next number."""
    following: list[str] = []
    for words in spelled:
        if words is None or len(following) >= CONTEXT:
            break
        following += words
    return following[:CONTEXT]


def _find_reading(token: str, transcript: Words, at: int, before: Words, after: Words) -> tuple[int, list[str]] | None:
    """Index in `transcript` after a reading of the number, and the reading; None if none is next to a neighbour."""
    options = readings(token)
    for start in range(max(0, at - 1), min(at + WINDOW, len(transcript))):
        for words in options:
            end = start + len(words)
            if list(transcript[start:end]) != words:
                continue
            left = list(transcript[start - 1 : start]) == list(before) if start and before else not start and not before
            right = list(transcript[end : end + 1]) == list(after) if after else end == len(transcript)
            if left or right:
                return end, words
    return None


def _find_omission(token: str, transcript: Words, at: int, before: Words, after: Words) -> int:
    """Index in `transcript` between the number's neighbours; DropError `digits` if they are not side by side there."""
    for place in range(max(0, at - 1), min(at + WINDOW, len(transcript)) + 1):
        left = list(transcript[max(0, place - len(before)) : place])
        right = list(transcript[place : place + len(after)])
        if before and after:
            fits = left[-1:] == list(before[-1:]) and right[:1] == list(after[:1])
        else:  # at the edge of the cut, the transcript may have nothing else there
            fits = (left, right) == (list(before), list(after)) and (
                place == 0 if not before else place == len(transcript)
            )
        if fits and (before or after):
            return place
    excerpt = " ".join(transcript[max(0, at - 3) : at + 5])
    raise DropError(
        "digits", f"the text has {token!r}; what was heard there, {excerpt!r}, does not say how it was read"
    )
