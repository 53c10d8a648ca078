"""All usual readings of a printed number, to be compared with a recogniser's transcript."""

import re
from collections.abc import Iterable, Iterator

from scripts.corpus.verbalize import ONES, ORDINALS, cardinal, number_words

Words = list[str]
EDGES = re.compile(r"^[^\w$]+|[^\w%]+$")
PARTS = re.compile(r"[-/:]")
MAX_READINGS = 10_000  # readings of one token; the readings of a row of numbers multiply


def readings(token: str) -> list[Words]:
    """All readings of a token that holds a digit, longest first; empty if its form is unknown or it has too many.

    `1865` is EIGHTEEN SIXTY FIVE, EIGHTEEN HUNDRED AND SIXTY FIVE, ONE THOUSAND EIGHT HUNDRED SIXTY FIVE, ...
    A token of several parts (10:30, 20-inch) is read part by part.
    """
    combined: list[Words] = [[]]
    for part in PARTS.split(EDGES.sub("", token).upper()):
        if not part:
            continue
        options = _distinct(_readings_of_part(part)) if re.search(r"\d", part) else [re.findall(r"[A-Z']+", part)]
        if len(combined) * len(options) > MAX_READINGS:
            return []
        combined = [[*before, *option] for before in combined for option in options]
    return sorted(filter(None, _distinct(combined)), key=lambda words: (-len(words), words))


def only_reading(token: str) -> Words | None:
    """The words of a number that is read in one way wherever it stands, None for any other.

    These are 1 to 99 and their ordinals (21st). A longer number may be a year, have an AND, or be read digit by digit;
    0 may be OH; a number of several parts may be a time, a date or a score.
    """
    text = EDGES.sub("", token).upper()
    return number_words(text) if re.fullmatch(r"[1-9]\d?(ST|ND|RD|TH)?", text) else None


def _distinct(candidates: Iterable[Words]) -> list[Words]:
    return list({" ".join(words): words for words in candidates}.values())


def _readings_of_part(text: str) -> Iterator[Words]:
    usual = number_words(text)
    if usual is None:
        return
    yield from _with_and(usual)
    if plural := re.fullmatch(r"(\d+)'?S", text):
        ones = number_words(plural[1]) or []
        yield [*ones[:-1], ones[-1][:-1] + "IES" if ones[-1].endswith("Y") else ones[-1] + "S"]
    if not re.fullmatch(r"[\d,]+", text):
        return
    bare = text.replace(",", "")
    if len(bare) > 15:
        return
    whole = cardinal(int(bare))
    yield from _with_and(whole)
    for zero in ("ZERO", "OH", "NOUGHT"):
        yield [zero if digit == "0" else ONES[int(digit)] for digit in bare]
    last = ORDINALS.get(whole[-1], whole[-1][:-1] + "IETH" if whole[-1].endswith("Y") else whole[-1] + "TH")
    for ordinal in _with_and([*whole[:-1], last]):
        yield ordinal
        yield ["THE", *ordinal]
    if len(bare) == 4 and bare[0] != "0":
        century, rest = cardinal(int(bare[:2])), int(bare[2:])
        tail = cardinal(rest) if rest else []
        yield from _with_and([*century, "HUNDRED", *tail])
        if rest:
            yield [*century, *(["OH"] if rest < 10 else []), *tail]


def _with_and(words: Words) -> Iterator[Words]:
    """The words as they are, with AND after HUNDRED or THOUSAND, and with A for a leading ONE."""
    for version in (words, list(_insert_and(words))):
        yield version
        if len(version) > 1 and version[0] == "ONE" and version[1] in ("HUNDRED", "THOUSAND", "MILLION"):
            yield ["A", *version[1:]]


def _insert_and(words: Words) -> Iterator[str]:
    scales = ("THOUSAND", "MILLION", "BILLION", "TRILLION")
    for place, word in enumerate(words):
        yield word
        rest = words[place + 1 :]
        hundred = word == "HUNDRED" and rest and rest[0] not in scales
        small = word in scales and rest and "HUNDRED" not in rest
        if hundred or small:
            yield "AND"
