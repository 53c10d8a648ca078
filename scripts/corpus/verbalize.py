"""Verbalise written forms that are not in the dictionary: numbers, abbreviations, initials, apostrophes, hyphens.

Every rule expands a form to words of the dictionary; a form that matches no rule has no pronunciation here (the aligner
may guess one from its letters). The token remains one word of the transcript: `1865` is
aligned as one word with the phones of "eighteen sixty five".
"""

import re
from collections.abc import Mapping, Sequence

ONES = [
    "ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN", "ELEVEN", "TWELVE",
    "THIRTEEN", "FOURTEEN", "FIFTEEN", "SIXTEEN", "SEVENTEEN", "EIGHTEEN", "NINETEEN",
]  # fmt: skip
TENS = ["-", "-", "TWENTY", "THIRTY", "FORTY", "FIFTY", "SIXTY", "SEVENTY", "EIGHTY", "NINETY"]
SCALES = ((10**12, "TRILLION"), (10**9, "BILLION"), (10**6, "MILLION"), (1000, "THOUSAND"), (100, "HUNDRED"))
MAX_DIGITS = 15  # of a number; longer ones are read digit by digit
YEARS = range(1100, 2000)  # read as two pairs of digits
ORDINALS = {
    "ONE": "FIRST", "TWO": "SECOND", "THREE": "THIRD", "FIVE": "FIFTH", "EIGHT": "EIGHTH", "NINE": "NINTH",
    "TWELVE": "TWELFTH",
}  # fmt: skip
ABBREVIATIONS = {
    "MR": "MISTER", "MRS": "MISSUS", "MESSRS": "MESSIEURS", "DR": "DOCTOR", "ST": "SAINT", "JR": "JUNIOR",
    "SR": "SENIOR", "ESQ": "ESQUIRE", "CAPT": "CAPTAIN", "COL": "COLONEL", "GEN": "GENERAL", "LT": "LIEUTENANT",
    "SGT": "SERGEANT", "REV": "REVEREND", "HON": "HONORABLE", "PROF": "PROFESSOR", "GOV": "GOVERNOR",
    "NO": "NUMBER", "VOL": "VOLUME", "CHAP": "CHAPTER", "FIG": "FIGURE", "ETC": "ET CETERA", "VS": "VERSUS",
    "LTD": "LIMITED", "BROS": "BROTHERS", "DEPT": "DEPARTMENT", "&": "AND", "%": "PERCENT",
}  # fmt: skip
SIBILANTS = {"S", "Z", "SH", "ZH", "CH", "JH"}
VOICELESS = {"P", "T", "K", "F", "TH"}


def cardinal(number: int) -> list[str]:
    """342 -> THREE HUNDRED FORTY TWO."""
    for scale, name in SCALES:
        if number >= scale:
            head, rest = divmod(number, scale)
            return [*cardinal(head), name, *(cardinal(rest) if rest else [])]
    if number < len(ONES):
        return [ONES[number]]
    tens, ones = divmod(number, 10)
    return [TENS[tens], *([ONES[ones]] if ones else [])]


def digits(text: str) -> list[str]:
    """The words of a string of digits: a year, a number, or, if it is long or begins with 0, single digits."""
    if len(text) > MAX_DIGITS or (text.startswith("0") and len(text) > 1):
        return [ONES[int(digit)] for digit in text]
    number = int(text)
    if len(text) == 4 and number in YEARS:
        century, rest = divmod(number, 100)
        tail = ["HUNDRED"] if not rest else ["OH", ONES[rest]] if rest < 10 else cardinal(rest)
        return [*cardinal(century), *tail]
    return cardinal(number)


def number_words(text: str) -> list[str] | None:
    """The words of a form with digits (1,250 3.5 2ND 1860S $40 15%), or None for another form."""
    match = re.fullmatch(r"(\$?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?(ST|ND|RD|TH|'?S|%)?", text)
    if not match:
        return None
    dollars, whole, fraction, ending = match.groups()
    words = cardinal(int(whole.replace(",", ""))) if "," in whole else digits(whole)
    if fraction:
        words += ["POINT", *(ONES[int(digit)] for digit in fraction)]
    if ending in ("ST", "ND", "RD", "TH"):
        last = words[-1]
        words[-1] = ORDINALS.get(last, last[:-1] + "IETH" if last.endswith("Y") else last + "TH")
    elif ending == "%":
        words.append("PERCENT")
    elif ending:
        words[-1] += "'S"
    if dollars:
        words.append("DOLLAR" if words == ["ONE"] else "DOLLARS")
    return words


def with_s(phones: str) -> str:
    """Phones of a word with 'S: S after P, T, K, F, TH; IH0 Z after sibilants; else Z."""
    last = phones.split()[-1]
    return f"{phones} {'IH0 Z' if last in SIBILANTS else 'S' if last in VOICELESS else 'Z'}"


def pronounce(written: str, known: Mapping[str, Sequence[str]]) -> list[str]:
    """Pronunciations "PH ON ES" of an upper-case form by rule; empty if there is none.

    Args:
        written: a token of the transcript.
        known: the dictionary, upper-case word -> pronunciations; it holds single letters as "A." or "A".
    """
    text = re.sub("[‘’`´]", "'", written)
    text = re.sub(r"^[^\w$&%']+|[^\w.'%&]+$", "", text)
    if text in known:
        return list(known[text])
    bare = text.strip(".")
    if bare.upper() in ABBREVIATIONS and (bare != text or bare not in known):
        return joined(ABBREVIATIONS[bare.upper()].split(), known)
    if bare in known:
        return list(known[bare])
    if words := number_words(bare):
        return joined(words, known)
    if re.fullmatch(r"[A-Z](\.[A-Z])+\.?", text) or re.fullmatch(r"[B-DF-HJ-NP-TV-XZ]{2,3}", bare):
        return joined([f"{letter}." for letter in bare if letter != "."], known)
    if bare.endswith("'S"):
        return [with_s(phones) for phones in pronounce(bare[:-2], known)]
    if bare.endswith("IN'"):
        return [re.sub(r"NG$", "N", phones) for phones in known.get(bare[:-1] + "G", ())]
    if bare.startswith("'") or bare.endswith("'"):
        return pronounce(bare.strip("'"), known)
    if len(parts := re.split(r"[-–—/]+", bare)) > 1:
        return joined([part for part in parts if part], known)
    return []


def joined(words: Sequence[str], known: Mapping[str, Sequence[str]]) -> list[str]:
    """The concatenated first pronunciations of the words; empty if a word has none."""
    parts = [known.get(word) or known.get(word.strip(".")) or pronounce(word, known) for word in words]
    return [" ".join(part[0] for part in parts)] if parts and all(parts) else []
