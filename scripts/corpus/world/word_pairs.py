"""Words and pseudo-words of the task sWUGGY: mirrored couples whose n-grams cancel.

Two words that share a middle, xTy and zTw, exchange what follows it and give two pseudo-words, xTw and zTy. T has
MIDDLE letters and MIDDLE phones or more, so every sequence of up to four letters or phones lies in xT, Tw, zT or Ty and
occurs as often in the two words as in the two pseudo-words. A 4-gram that prefers one word to its pseudo-word therefore
prefers the other pseudo-word to its word by as much: its accuracy is exactly 50%.

`resources/world/planted.yaml` lists the couples. The corpus holds each word as often as the item says ("exposure"), in
sentences of their own (`scripts.corpus.world.planting`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.seeds import generator
from scripts.corpus.config import Task
from scripts.corpus.pronounce import cmudict_entries
from scripts.corpus.world.script import single, voices_of
from scripts.corpus.world.vocabulary import planted_lines, strip_stress

MIDDLE = 3  # letters and phones that the words of a couple share at least: one less than a 4-gram

Phones = tuple[str, ...]


@dataclass(frozen=True)
class Spoken:
    """Letters and the phones that they stand for."""

    letters: str
    phones: Phones

    def __add__(self, other: "Spoken") -> "Spoken":
        return Spoken(self.letters + other.letters, self.phones + other.phones)


@dataclass(frozen=True)
class CutWord:
    """A word cut before and after its middle."""

    before: Spoken
    middle: Spoken
    after: Spoken

    @property
    def whole(self) -> Spoken:
        """The word in one piece."""
        return self.before + self.middle + self.after


@dataclass(frozen=True)
class Couple:
    """Two words with the same middle."""

    first: CutWord
    second: CutWord

    @property
    def words(self) -> tuple[Spoken, Spoken]:
        """XTy and zTw."""
        return self.first.whole, self.second.whole

    @property
    def pseudo_words(self) -> tuple[Spoken, Spoken]:
        """XTw and zTy: each word with the other's ending."""
        return (
            self.first.before + self.first.middle + self.second.after,
            self.second.before + self.second.middle + self.first.after,
        )


def exists(new: Spoken) -> bool:
    """Whether CMUdict has its spelling or its sound (stress aside), or those of a word it looks inflected from."""
    stems = {new.letters}
    for ending in ("s", "es", "ed", "d", "ing", "er", "ly", "y"):
        if new.letters.endswith(ending):
            stem = new.letters.removesuffix(ending)
            stems |= {stem, stem + "e", re.sub(r"(.)\1$", r"\1", stem)}
    sound = strip_stress(new.phones)
    sounds = {sound}
    if sound[-1] in ("S", "Z", "D", "T", "IY", "ER"):
        sounds.add(sound[:-1])
    if sound[-2:] in (("IH", "NG"), ("IH", "Z"), ("AH", "Z"), ("L", "IY"), ("IH", "D"), ("AH", "D")):
        sounds.add(sound[:-2])
    return any(stem in cmudict_entries() for stem in stems) or not sounds.isdisjoint(_sounds())


@cache
def _sounds() -> frozenset[Phones]:
    return frozenset(strip_stress(phones) for entry in cmudict_entries().values() for phones in entry)


def load_couples(world: Path) -> list[Couple]:
    """The couples of planted.yaml, in its order.

    Raises:
        ValueError: naming the file and the couple, if it is not as the file's comments and this module say.
    """
    path = world / "planted.yaml"
    couples: list[Couple] = []
    known: set[str] = set()
    for line in planted_lines(world):
        where = f"{path}: {' and '.join(line)}"
        cut = [_cut(letters, phones, where) for letters, phones in line.items()]
        if len(cut) != 2:
            raise ValueError(f"{where}: expected two words, found {len(cut)}")
        couple = Couple(*cut)
        _check(couple, where)
        for word in (*couple.words, *couple.pseudo_words):
            if word.letters in known:
                raise ValueError(f"{where}: {word.letters!r} occurs twice among the words and pseudo-words")
            known.add(word.letters)
        couples.append(couple)
    return couples


def _cut(letters: str, phones: str, where: str) -> CutWord:
    parts = [part.split() for part in str(phones).split(" - ")]
    spellings = letters.split("-")
    if len(parts) != 3 or len(spellings) != 3 or not all(parts) or not all(spellings):
        raise ValueError(f"{where}: expected x-t-y: X - T - Y, found {letters}: {phones}")
    cut = CutWord(*(Spoken(spelling, tuple(part)) for spelling, part in zip(spellings, parts, strict=True)))
    whole = cut.whole
    if whole.phones != tuple(cmudict_entries().get(whole.letters, [[]])[0]):
        raise ValueError(
            f"{where}: {' '.join(whole.phones)!r} is not CMUdict's first pronunciation of {whole.letters!r}"
        )
    return cut


def _check(couple: Couple, where: str) -> None:
    first, second = couple.first, couple.second
    if first.middle != second.middle:
        raise ValueError(f"{where}: the middles differ")
    if len(first.middle.letters) < MIDDLE or len(first.middle.phones) < MIDDLE:
        raise ValueError(f"{where}: the middle has fewer than {MIDDLE} letters or phones")
    for pseudo_word in couple.pseudo_words:
        if exists(pseudo_word):
            raise ValueError(f"{where}: the pseudo-word {pseudo_word.letters!r} is a word, or sounds or looks like one")


def assign_exposures(
    couples: list[Couple], exposures: tuple[int, ...], pairs: int, rng: np.random.Generator
) -> list[tuple[Couple, int]]:
    """Couples for `pairs` pairs and how often each one's words occur: as many couples per level, of equal lengths.

    The drawn couples are sorted by length; of as many neighbours as there are levels, each goes to another level.

    Raises:
        ValueError: there are too few couples.
    """
    wanted, levels = pairs // 2, len(exposures)
    if wanted > len(couples):
        most = len(couples) // levels * levels * 2
        raise ValueError(
            f"corpus.world.tasks.swuggy.pairs is {pairs}; planted.yaml has {len(couples)} couples,"
            f" at most {most} pairs with {levels} exposures"
        )
    drawn = [couples[i] for i in rng.permutation(len(couples))[:wanted]]
    drawn.sort(key=_length)
    assigned = []
    for first in range(0, wanted, levels):
        for couple, level in zip(drawn[first : first + levels], rng.permutation(levels), strict=True):
            assigned.append((couple, exposures[level]))
    return assigned


def _length(couple: Couple) -> tuple[int, int]:
    """Letters and phones of both words."""
    return sum(len(word.letters) for word in couple.words), sum(len(word.phones) for word in couple.words)


def swuggy(task: Task, speakers: int, world: Path, seed: int) -> Iterator[dict[str, Any]]:
    """Items in mirrored couples, both in the same voices; each side is {text, words}, a word spoken alone.

    Raises:
        ValueError: planted.yaml is not as it must be, or has too few couples.
    """
    assert task.exposures is not None  # scripts.corpus.config.task_problems
    rng = generator(seed, "corpus", "tasks", "swuggy")
    for number, (couple, exposure) in enumerate(assign_exposures(load_couples(world), task.exposures, task.pairs, rng)):
        for mirror, word, pseudo_word in zip("ab", couple.words, couple.pseudo_words, strict=True):
            yield {
                "id": f"swuggy-{number:04d}{mirror}",
                "task": "swuggy",
                "subset": "all",
                "group": f"exposure-{exposure}",
                "couple": f"swuggy-{number:04d}",
                "exposure": exposure,
                "voices": voices_of(number, task, speakers),
                "positive": single(word.letters, " ".join(word.phones)),
                "negatives": [single(pseudo_word.letters, " ".join(pseudo_word.phones))],
            }
