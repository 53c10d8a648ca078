"""Read lexicon.txt and look up the pronunciations of a cut's words."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.common.cuts import Cut, pronunciations, spoken_text
from scripts.common.files import text_lines
from scripts.corpus.pronounce import is_phone

SILENCE = "SIL"
SPOKEN_NOISE = "SPN"  # pronunciation of an unknown word with `alignment.oov: noise`
Pronunciation = tuple[str, ...]
Entry = tuple[str, tuple[Pronunciation, ...]]  # a word and the pronunciations that it may have in a cut


class OutOfVocabularyError(Exception):
    """A word has no pronunciation; the argument is the word."""


def read_lexicon(path: str | Path) -> dict[str, tuple[Pronunciation, ...]]:
    """Word -> pronunciations, in file order without repeats.

    Raises:
        ValueError: naming the file, if it has no lines; and line, if one has no phones, or another symbol than
            CMUdict's phones and SPN.
    """
    lexicon: dict[str, list[Pronunciation]] = {}
    for number, line in enumerate(text_lines(path), start=1):
        word, *phones = line.split() or [""]
        if not word:
            continue
        if not phones:
            raise ValueError(f"{path}:{number}: {word!r} has no phones; expected 'WORD PH ON ES'")
        if SILENCE in phones:
            raise ValueError(f"{path}:{number}: {word!r} holds {SILENCE}; the aligner inserts silence itself")
        if unknown := next((phone for phone in phones if not is_phone(phone) and phone != SPOKEN_NOISE), None):
            raise ValueError(
                f"{path}:{number}: {word!r} has {unknown[:40]!r}, not an ARPAbet phone (vowels end in 0, 1 or 2)"
            )
        known = lexicon.setdefault(word, [])
        if tuple(phones) not in known:
            known.append(tuple(phones))
    if not lexicon:
        raise ValueError(f"{path}: holds no pronunciation; expected lines 'WORD PH ON ES'")
    return {word: tuple(known) for word, known in lexicon.items()}


def phones_of(lexicon: Mapping[str, Iterable[Pronunciation]]) -> list[str]:
    """The phone inventory: SIL, then all phones of the lexicon, sorted."""
    phones = {phone for known in lexicon.values() for pronunciation in known for phone in pronunciation}
    return [SILENCE, *sorted(phones)]


def spoken_noise(word: str) -> Pronunciation:
    """The pronunciation of an unknown word if `alignment.oov` is noise."""
    return (SPOKEN_NOISE,)


def base(phone: str) -> str:
    """The phone without its stress: AH0 -> AH."""
    return re.sub(r"\d+$", "", phone)


class Dictionary:
    """Looks up the pronunciations of a cut's words in the cut, then in the lexicon, then by `guess`.

    Args:
        lexicon: word -> pronunciations.
        phones: the phone inventory; a word with other phones is out of vocabulary.
        guess: word -> pronunciation or None, for words that the lexicon lacks; None: do not guess.

    Attributes:
        guessed: the pronunciations guessed so far, by word.
    """

    def __init__(self, lexicon: Mapping[str, tuple[Pronunciation, ...]], phones: Iterable[str], guess=None):
        self.lexicon, self.phones, self.guess = lexicon, frozenset(phones), guess
        self.guessed: dict[str, Pronunciation] = {}

    def entries(self, cut: Cut) -> list[Entry]:
        """The cut's words with their pronunciations, in order.

        Raises:
            OutOfVocabularyError: with the first word that has no pronunciation, or whose pronunciation in the cut has
                a phone that the training speech lacks and the acoustic model does not know.
            ValueError: naming the cut, if a pronunciation in the cut is empty or holds an unknown symbol.
        """
        own = pronunciations(cut)
        for word, text in own.items():
            unknown = [phone for phone in text.split() if not is_phone(phone)]
            if unknown or not text.split():
                raise ValueError(
                    f"cut {cut['id']}: its pronunciation {text!r} of {word!r} uses the unknown phone"
                    f" {unknown[0] if unknown else ''!r}; phones are CMUdict's, vowels with a stress digit"
                )
            if not self.phones.issuperset(text.split()):
                raise OutOfVocabularyError(word)
        return [self._entry(word, own) for word in spoken_text(cut).split()]

    def unknown(self, cut: Cut) -> list[str]:
        """The cut's words that have no pronunciation, neither in the cut nor in the lexicon: those that are guessed."""
        own = pronunciations(cut)
        return [word for word in spoken_text(cut).split() if word not in own and not self._known(word)]

    def _known(self, word: str) -> tuple[Pronunciation, ...]:
        # A word of a task may have a phone that the training speech lacks.
        return tuple(phones for phones in self.lexicon.get(word, ()) if self.phones.issuperset(phones))

    def _entry(self, word: str, own: Mapping[str, str]) -> Entry:
        if word in own:
            return word, (tuple(own[word].split()),)
        if known := self._known(word):
            return word, known
        if self.guess is not None:
            if word not in self.guessed:
                guess = self.guess(word)
                if guess is None or not self.phones.issuperset(guess):
                    raise OutOfVocabularyError(word)
                self.guessed[word] = guess
            return word, (self.guessed[word],)
        raise OutOfVocabularyError(word)
