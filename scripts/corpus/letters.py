"""Letters beyond ASCII: one code point for each, and the ASCII forms under which pronunciations are listed."""

import unicodedata

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
