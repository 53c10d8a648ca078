"""Draw words and build phrases for a story of one topic, one tense and one cast.

A story prefers a few of the topic's things, so that words recur and pronouns have referents. The probability of a word
decreases with its count in `Phrases.word_counts`: frequencies remain uneven, but no word of the lexicon is rare.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from scripts.corpus.world.grammar import Cast, Subject, article, conjugate, pick, zipf
from scripts.corpus.world.vocabulary import Adjective, Lexicon, Noun, Topic, Verb

THINGS_IN_FOCUS = 6
COUNT_OFFSET = 1.0  # occurrences that halve the probability of a word
SINGULAR = 0.55  # share of singular nouns if both forms have the same count


Word = TypeVar("Word", Noun, Verb, Adjective, str)


def forms(word: Noun | Verb | Adjective | str) -> tuple[str, ...]:
    """The forms under which a word is counted; of a phrase, its last word."""
    return (word.split()[-1],) if isinstance(word, str) else word.forms


@dataclass
class Phrases:
    """Draws words of one topic and builds phrases of them.

    `word_counts` counts the words of this story and of earlier stories that share the counter. `planted` are the words
    that the next planted sentence holds.
    """

    lexicon: Lexicon
    topic: Topic
    tense: str
    cast: Cast
    rng: np.random.Generator
    word_counts: Counter[str] = field(default_factory=Counter)
    subject: Subject = field(default_factory=lambda: Subject(False))
    head: Subject = field(default_factory=lambda: Subject(False))  # subject of the main clause
    object: Subject | None = None  # the last object, to which "it" refers
    used: set[str] = field(default_factory=set)  # adjectives and nouns of this sentence, which are not repeated
    planted: Sequence[str] = ()

    def __post_init__(self) -> None:
        shares = self._shares(self.topic.things)
        order = self.rng.choice(len(self.topic.things), THINGS_IN_FOCUS, replace=False, p=shares)
        self.focus = [self.topic.things[i] for i in sorted(order)]

    def _shares(self, items: Sequence[Word]) -> np.ndarray:
        """Probability of each of the words, from its rank in the list and its count so far."""
        counts = np.array([sum(self.word_counts[form] for form in forms(item)) for item in items])
        weights = zipf(len(items)) / (counts + COUNT_OFFSET)
        return weights / weights.sum()

    def _pick(self, items: Sequence[Word]) -> Word:
        return pick(self.rng, items, self._shares(items))

    def _is_plural(self, noun: Noun) -> bool:
        if noun.plural is None:
            return False
        singular, plural = (SINGULAR / (self.word_counts[form] + COUNT_OFFSET) for form in noun.forms)
        return self._chance(plural * (1 / SINGULAR - 1) / (singular + plural * (1 / SINGULAR - 1)))

    def _chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def _thing(self, groups: Sequence[str] | None = None, *, located: bool = False) -> Noun:
        """A thing of these groups that is not yet in this sentence, preferably one in focus."""

        def fits(noun: Noun) -> bool:
            return (
                (groups is None or noun.group in groups)
                and noun.singular not in self.used
                and (noun.located or not located)
            )

        in_focus = [noun for noun in self.focus if fits(noun)]
        things = [noun for noun in self.topic.things if fits(noun)]
        if not things:  # two verbs with the same single object: repeat it
            things = [noun for noun in self.topic.things if groups is None or noun.group in groups]
        noun = self._pick(in_focus if in_focus and self._chance(0.7) else things)
        self.used.add(noun.singular)
        return noun

    def _adjective(self, noun: Noun) -> str:
        own = [a.word for a in self.topic.be if noun.group in a.groups and a.word not in self.used]
        shared = [a.word for a in self.lexicon.adjectives["thing"] if a.word not in self.used]
        color = [a.word for a in self.lexicon.adjectives["color"]] if noun.handled and noun.plural else []
        lists = [words for words in (own, shared, color) if words]
        shares = np.array([0.7, 0.2, 0.1][: len(lists)])
        word = self._pick(pick(self.rng, lists, shares / shares.sum()))
        self.used.add(word)
        return word

    def _phrase(self, noun: Noun, plural: bool, adjective: str | None, role: str) -> list[str]:
        """Determiner, adjective and noun; `role` is "subject" (definite) or "object"."""
        middle = [adjective] if adjective else []
        word = str(noun.plural) if plural else noun.singular
        number = self._pick(self.lexicon.numbers)
        if plural:
            determiners = {"the": 5.0, "these": 1.7, number: 1.5, "": 2.0 if role == "object" else 0.0}
        elif noun.plural is None:
            determiners = {"the": 6.0, "this": 1.5, "some": 2.0 if role == "object" else 0.0}
        else:
            determiners = {"the": 5.0, "this": 1.7, "a": 3.0 if role == "object" else 0.0}
        shares = np.array(list(determiners.values()))
        determiner = pick(self.rng, list(determiners), shares / shares.sum())
        if determiner == "a":
            determiner = article(adjective or word)
        return [*([determiner] if determiner else []), *middle, word]

    def _thing_phrase(self, noun: Noun, role: str, plural: bool | None = None) -> tuple[list[str], Subject]:
        if plural is None:
            plural = self._is_plural(noun)
        plural = plural and noun.plural is not None
        adjective = self._adjective(noun) if self._chance(0.36) else None
        return self._phrase(noun, plural, adjective, role), Subject(plural, None, noun)

    def object_phrase(self, groups: Sequence[str] | None) -> list[str]:
        """A thing of these groups as object, to which "it" can refer later."""
        tokens, self.object = self._thing_phrase(self._thing(groups), "object")
        return tokens

    def _person_phrase(self, nouns: Sequence[Noun], role: str) -> tuple[list[str], Subject]:
        others = [n for n in nouns if n != self.cast.subject.noun and n.singular not in self.used]
        noun = self._pick(others or nouns)
        self.used.add(noun.singular)
        plural = self._is_plural(noun)
        adjective = self._pick(self.lexicon.adjectives["person"]).word if self._chance(0.25) else None
        return self._phrase(noun, plural, adjective, role), Subject(plural, noun.gender, noun)

    def _verb(self, verb: Verb, form: str = "") -> list[str]:
        tokens = conjugate(verb, self.subject.plural, self.tense, form)
        if not form and self.tense == "present" and self._chance(0.12):
            return [self._pick(self.lexicon.adverbs["frequency"]), *tokens]
        return tokens

    def _use_verb(self, noun: Noun) -> Verb:
        if not noun.located:
            return self._pick(self.lexicon.verbs["mention"])
        return self._pick(self.lexicon.verbs["handle" if noun.handled and self._chance(0.6) else "perceive"])

    # Slots of planted sentences: words that fit every noun and every topic

    def slot_planted(self, form: str = "") -> list[str]:
        """The planted words: the candle, this old candle and the drum; with the form "subject", verbs agree with it."""
        if form == "subject":
            self.subject = self.head = Subject(len(self.planted) > 1)
        tokens: list[str] = []
        for number, word in enumerate(self.planted):
            if number:
                tokens.append("and" if number == len(self.planted) - 1 else ",")
            adjective = [self._general_adjective()] if self._chance(0.1) else []
            tokens += [pick(self.rng, ("the", "this"), (0.85, 0.15)), *adjective, word]
        return tokens

    def slot_notice(self, form: str = "") -> list[str]:
        """What people do to anything; the object follows."""
        return self._verb(self._pick([*self.lexicon.verbs["perceive"], *self.lexicon.verbs["mention"]]), form)

    def slot_near(self) -> list[str]:
        """A preposition of place; what it governs follows."""
        return self._pick(self.lexicon.prepositions).split()

    def slot_general(self) -> list[str]:
        """What anything can be like: old, very strange."""
        return self._degree(self._general_adjective(), 0.3)

    def _general_adjective(self) -> str:
        word = self._pick([a.word for a in self.lexicon.adjectives["thing"] if a.word not in self.used])
        self.used.add(word)
        return word

    def _degree(self, word: str, probability: float) -> list[str]:
        return [self._pick(self.lexicon.adverbs["degree"]), word] if self._chance(probability) else [word]
