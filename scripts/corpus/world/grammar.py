"""What sentences are made of: agreement, tense, articles, and the choice of words.

`scripts.corpus.world.story` puts the pieces together; the pairs of the tasks use them too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np

from scripts.corpus.world.vocabulary import VOWELS, Lexicon, Noun, Topic, Verb

T = TypeVar("T")
TENSES = ("present", "past", "future")
TENSE_SHARES = (0.66, 0.22, 0.12)
PUNCTUATION = frozenset(".,;:!?")
PRONOUNS = {  # (nominative, accusative, possessive, reflexive)
    "female": ("she", "her", "her", "herself"),
    "male": ("he", "him", "his", "himself"),
    "plural": ("they", "them", "their", "themselves"),
}


@dataclass(frozen=True)
class Sentence:
    """Tokens: words, lower-case but for names, and punctuation marks."""

    tokens: tuple[str, ...]

    @property
    def text(self) -> str:
        """Cased and punctuated."""
        text = ""
        for token in self.tokens:
            text += token if token in PUNCTUATION or not text else " " + token
        return text[0].upper() + text[1:]

    @property
    def words(self) -> tuple[str, ...]:
        """Lower-case words."""
        return tuple(token.lower() for token in self.tokens if token not in PUNCTUATION)

    @property
    def key(self) -> str:
        """What makes it the same sentence as another: its words."""
        return " ".join(self.words)


# Slots that are filled without a word of the topic.
NEUTRAL = frozenset(
    [
        "hero",
        "human",
        "kin",
        "meet-hero",
        "poss",
        "relative",
        "reflect",
        "act",
        "feel",
        "mood",
        "often",
        "manner",
        "time",
        "now",
    ]
)


@dataclass(frozen=True)
class CuedPair:
    """A right and a wrong sentence that differ in the word `target`, which the word `cue` decides; both are indices."""

    right: Sentence
    wrong: Sentence
    cue: int
    target: int

    @property
    def distance(self) -> int:
        """Words from cue to target; 1 if they are neighbours."""
        return self.target - self.cue


@dataclass(frozen=True)
class Template:
    """One line of grammar.yaml."""

    tokens: tuple[str, ...]
    weight: float
    tenses: tuple[str, ...]

    @property
    def is_neutral(self) -> bool:
        """Whether its sentences hold no word of the topic."""
        slots = (token.strip("[]").split(":")[0] for token in self.tokens if token.startswith("["))
        return all(slot in NEUTRAL for slot in slots)

    @property
    def needs_hero_before(self) -> bool:
        """Whether it has a pronoun for the hero without naming the hero itself."""
        return "[hero]" not in self.tokens and any(
            token in ("[kin]", "[poss]", "[meet-hero]", "they") for token in self.tokens
        )


@dataclass(frozen=True)
class Subject:
    """What a verb agrees with and a pronoun refers to; `noun` is None for names."""

    plural: bool
    gender: str | None = None
    noun: Noun | None = None

    @property
    def pronouns(self) -> tuple[str, str, str, str]:
        """Raises KeyError for a singular without gender: templates do not ask for that."""
        return PRONOUNS["plural" if self.plural else str(self.gender)]


@dataclass(frozen=True)
class Cast:
    """Who a story is about: at first `introduced`, later `named` or a pronoun."""

    introduced: tuple[str, ...]
    named: tuple[str, ...]
    subject: Subject


@cache
def zipf(count: int) -> np.ndarray:
    """Shares falling with the square root of the rank: uneven, yet no word of a list is rare."""
    weights = np.arange(1, count + 1) ** -0.5
    return weights / weights.sum()


def pick(rng: np.random.Generator, items: Sequence[T], shares: Sequence[float] | np.ndarray | None = None) -> T:
    """One of the items, earlier ones more often unless shares are given."""
    return items[int(rng.choice(len(items), p=zipf(len(items)) if shares is None else shares))]


def be(plural: bool, tense: str) -> list[str]:
    """The copula."""
    if tense == "future":
        return ["will", "be"]
    return [
        {("present", False): "is", ("present", True): "are", ("past", False): "was", ("past", True): "were"}[
            tense, plural
        ]
    ]


def conjugate(verb: Verb, plural: bool, tense: str, form: str = "") -> list[str]:
    """The verb group: `form` is "" (the tense itself), "sub" (present for future), "ing" or "base"."""
    if form == "base":
        return [verb.base]
    if form == "ing":
        return [*be(plural, "past" if tense == "past" else "present"), str(verb.ing)]
    if tense == "past":
        return [verb.past]
    if tense == "future" and form != "sub":
        return ["will", verb.base]
    return [verb.base if plural else verb.third]


def choose_cast(lexicon: Lexicon, topic: Topic, rng: np.random.Generator) -> Cast:
    """One or two named persons, a person without a name, or several of the topic's people."""
    cast_type = pick(rng, ("one", "two", "nameless", "people"), (0.5, 0.25, 0.12, 0.13))
    gender = pick(rng, ("female", "male"), (0.5, 0.5))
    if cast_type == "one":
        name = pick(rng, lexicon.names[gender])
        return Cast((name,), (name,), Subject(False, gender))
    if cast_type == "two":
        return named_couple(lexicon, rng)
    if cast_type == "nameless":
        noun = pick(rng, lexicon.humans[gender])
        adjective = pick(rng, lexicon.adjectives["person"]).word
        return Cast(
            (article(adjective), adjective, noun.singular), ("the", noun.singular), Subject(False, gender, noun)
        )
    noun = pick(rng, topic.people)
    return Cast(("the", str(noun.plural)), ("the", str(noun.plural)), Subject(True, None, noun))


def named_couple(lexicon: Lexicon, rng: np.random.Generator) -> Cast:
    """Two persons with different names."""
    everybody = [name for names in lexicon.names.values() for name in names]
    first, second = rng.permutation(len(everybody))[:2]
    both = (everybody[first], "and", everybody[second])
    return Cast(both, both, Subject(True))


def article(word: str) -> str:
    """The article a or an, by the first letter but for the usual exceptions."""
    sounds_vowel = word[0] in VOWELS and not word.startswith(("use", "uni"))
    return "an" if sounds_vowel or word.startswith("honest") else "a"
