"""A story: sentences of one topic, one tense and one cast, from the templates in resources/world/grammar.yaml.

A template is plain words and [slots]; a slot is a method `slot_<name>` of `Story` below, so a template
can ask for exactly those. Subject slots set who the verbs agree with (`Story.subject`); objects never do,
so a verb after a relative clause or a prepositional phrase still agrees with its own subject.
A story prefers a handful of the topic's things, so that words recur and pronouns have someone to refer to.
Words wear out: the more often `Story.said` has one, the less likely it is, which leaves frequencies uneven
but no word of the lexicon rare.
"""

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from scripts.corpus.grammar import (
    TENSES,
    Cast,
    Sentence,
    Subject,
    Template,
    article,
    be,
    conjugate,
    pick,
    zipf,
)
from scripts.corpus.lexicon import Adjective, Lexicon, Noun, Topic, Verb, read_yaml

THINGS_IN_FOCUS = 6
WORN = 1.0  # uses after which a word is half as likely
SINGULAR = 0.55  # share of singular nouns, both forms being equally worn
ATTEMPTS = 500  # draws before a new sentence is given up


Word = TypeVar("Word", Noun, Verb, Adjective, str)
Grammar = dict[str, tuple[Template, ...]]


def load_grammar(world: str | Path) -> Grammar:
    """Templates by part (opening, middle, ending, cloze); ValueError names a slot or key that is unknown."""
    path = Path(world) / "grammar.yaml"
    grammar = {}
    for part, lines in read_yaml(path).items():
        templates = []
        for line in lines:
            if not isinstance(line, dict) or "text" not in line or set(line) - {"text", "weight", "tenses"}:
                raise ValueError(f"{path}: {part}: expected {{text, weight, tenses}}, found {line!r}")
            for token in line["text"].split():
                if token.startswith("[") and not hasattr(Story, slot_method(token)):
                    raise ValueError(f"{path}: {part}: no slot {token} ({line['text']!r})")
            templates.append(
                Template(tuple(line["text"].split()), line.get("weight", 1), tuple(line.get("tenses", TENSES)))
            )
        grammar[part] = tuple(templates)
    return grammar


def slot_method(token: str) -> str:
    """The method of Story that fills "[name]" or "[name:form]"."""
    return "slot_" + token.strip("[]").split(":")[0].replace("-", "_")


def forms(word: Noun | Verb | Adjective | str) -> tuple[str, ...]:
    """What counts as having said a word: its forms; of a phrase, its last word."""
    return (word.split()[-1],) if isinstance(word, str) else word.forms


@dataclass
class Story:
    """A paragraph in the making.

    `said` counts the words of this story and of those before it that were given the same counter.
    """

    lexicon: Lexicon
    grammar: Grammar
    topic: Topic
    tense: str
    cast: Cast
    rng: np.random.Generator
    said: Counter[str] = field(default_factory=Counter)
    introduced: bool = False
    subject: Subject = field(default_factory=lambda: Subject(False))
    head: Subject = field(default_factory=lambda: Subject(False))  # subject of the main clause
    object: Subject | None = None  # last thing acted on, what "it" refers to
    used: set[str] = field(default_factory=set)  # adjectives and nouns of this sentence: said once

    def __post_init__(self) -> None:
        shares = self._shares(self.topic.things)
        order = self.rng.choice(len(self.topic.things), THINGS_IN_FOCUS, replace=False, p=shares)
        self.focus = [self.topic.things[i] for i in sorted(order)]

    def sentence(self, part: str) -> Sentence:
        """A sentence from one of the part's templates."""
        templates = [t for t in self.grammar[part] if self.tense in t.tenses and self._can_fill(t)]
        weights = np.array([t.weight for t in templates], dtype=float)
        return self.fill(pick(self.rng, templates, weights / weights.sum()))

    def new_sentence(self, part: str, taken: Container[str]) -> Sentence:
        """The same, whose key is not among those taken; ValueError if the world has no more of them."""
        for _ in range(ATTEMPTS):
            before = (self.introduced, self.object)
            sentence = self.sentence(part)
            if sentence.key not in taken:
                self.said.update(sentence.words)
                return sentence
            self.introduced, self.object = before
        raise ValueError(
            f"{self.topic.name}: no new {part} sentence in {ATTEMPTS} attempts; ask for fewer hours or pairs"
        )

    def fill(self, template: Template) -> Sentence:
        """The template with its slots filled."""
        self.used = set()
        self.hero_here = False
        tokens: list[str] = []
        for part in template.tokens:
            if part == "they":
                self.subject = Subject(True)
            if part.startswith("["):
                _, _, form = part.strip("[]").partition(":")
                method = getattr(self, slot_method(part))
                tokens += method(form) if form else method()
            else:
                tokens.append(part)
        return Sentence(tuple(tokens))

    def _can_fill(self, template: Template) -> bool:
        if not self.introduced and template.needs_hero_before:
            return False
        if "[role]" in template.tokens and self.cast.subject.noun in self.topic.people:
            return False  # the hunters are not rangers too
        return self.object is not None or "[it-last]" not in template.tokens

    def _shares(self, items: Sequence[Word]) -> np.ndarray:
        """Probability of each of the words: its place in the list, and how seldom it was said so far."""
        said = np.array([sum(self.said[form] for form in forms(item)) for item in items])
        weights = zipf(len(items)) / (said + WORN)
        return weights / weights.sum()

    def _pick(self, items: Sequence[Word]) -> Word:
        return pick(self.rng, items, self._shares(items))

    def _is_plural(self, noun: Noun) -> bool:
        if noun.plural is None:
            return False
        singular, plural = (SINGULAR / (self.said[form] + WORN) for form in noun.forms)
        return self._chance(plural * (1 / SINGULAR - 1) / (singular + plural * (1 / SINGULAR - 1)))

    def _chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    # Noun phrases

    def _thing(self, groups: Sequence[str] | None = None, *, located: bool = False) -> Noun:
        """A thing of these groups not yet in this sentence, most often one that the story is about."""

        def fits(noun: Noun) -> bool:
            return (
                (groups is None or noun.group in groups)
                and noun.singular not in self.used
                and (noun.located or not located)
            )

        near = [noun for noun in self.focus if fits(noun)]
        things = [noun for noun in self.topic.things if fits(noun)]
        if not things:  # two verbs with the same single object: say it again
            things = [noun for noun in self.topic.things if groups is None or noun.group in groups]
        noun = self._pick(near if near and self._chance(0.7) else things)
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

    def _phrase(self, noun: Noun, plural: bool, adjective: str | None, kind: str) -> list[str]:
        """Determiner, adjective and noun; `kind` is "subject" (definite) or "object"."""
        middle = [adjective] if adjective else []
        word = str(noun.plural) if plural else noun.singular
        number = self._pick(self.lexicon.numbers)
        if plural:
            determiners = {"the": 5.0, "these": 1.7, number: 1.5, "": 2.0 if kind == "object" else 0.0}
        elif noun.plural is None:
            determiners = {"the": 6.0, "this": 1.5, "some": 2.0 if kind == "object" else 0.0}
        else:
            determiners = {"the": 5.0, "this": 1.7, "a": 3.0 if kind == "object" else 0.0}
        shares = np.array(list(determiners.values()))
        determiner = pick(self.rng, list(determiners), shares / shares.sum())
        if determiner == "a":
            determiner = article(adjective or word)
        return [*([determiner] if determiner else []), *middle, word]

    def _thing_phrase(self, noun: Noun, kind: str, plural: bool | None = None) -> tuple[list[str], Subject]:
        if plural is None:
            plural = self._is_plural(noun)
        plural = plural and noun.plural is not None
        adjective = self._adjective(noun) if self._chance(0.36) else None
        return self._phrase(noun, plural, adjective, kind), Subject(plural, None, noun)

    def object_phrase(self, groups: Sequence[str] | None) -> list[str]:
        """A thing of these groups that is acted on; later "it"."""
        tokens, self.object = self._thing_phrase(self._thing(groups), "object")
        return tokens

    def _person_phrase(self, nouns: Sequence[Noun], kind: str) -> tuple[list[str], Subject]:
        others = [n for n in nouns if n != self.cast.subject.noun and n.singular not in self.used]
        noun = self._pick(others or nouns)
        self.used.add(noun.singular)
        plural = self._is_plural(noun)
        adjective = self._pick(self.lexicon.adjectives["person"]).word if self._chance(0.25) else None
        return self._phrase(noun, plural, adjective, kind), Subject(plural, noun.gender, noun)

    def _set_subject(self, subject: Subject) -> None:
        self.subject = self.head = subject

    def slot_hero(self) -> list[str]:
        """Who the story is about: by name at first, then mostly by pronoun."""
        self.subject = self.cast.subject
        if not self.introduced:
            self.introduced = self.hero_here = True
            return list(self.cast.introduced)
        if self.hero_here or self._chance(0.75):
            return [self.cast.subject.pronouns[0]]
        self.hero_here = True
        return list(self.cast.named)

    def slot_thing(self, form: str = "") -> list[str]:
        """A thing as subject; with the form "located", one that can be near another."""
        tokens, subject = self._thing_phrase(self._thing(located=form == "located"), "subject")
        self._set_subject(subject)
        return tokens

    def slot_person(self) -> list[str]:
        """One or several of the topic's people as subject."""
        tokens, subject = self._person_phrase(self.topic.people, "object")
        self._set_subject(subject)
        return tokens

    def slot_human(self) -> list[str]:
        """A girl, men, ... as subject."""
        gender = pick(self.rng, ("female", "male"), (0.5, 0.5))
        tokens, subject = self._person_phrase(self.lexicon.humans[gender], "subject")
        self._set_subject(subject)
        return tokens

    def slot_kin(self) -> list[str]:
        """The hero's mother, brother, ... as subject."""
        gender = pick(self.rng, ("female", "male"), (0.5, 0.5))
        noun = self._pick(self.lexicon.kin[gender])
        plural = noun.plural is not None and self._chance(0.3)
        self._set_subject(Subject(plural, gender, noun))
        return [*self.slot_poss(), str(noun.plural) if plural else noun.singular]

    def slot_relative(self) -> list[str]:
        """mother, brother, ..., after a possessive."""
        gender = pick(self.rng, ("female", "male"), (0.5, 0.5))
        return [self._pick(self.lexicon.kin[gender]).singular]

    def slot_poss(self) -> list[str]:
        """The hero's her, his or their."""
        return [self.cast.subject.pronouns[2]]

    def slot_it(self) -> list[str]:
        """The pronoun it or they: the last object, now subject."""
        assert self.object is not None
        self.subject = self.object
        return ["they" if self.object.plural else "it"]

    def slot_it_last(self) -> list[str]:
        """The last object of the story by its noun, now subject."""
        assert self.object is not None
        assert self.object.noun is not None
        self._set_subject(self.object)
        noun = self.object.noun
        return ["the", str(noun.plural) if self.object.plural else noun.singular]

    def slot_head(self) -> list[str]:
        """Nothing is said; the verb that follows agrees with the main clause's subject again."""
        self.subject = self.head
        return []

    def slot_nearby(self) -> list[str]:
        """A phrase such as "near the knives": with the other number than the subject's, most often."""
        plural = self.subject.plural != self._chance(0.7)
        noun = self._thing(located=True)
        word = str(noun.plural) if plural and noun.plural else noun.singular
        return [*self._pick(self.lexicon.prepositions).split(), "the", word]

    # Verb phrases

    def _verb(self, verb: Verb, form: str = "") -> list[str]:
        tokens = conjugate(verb, self.subject.plural, self.tense, form)
        if not form and self.tense == "present" and self._chance(0.12):
            return [self._pick(self.lexicon.adverbs["frequency"]), *tokens]
        return tokens

    def slot_do(self, form: str = "") -> list[str]:
        """What people of this topic do to its things."""
        verb = self._pick([verb for verb in self.topic.do if verb.ing or form != "ing"])
        return [*self._verb(verb, form), *self.object_phrase(verb.groups)]

    def _use_verb(self, noun: Noun) -> Verb:
        if not noun.located:
            return self._pick(self.lexicon.verbs["mention"])
        return self._pick(self.lexicon.verbs["handle" if noun.handled and self._chance(0.6) else "perceive"])

    def slot_use(self) -> list[str]:
        """What people do to things of any topic."""
        noun = self._thing()
        tokens, self.object = self._thing_phrase(noun, "object")
        return [*self._verb(self._use_verb(noun)), *tokens]

    def slot_take(self) -> list[str]:
        """The verb of "the onions that she chops": done to the main clause's subject."""
        noun = self.head.noun
        assert noun is not None
        own = [verb for verb in self.topic.do if noun.group in verb.groups]
        verb = self._pick(own) if own and self._chance(0.7) else self._use_verb(noun)
        return conjugate(verb, self.subject.plural, self.tense, "sub")

    def slot_meet(self, form: str = "") -> list[str]:
        """What people do to people."""
        return [
            *self._verb(self._pick(self.lexicon.verbs["meet"]), form),
            *self._person_phrase(self.topic.people, "object")[0],
        ]

    def slot_meet_hero(self) -> list[str]:
        """The same, done to the hero, by pronoun."""
        return [*self._verb(self._pick(self.lexicon.verbs["meet"])), self.cast.subject.pronouns[1]]

    def slot_reflect(self) -> list[str]:
        """What one does to oneself."""
        return [*self._verb(self._pick(self.lexicon.verbs["reflect"])), self.subject.pronouns[3]]

    def slot_act(self) -> list[str]:
        """What one does without an object."""
        return self._verb(self._pick(self.lexicon.verbs["act"]))

    def slot_say(self) -> list[str]:
        """says, thinks, ... that."""
        return self._verb(self._pick(self.lexicon.verbs["say"]))

    def slot_plan(self) -> list[str]:
        """wants, hopes, ... to."""
        return self._verb(self._pick(self.lexicon.verbs["plan"]))

    def slot_event(self, form: str = "") -> list[str]:
        """A clause: what a thing does itself."""
        verb = self._pick(self.topic.happen)
        tokens, self.subject = self._thing_phrase(self._thing(verb.groups), "subject")
        return [*tokens, *conjugate(verb, self.subject.plural, self.tense, form)]

    def slot_is(self) -> list[str]:
        """The copula."""
        return be(self.subject.plural, self.tense)

    def slot_exists(self) -> list[str]:
        """What follows "there": is an onion, are three onions."""
        noun = self._thing(located=True)
        tokens, subject = self._thing_phrase(noun, "object")
        if tokens[0] in ("the", "this", "these"):
            number = self._pick(self.lexicon.numbers)
            tokens[0] = number if subject.plural else "some" if noun.plural is None else article(tokens[1])
        return [*be(subject.plural, self.tense), *tokens]

    def slot_role(self) -> list[str]:
        """An occupation of this topic: a good baker, good bakers."""
        noun = self._pick([n for n in self.topic.people if n != self.cast.subject.noun])
        adjective = self._pick(self.lexicon.adjectives["person"]).word
        if self.subject.plural:
            return [adjective, str(noun.plural)]
        return [article(adjective), adjective, noun.singular]

    # Adjectives and adverbs

    def _degree(self, word: str, probability: float) -> list[str]:
        return [self._pick(self.lexicon.adverbs["degree"]), word] if self._chance(probability) else [word]

    def slot_quality(self) -> list[str]:
        """What the subject, a thing, is like."""
        assert self.subject.noun is not None
        word = self._adjective(self.subject.noun)
        return self._degree(word, 0.3 if word in {a.word for a in self.lexicon.adjectives["thing"]} else 0.0)

    def slot_feel(self) -> list[str]:
        """A feeling: is happy, are very tired."""
        return [*self.slot_is(), *self._degree(self._pick(self.lexicon.adjectives["feeling"]).word, 0.3)]

    def slot_manner(self) -> list[str]:
        """How it is done."""
        return [self._pick(self.lexicon.adverbs["manner"])]

    def slot_place(self) -> list[str]:
        """Where people of this topic are."""
        return self._pick(self.topic.places).split()

    def slot_time(self) -> list[str]:
        """When, in the story's tense."""
        return self._pick(self.lexicon.times[self.tense]).split()

    def slot_now(self) -> list[str]:
        """now, at the moment, today."""
        return self._pick(self.lexicon.times["now"]).split()
