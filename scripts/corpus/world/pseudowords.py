"""Pseudo-words whose letters and phones are both known: parts of real words put together anew.

Each word of the lexicon is split into grapheme-phoneme chunks (hard EM over alignments of letters with
phones) and these into an onset and rimes. A pseudo-word exchanges one or two parts of a real word for parts
of other words with as many letters, as many phones and the same stress. What comes out is kept if every
pair of neighbouring letters and phones occurs in the lexicon, and if neither its spelling nor its
pronunciation (stress aside) is in CMUdict, as such or with an ending.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from scripts.corpus.pronounce import cmudict_entries
from scripts.corpus.world.vocabulary import strip_stress

Chunk = tuple[str, tuple[str, ...]]  # letters, phones
SHAPES = ((1, 1), (2, 1), (1, 0), (3, 1), (1, 2), (2, 2))  # letters and phones of a chunk, before training
PASSES = 3


@dataclass(frozen=True)
class Part:
    """An onset (may be empty), or a rime that ends the word ("final") or does not ("middle")."""

    position: str
    letters: str
    phones: tuple[str, ...]

    @property
    def slot(self) -> tuple[str, int, int, str]:
        """What another part must share to take this one's place."""
        return (self.position, len(self.letters), len(self.phones), stress(self.phones))


@dataclass(frozen=True)
class PseudoWord:
    """A word that does not exist."""

    letters: str
    phones: tuple[str, ...]


def is_vowel(phone: str) -> bool:
    """Whether an ARPAbet phone is a vowel (it carries a stress digit)."""
    return phone[-1].isdigit()


def stress(phones: Iterable[str]) -> str:
    """Stress digits of the vowels, e.g. "10"."""
    return "".join(phone[-1] for phone in phones if is_vowel(phone))


def _first_cost(letters: str, phones: tuple[str, ...]) -> float:
    """A chunk's cost before training: by shape, and whether vowels meet vowels."""
    cost = 1.0 + SHAPES.index((len(letters), len(phones)))
    mixed = phones and (letters[0] in "aeiouy") != is_vowel(phones[0])
    return cost + (4.0 if mixed else 0.0)


def _best_path(letters: str, phones: tuple[str, ...], cost: Mapping[Chunk, float] | None) -> list[Chunk]:
    """The cheapest way to cut both strings into chunks side by side (Viterbi)."""
    best: dict[tuple[int, int], tuple[float, list[Chunk]]] = {(0, 0): (0.0, [])}
    for i in range(len(letters) + 1):
        for j in range(len(phones) + 1):
            if (i, j) not in best:
                continue
            so_far, path = best[i, j]
            for width, count in SHAPES:
                if i + width > len(letters) or j + count > len(phones):
                    continue
                chunk = (letters[i : i + width], phones[j : j + count])
                step = _first_cost(*chunk) if cost is None else cost.get(chunk, 12.0 + _first_cost(*chunk))
                key = (i + width, j + count)
                if key not in best or so_far + step < best[key][0]:
                    best[key] = (so_far + step, [*path, chunk])
    if (len(letters), len(phones)) not in best:
        raise ValueError(f"the letters of {letters!r} cannot be aligned with {' '.join(phones)!r}")
    return best[len(letters), len(phones)][1]


def align_letters(words: Mapping[str, str]) -> dict[str, list[Chunk]]:
    """Grapheme-phoneme chunks of every word (word -> "PH ON ES"); silent letters join the chunk before."""
    cost: dict[Chunk, float] | None = None
    for _ in range(PASSES):
        paths = {word: _best_path(word, tuple(phones.split()), cost) for word, phones in words.items()}
        counts = Counter(chunk for path in paths.values() for chunk in path)
        total = counts.total()
        cost = {chunk: -math.log(count / total) for chunk, count in counts.items()}
    return {word: _join_silent(path) for word, path in paths.items()}


def _join_silent(path: list[Chunk]) -> list[Chunk]:
    joined: list[Chunk] = []
    for letters, phones in path:
        if joined and (not phones or not joined[-1][1]):
            joined[-1] = (joined[-1][0] + letters, joined[-1][1] + phones)
        else:
            joined.append((letters, phones))
    return joined


def split_parts(chunks: list[Chunk]) -> tuple[Part, ...]:
    """Onset and rimes of a word."""
    groups: list[list[Chunk]] = [[]]
    for chunk in chunks:
        if any(is_vowel(phone) for phone in chunk[1]):
            groups.append([])
        groups[-1].append(chunk)
    parts = []
    for number, group in enumerate(groups):
        position = "onset" if number == 0 else "final" if number == len(groups) - 1 else "middle"
        phones = tuple(phone for _, phones in group for phone in phones)
        parts.append(Part(position, "".join(letters for letters, _ in group), phones))
    return tuple(parts)


class PseudoWords:
    """Makes pseudo-words after the words of a lexicon (word -> "PH ON ES")."""

    def __init__(self, words: Mapping[str, str], unwanted: Iterable[str] = ()):
        self.unwanted = tuple(unwanted)
        self.parts = {word: split_parts(chunks) for word, chunks in align_letters(words).items()}
        self.inventory: dict[tuple[str, int, int, str], list[Part]] = defaultdict(list)
        for parts in self.parts.values():
            for part in parts:  # as often as words have it, so that common parts are drawn more often
                self.inventory[part.slot].append(part)
        self.letter_pairs = {pair for word in words for pair in pairwise(f"#{word}#")}
        self.phone_pairs = {pair for phones in words.values() for pair in pairwise(["#", *phones.split(), "#"])}
        self.letter_counts = Counter(letter for word in words for letter in word)
        self.phone_counts = Counter(phone for phones in words.values() for phone in phones.split())
        self.spellings = cmudict_entries().keys()
        self.sounds = {strip_stress(p) for entry in cmudict_entries().values() for p in entry}

    def candidates(self, word: str, rng: np.random.Generator, count: int) -> list[PseudoWord]:
        """Up to `count` different pseudo-words with the word's number of letters and phones and its stress.

        Those with one part exchanged come first; the order is otherwise random.
        """
        accepted: dict[str, PseudoWord] = {}
        for exchanged in (1, 2):
            drawn = list(self._exchange(self.parts[word], exchanged))
            for index in rng.permutation(len(drawn)):
                if len(accepted) == count:
                    return list(accepted.values())
                new = drawn[index]
                if new.letters not in accepted and self.is_plausible(new) and not self.exists(new):
                    accepted[new.letters] = new
        return list(accepted.values())

    def rarity(self, letters: str, phones: Iterable[str]) -> tuple[float, float]:
        """Minus the log frequencies in the lexicon of the letters and of the phones, summed."""
        return (
            -sum(math.log(self.letter_counts[letter] / self.letter_counts.total()) for letter in letters),
            -sum(math.log(self.phone_counts[phone] / self.phone_counts.total()) for phone in phones),
        )

    def _exchange(self, parts: tuple[Part, ...], exchanged: int) -> Iterator[PseudoWord]:
        for places in combinations(range(len(parts)), exchanged):
            choices = [[p for p in self.inventory[parts[i].slot] if p.letters != parts[i].letters] for i in places]
            # Two long lists have many thousands of products; a stride keeps some of them from everywhere.
            sizes = [len(choice) for choice in choices]
            total = math.prod(sizes)
            for flat in range(0, total, max(1, total // 400)):
                indices = np.unravel_index(flat, sizes)
                new = list(parts)
                for place, choice, index in zip(places, choices, indices, strict=True):
                    new[place] = choice[int(index)]
                yield PseudoWord("".join(p.letters for p in new), tuple(ph for p in new for ph in p.phones))

    def is_plausible(self, new: PseudoWord) -> bool:
        """Whether its neighbouring letters and phones are neighbours in the lexicon, and c sounds as it is spelt."""
        if any(letters in new.letters for letters in self.unwanted):
            return False
        if re.search(r"c[eiy]", new.letters) and not {"S", "SH"} & set(new.phones):
            return False
        if re.search(r"c[aou]", new.letters) and not {"K", "CH", "SH"} & set(new.phones):
            return False
        return all(pair in self.letter_pairs for pair in pairwise(f"#{new.letters}#")) and all(
            pair in self.phone_pairs for pair in pairwise(["#", *new.phones, "#"])
        )

    def exists(self, new: PseudoWord) -> bool:
        """Whether CMUdict has its spelling or its sound, or those of a word it looks inflected from."""
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
        return any(stem in self.spellings for stem in stems) or any(s in self.sounds for s in sounds)
