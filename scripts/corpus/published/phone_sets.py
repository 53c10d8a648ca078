"""Phones as strangers write them, turned into the phones of CMUdict.

Two alphabets are known: ARPAbet (any case, with or without stress digits, TIMIT's reduced and syllabic symbols
too) and the International Phonetic Alphabet (one symbol after the other, or apart by spaces, _ or .). A file is
written in one of them; `alphabet` finds out which. CMUdict's vowels carry stress: 1 primary, 2 secondary, 0 none.
Where the writer marks stress it is kept; where nothing in a word is marked, its first full vowel gets 1 and the
others 0. The same rule serves words and pseudo-words, so that stress does not tell one from the other.
Source of the pairs: the symbol charts of the International Phonetic Association (2020) and of CMUdict 0.7b.
"""

import re
from collections.abc import Iterable, Mapping

from scripts.corpus.pronounce import CONSONANTS, VOWELS

# A vowel with a digit here has that stress unless the writer marks another.
ARPABET: dict[str, tuple[str, ...]] = {
    **{phone: (phone,) for phone in (*CONSONANTS, *VOWELS)},
    "AX": ("AH0",), "AXR": ("ER0",), "IX": ("IH0",), "UX": ("UW",), "DX": ("T",), "NX": ("N",),
    "EL": ("AH0", "L"), "EM": ("AH0", "M"), "EN": ("AH0", "N"), "ENG": ("AH0", "NG"), "HV": ("HH",), "WH": ("W",),
}  # fmt: skip

IPA: dict[str, tuple[str, ...]] = {
    "p": ("P",), "b": ("B",), "t": ("T",), "d": ("D",), "k": ("K",), "g": ("G",), "ɡ": ("G",), "ɾ": ("T",),
    "f": ("F",), "v": ("V",), "θ": ("TH",), "ð": ("DH",), "s": ("S",), "z": ("Z",), "ʃ": ("SH",), "ʒ": ("ZH",),
    "h": ("HH",), "ɦ": ("HH",), "tʃ": ("CH",), "ʧ": ("CH",), "dʒ": ("JH",), "ʤ": ("JH",), "m": ("M",), "n": ("N",),
    "ŋ": ("NG",), "l": ("L",), "ɫ": ("L",), "r": ("R",), "ɹ": ("R",), "ɻ": ("R",), "j": ("Y",), "w": ("W",),
    "ʍ": ("W",), "i": ("IY",), "ɪ": ("IH",), "ɨ": ("IH0",), "ᵻ": ("IH0",), "e": ("EY",), "eɪ": ("EY",), "ɛ": ("EH",),
    "æ": ("AE",), "a": ("AA",), "ɑ": ("AA",), "ɒ": ("AA",), "ɔ": ("AO",), "o": ("OW",), "oʊ": ("OW",), "əʊ": ("OW",),
    "ʊ": ("UH",), "u": ("UW",), "ʌ": ("AH",), "ɐ": ("AH",), "ə": ("AH0",), "ɚ": ("ER0",), "ɝ": ("ER",), "ɜ": ("ER",),
    "ɜɹ": ("ER",), "ɜr": ("ER",), "aɪ": ("AY",), "aʊ": ("AW",), "ɔɪ": ("OY",), "l̩": ("AH0", "L"), "m̩": ("AH0", "M"),
    "n̩": ("AH0", "N"),
}  # fmt: skip

STRESS = {"ˈ": "1", "'": "1", "ˌ": "2"}
# Marks that change nothing here: length, ties (their two symbols are in the table side by side), aspiration.
IGNORED = "ː͡ˑ͜ʰ̯ˠʲ"
APART = re.compile(r"[\s_.\-|/\[\]]+")
LONGEST = max(map(len, IPA))


class UnmappedError(ValueError):
    """A symbol that no table holds; its only argument is the symbol."""


def alphabet(transcriptions: Iterable[str]) -> str:
    """The alphabet of a file: `arpabet` if that holds every symbol of every transcription, else `ipa`."""
    symbols = {symbol for text in transcriptions for symbol in _symbols(text)}
    return "arpabet" if all(_bare(symbol) in ARPABET for symbol in symbols) else "ipa"


def to_cmudict(text: str, written_in: str) -> str:
    """The transcription as "PH ON ES" of CMUdict, empty if it holds nothing.

    Args:
        text: e.g. "HH AH L OW", "hh_ax_l_ow1", "həˈloʊ".
        written_in: what `alphabet` found.

    Raises:
        UnmappedError: with the first symbol that the tables lack.
    """
    found = _from_arpabet(text) if written_in == "arpabet" else _from_ipa(text)
    if not any(phone[-1] in "12" for phone in found):
        found = _stressed(found)
    return " ".join(phone + "0" if phone in VOWELS else phone for phone in found)


def _symbols(text: str) -> list[str]:
    return [symbol for symbol in APART.split(text) if symbol]


def _bare(symbol: str) -> str:
    return re.sub(r"[012]$", "", symbol.upper())


def _from_arpabet(text: str) -> list[str]:
    found: list[str] = []
    for symbol in _symbols(text):
        bare = _bare(symbol)
        if bare not in ARPABET:
            raise UnmappedError(symbol)
        digit = symbol[-1] if symbol[-1] in "012" else ""
        found += _marked(ARPABET[bare], digit)
    return found


def _from_ipa(text: str) -> list[str]:
    found: list[str] = []
    for symbol in _symbols(text):
        rest, digit = "".join(c for c in symbol if c not in IGNORED), ""
        while rest:
            if rest[0] in STRESS:
                digit, rest = STRESS[rest[0]], rest[1:]
                continue
            length = next((n for n in range(LONGEST, 0, -1) if rest[:n] in IPA), 0)
            if not length:
                raise UnmappedError(rest[0])
            phones = IPA[rest[:length]]
            marked = _marked(phones, digit)
            if marked != list(phones) or _has_vowel(phones):
                digit = ""  # the mark stands before the syllable and holds for its first vowel
            found += marked
            rest = rest[length:]
    return found


def _has_vowel(phones: tuple[str, ...]) -> bool:
    return any(phone.rstrip("012") in VOWELS for phone in phones)


def _marked(phones: tuple[str, ...], digit: str) -> list[str]:
    """The phones with `digit` on their vowels, where one is given."""
    return [phone.rstrip("012") + digit if digit and _has_vowel((phone,)) else phone for phone in phones]


def _stressed(phones: list[str]) -> list[str]:
    """The phones of a word without any mark, its first full vowel stressed (a reduced one if there is no other)."""
    full = next((i for i, phone in enumerate(phones) if phone in VOWELS), None)
    if full is None:
        full = next((i for i, phone in enumerate(phones) if _has_vowel((phone,))), None)
    return [phone.rstrip("012") + "1" if i == full else phone for i, phone in enumerate(phones)]


def unmapped_summary(counts: Mapping[str, int]) -> str:
    """Every symbol that had no place, with its code points and how many transcriptions it cost; for the log."""
    return ", ".join(
        f"{symbol!r} ({' '.join(f'U+{ord(c):04X}' for c in symbol)}) in {count}"
        for symbol, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    )
