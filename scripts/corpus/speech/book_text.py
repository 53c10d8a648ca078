"""LibriHeavy's book texts, as printed, become texts as read.

LibriHeavy gives two texts per cut (Kang et al. 2023, section 2): the book's page, cased and punctuated, and what a
recogniser heard, upper case and with its errors. The page is what is kept; what was heard decides one thing only: how
a number on the page was said, or that it was not said at all, as page and verse numbers are not. The rules, in order:

1. Typographic quotes, hyphens and dots become ASCII; a dash (– — or --) becomes a hyphen between spaces.
2. Printer's marks go: [12], [Pg 12], [Illustration: ...], [Footnote ...], the _ and * of emphasis; line breaks
   (verse) become spaces.
3. A number whose reading was heard, next to the words that it stands next to on the page, stays as it is printed,
   and its reading goes into the words. A number that was not heard, where its neighbours were heard side by side,
   goes. Any other number drops the cut: `digits`.
4. A text that then holds a character outside corpus.characters drops the cut: `characters`. Nothing is
   transliterated: an accent is a sign of another language.
"""

import re
from collections.abc import Sequence

from scripts.corpus.speech.number_readings import readings
from scripts.corpus.speech.transcripts import (
    PLAIN,
    Characters,
    CutError,
    ascii_typography,
    has_digit,
    normalise,
    plain,
    spaced,
)

TYPOGRAPHY = {
    **PLAIN,
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
CONTEXT = 2  # words that must have been heard at the edge of a cut for a number beside them to count as not said

Heard = Sequence[str]


def tidy(text: str) -> str:
    """Rules 1 and 2."""
    text = ascii_typography(text, TYPOGRAPHY)
    if "--" in text or text.encode().translate(None, UNMARKED):
        text = PRINTER.sub(" ", text)
        text = re.sub(r"-{2,}", " - ", text).replace("_", "").replace("*", " ").replace("`", "'")
    return spaced(text)


def as_read(found: list[str], characters: Characters) -> list[str]:
    """[book text, words] of [book text, what was heard]; the latter may be missing.

    Args:
        found: LibriHeavy's `custom.texts`.
        characters: that a text may have.

    Raises:
        CutError: with reason `empty-text`, `characters` or `digits`.
    """
    book = tidy(found[0])
    if not book:
        raise CutError("empty-text", "its text is empty")
    if has_digit(book):
        book, words = read_numbers(book.split(), normalise(plain(found[1])).split() if len(found) > 1 else [])
    else:
        words = normalise(book)
    characters.check(book)
    if not words:
        raise CutError("empty-text", "its text has no words")
    return [book, words]


def read_numbers(tokens: Sequence[str], heard: Heard) -> tuple[str, str]:
    """Book text without the numbers that were not said, and its words with the readings of those that were.

    Raises:
        CutError: with reason `digits`, if it cannot be told what became of a number.
    """
    spelled = [None if has_digit(token) else normalise(token).split() for token in tokens]
    book: list[str] = []
    words: list[str] = []
    at = 0  # place in `heard` up to which the tokens before are accounted for
    for place, (token, mine) in enumerate(zip(tokens, spelled, strict=True)):
        if mine is None:
            after = _following(spelled[place + 1 :])
            said = _said(token, heard, at, words[-1:], after[:1])
            if said is None:
                at = _unsaid(token, heard, at, words[-CONTEXT:], after)
                continue
            at, mine = said
        else:
            for word in mine:
                at = next((i + 1 for i in range(at, min(at + WINDOW, len(heard))) if heard[i] == word), at)
        book.append(token)
        words += mine
    return " ".join(book), " ".join(words)


def _following(spelled: Sequence[list[str] | None]) -> list[str]:
    """Up to CONTEXT words that follow, up to the next number."""
    found: list[str] = []
    for mine in spelled:
        if mine is None or len(found) >= CONTEXT:
            break
        found += mine
    return found[:CONTEXT]


def _said(token: str, heard: Heard, at: int, before: Heard, after: Heard) -> tuple[int, list[str]] | None:
    """Where the number's reading ends in `heard`, and the reading; None if it was not heard beside a neighbour."""
    options = readings(token)
    for start in range(max(0, at - 1), min(at + WINDOW, len(heard))):
        for words in options:
            end = start + len(words)
            if list(heard[start:end]) != words:
                continue
            left = list(heard[start - 1 : start]) == list(before) if start and before else not start and not before
            right = list(heard[end : end + 1]) == list(after) if after else end == len(heard)
            if left or right:
                return end, words
    return None


def _unsaid(token: str, heard: Heard, at: int, before: Heard, after: Heard) -> int:
    """The place in `heard` between the number's neighbours; CutError `digits` if they were not heard side by side."""
    for place in range(max(0, at - 1), min(at + WINDOW, len(heard)) + 1):
        left = list(heard[max(0, place - len(before)) : place])
        right = list(heard[place : place + len(after)])
        if before and after:
            fits = left[-1:] == list(before[-1:]) and right[:1] == list(after[:1])
        else:  # at the edge of the cut, nothing else may have been said there
            fits = (left, right) == (list(before), list(after)) and (place == 0 if not before else place == len(heard))
        if fits and (before or after):
            return place
    told = " ".join(heard[max(0, at - 3) : at + 5])
    raise CutError("digits", f"the text has {token!r}; what was heard there, {told!r}, does not say how it was read")
