"""Read lexicon.txt and look up the pronunciations of every word of a cut."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.common.cuts import Cut, pronunciations, spoken_text
from scripts.corpus.pronounce import is_phone

SILENCE = "SIL"
SPOKEN_NOISE = "SPN"  # the pronunciation of an unknown word; one flat Gaussian of all speech
Pronunciation = tuple[str, ...]
Entry = tuple[str, tuple[Pronunciation, ...]]  # a word and its pronunciations, as one cut may use them


class OutOfVocabularyError(Exception):
    """A word has no pronunciation; its only argument is the word."""


def read_lexicon(path: str | Path) -> dict[str, tuple[Pronunciation, ...]]:
    """Word -> pronunciations, in file order without repeats.

    Raises:
        ValueError: naming file and line, if a line has no phones, or no word at all was found.
    """
    found: dict[str, list[Pronunciation]] = {}
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            word, *phones = line.split()[:] or [""]
            if not word:
                continue
            if not phones:
                raise ValueError(f"{path}:{number}: {word!r} has no phones; expected 'WORD PH ON ES'")
            if SILENCE in phones:
                raise ValueError(f"{path}:{number}: {word!r} holds {SILENCE}; silence is put in by the aligner")
            known = found.setdefault(word, [])
            if tuple(phones) not in known:
                known.append(tuple(phones))
    if not found:
        raise ValueError(f"{path}: holds no pronunciation; expected lines 'WORD PH ON ES'")
    return {word: tuple(known) for word, known in found.items()}


def phones_of(lexicon: Mapping[str, Iterable[Pronunciation]]) -> list[str]:
    """The phone inventory: SIL, then all phones of the lexicon, sorted."""
    return [SILENCE, *sorted({phone for known in lexicon.values() for each in known for phone in each})]


def spoken_noise(word: str) -> Pronunciation:
    """The pronunciation of an unknown word where `alignment.oov` is noise."""
    return (SPOKEN_NOISE,)


def base(phone: str) -> str:
    """The phone without its stress: AH0 -> AH."""
    return re.sub(r"\d+$", "", phone)


class Dictionary:
    """Looks up the pronunciations of a cut's words: the cut's own, then the lexicon's, then a guess.

    Args:
        lexicon: word -> pronunciations.
        phones: the phone inventory; pronunciations of a cut must keep to it.
        guess: letters -> pronunciation or None, for words that the lexicon lacks; None: no guessing.

    Attributes:
        guessed: what was guessed so far.
    """

    def __init__(self, lexicon: Mapping[str, tuple[Pronunciation, ...]], phones: Iterable[str], guess=None):
        self.lexicon, self.phones, self.guess = lexicon, frozenset(phones), guess
        self.guessed: dict[str, Pronunciation] = {}

    def entries(self, cut: Cut) -> list[Entry]:
        """The cut's words with their pronunciations, in order.

        Raises:
            OutOfVocabularyError: with the first word that has no pronunciation, or whose own one holds a phone that
                no word of the training speech has, so that it has no acoustic model.
            ValueError: naming the cut, if a pronunciation of its own is empty or uses what is no phone.
        """
        own = pronunciations(cut)
        for word, text in own.items():
            strange = [phone for phone in text.split() if not is_phone(phone)]
            if strange or not text.split():
                raise ValueError(
                    f"cut {cut['id']}: its pronunciation {text!r} of {word!r} uses the unknown phone"
                    f" {strange[0] if strange else ''!r}; phones are CMUdict's, vowels with a stress digit"
                )
            if not self.phones.issuperset(text.split()):
                raise OutOfVocabularyError(word)
        return [self._entry(word, own) for word in spoken_text(cut).split()]

    def _entry(self, word: str, own: Mapping[str, str]) -> Entry:
        if word in own:
            return word, (tuple(own[word].split()),)
        # A word of a task may hold a phone that no word of the training speech has.
        if known := tuple(each for each in self.lexicon.get(word, ()) if self.phones.issuperset(each)):
            return word, known
        if self.guess is not None:
            if word not in self.guessed:
                guess = self.guess(word)
                if guess is None or not self.phones.issuperset(guess):
                    raise OutOfVocabularyError(word)
                self.guessed[word] = guess
            return word, (self.guessed[word],)
        raise OutOfVocabularyError(word)
