"""Text without case, punctuation or spaces.

Words are sequences of letters and digits, with apostrophes and hyphens inside; everything else but spaces is
punctuation. Without punctuation, words are separated by one space each.
"""

import re

import numpy as np

from scripts.tokens.modality import Modality

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def text_form(text: str, modality: Modality) -> tuple[str, np.ndarray]:
    """The text as the modality has it, and the index in `text` of each of its characters, int64 [N]."""
    found = [(character, place) for place, character in enumerate(text)]
    if modality.punctuation == "drop":
        found = []
        for word in WORD.finditer(text):
            # Between two words there is at least one character; it becomes the space, whichever it is ("a--b").
            found += [(" ", word.start() - 1)] * bool(found)
            found += [(text[place], place) for place in range(*word.span())]
    if modality.spaces == "drop":
        found = [(character, place) for character, place in found if not character.isspace()]
    if modality.case == "drop":
        found = [(lower, place) for character, place in found for lower in character.lower()]  # of one there may be two
    return "".join(character for character, _ in found), np.array([place for _, place in found], np.int64)
