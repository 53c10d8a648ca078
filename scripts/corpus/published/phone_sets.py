"""Convert phone transcriptions of published test sets to the phones of CMUdict.

Two alphabets are supported: ARPAbet (any case, with or without stress digits, and TIMIT's reduced and syllabic symbols)
and the International Phonetic Alphabet (symbols adjacent, or separated by spaces, _ or .). A file uses one of them;
`detect_alphabet` finds out which. CMUdict's vowels carry stress: 1 primary, 2 secondary, 0 none. Marked stress is kept;
in a transcription without stress marks the first full vowel gets 1 and the others 0. The rule is the same for words and
pseudo-words, so that stress does not distinguish them.
Source of the tables: the symbol charts of the International Phonetic Association (2020) and of CMUdict 0.7b.
"""

import re
from collections.abc import Iterable, Mapping

from scripts.corpus.pronounce import CONSONANTS, VOWELS

# A vowel with a digit has that stress unless the transcription marks another.
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
# Diacritics without a counterpart in CMUdict: length, ties (their two symbols are adjacent in the table), aspiration.
IGNORED = "ː͡ˑ͜ʰ̯ˠʲ"
SEPARATORS = re.compile(r"[\s_.\-|/\[\]]+")
MAX_SYMBOL = max(map(len, IPA))


class UnmappedError(ValueError):
    """A symbol that no table holds; the argument is the symbol."""


def detect_alphabet(transcriptions: Iterable[str]) -> str:
    """The alphabet of a file: `arpabet` if that has every symbol of every transcription, else `ipa`."""
    symbols = {symbol for text in transcriptions for symbol in _symbols(text)}
    return "arpabet" if all(_without_stress(symbol) in ARPABET for symbol in symbols) else "ipa"


def to_cmudict(text: str, alphabet: str) -> str:
    """The transcription in CMUdict's phones, "PH ON ES"; empty if the transcription is.

    Args:
        text: e.g. "HH AH L OW", "hh_ax_l_ow1", "həˈloʊ".
        alphabet: arpabet or ipa.

    Raises:
        UnmappedError: with the first symbol that the tables lack.
    """
    phones = _from_arpabet(text) if alphabet == "arpabet" else _from_ipa(text)
    if not any(phone[-1] in "12" for phone in phones):
        phones = _with_default_stress(phones)
    return " ".join(phone + "0" if phone in VOWELS else phone for phone in phones)


def _symbols(text: str) -> list[str]:
    return [symbol for symbol in SEPARATORS.split(text) if symbol]


def _without_stress(symbol: str) -> str:
    return re.sub(r"[012]$", "", symbol.upper())


def _from_arpabet(text: str) -> list[str]:
    phones: list[str] = []
    for symbol in _symbols(text):
        bare = _without_stress(symbol)
        if bare not in ARPABET:
            raise UnmappedError(symbol)
        digit = symbol[-1] if symbol[-1] in "012" else ""
        phones += _with_stress(ARPABET[bare], digit)
    return phones


def _from_ipa(text: str) -> list[str]:
    converted: list[str] = []
    for symbol in _symbols(text):
        rest, digit = "".join(c for c in symbol if c not in IGNORED), ""
        while rest:
            if rest[0] in STRESS:
                digit, rest = STRESS[rest[0]], rest[1:]
                continue
            length = next((n for n in range(MAX_SYMBOL, 0, -1) if rest[:n] in IPA), 0)
            if not length:
                raise UnmappedError(rest[0])
            phones = IPA[rest[:length]]
            stressed = _with_stress(phones, digit)
            if stressed != list(phones) or _has_vowel(phones):
                digit = ""  # a stress mark precedes the syllable and applies to its first vowel
            converted += stressed
            rest = rest[length:]
    return converted


def _has_vowel(phones: tuple[str, ...]) -> bool:
    return any(phone.rstrip("012") in VOWELS for phone in phones)


def _with_stress(phones: tuple[str, ...], digit: str) -> list[str]:
    """The phones with the stress `digit`, unless it is empty, on their vowels."""
    return [phone.rstrip("012") + digit if digit and _has_vowel((phone,)) else phone for phone in phones]


def _with_default_stress(phones: list[str]) -> list[str]:
    """The phones of an unmarked word with stress on its first full vowel, or reduced vowel if there is no full one."""
    first = next((i for i, phone in enumerate(phones) if phone in VOWELS), None)
    if first is None:
        first = next((i for i, phone in enumerate(phones) if _has_vowel((phone,))), None)
    return [phone.rstrip("012") + "1" if i == first else phone for i, phone in enumerate(phones)]


def unmapped_summary(counts: Mapping[str, int]) -> str:
    """Unmapped symbols with their code points and the number of transcriptions that have them, for the log."""
    return ", ".join(
        f"{symbol!r} ({' '.join(f'U+{ord(c):04X}' for c in symbol)}) in {count}"
        for symbol, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    )
