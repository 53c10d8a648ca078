"""Generate stories of one topic, one tense and one cast from the templates in resources/world/grammar.yaml.

A template consists of words and [slots]; the slot [name] is filled by the method `slot_<name>` of `Story`. Subject
slots set `Story.subject`, with which verbs agree; objects do not, so that a verb after a relative clause or a
prepositional phrase agrees with its own subject.
"""

from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scripts.corpus.world.grammar import TENSES, Sentence, Subject, Template, article, be, conjugate, pick
from scripts.corpus.world.phrases import Phrases
from scripts.corpus.world.vocabulary import Noun, read_yaml

ATTEMPTS = 500  # draws of a new sentence before an error


class NoNewSentenceError(ValueError):
    """The templates and words give no sentence that is not taken."""


Grammar = dict[str, tuple[Template, ...]]


def load_grammar(world: str | Path) -> Grammar:
    """Templates by part (opening, middle, planted, ending, cloze); ValueError names a slot or key that is unknown."""
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


@dataclass
class Story(Phrases):
    """Generates the sentences of one paragraph."""

    grammar: Grammar = field(kw_only=True)
    introduced: bool = False

    def sentence(self, part: str) -> Sentence:
        """A sentence from one of the part's templates."""
        templates = [t for t in self.grammar[part] if self.tense in t.tenses and self._can_fill(t)]
        weights = np.array([t.weight for t in templates], dtype=float)
        return self.fill(pick(self.rng, templates, weights / weights.sum()))

    def new_sentence(self, part: str, taken: Container[str]) -> Sentence:
        """A sentence whose key is not in `taken`; NoNewSentenceError if none is drawn in ATTEMPTS attempts."""
        for _ in range(ATTEMPTS):
            state = (self.introduced, self.object)
            sentence = self.sentence(part)
            if sentence.key not in taken:
                self.word_counts.update(sentence.words)
                return sentence
            self.introduced, self.object = state
        raise NoNewSentenceError(f"{self.topic.name}: no new {part} sentence in {ATTEMPTS} attempts")

    def fill(self, template: Template) -> Sentence:
        """The template with its slots filled."""
        self.used = set()
        self.hero_mentioned = False
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
            return False  # a cast of hunters is not called rangers too
        return self.object is not None or "[it-last]" not in template.tokens

    # Noun phrases

    def _set_subject(self, subject: Subject) -> None:
        self.subject = self.head = subject

    def slot_hero(self) -> list[str]:
        """The cast: by name at first, then mostly by pronoun."""
        self.subject = self.cast.subject
        if not self.introduced:
            self.introduced = self.hero_mentioned = True
            return list(self.cast.introduced)
        if self.hero_mentioned or self._chance(0.75):
            return [self.cast.subject.pronouns[0]]
        self.hero_mentioned = True
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
        """No words; the verb that follows agrees with the subject of the main clause again."""
        self.subject = self.head
        return []

    def slot_nearby(self) -> list[str]:
        """A phrase such as "near the knives", mostly with another number than the subject."""
        plural = self.subject.plural != self._chance(0.7)
        noun = self._thing(located=True)
        word = str(noun.plural) if plural and noun.plural else noun.singular
        return [*self._pick(self.lexicon.prepositions).split(), "the", word]

    # Verb phrases

    def slot_do(self, form: str = "") -> list[str]:
        """What people of this topic do to its things."""
        verb = self._pick([verb for verb in self.topic.do if verb.ing or form != "ing"])
        return [*self._verb(verb, form), *self.object_phrase(verb.groups)]

    def slot_use(self, form: str = "") -> list[str]:
        """What people do to things of any topic; with the form "described", to one described in several words."""
        noun = self._thing()
        if form == "described":
            plural = self._is_plural(noun)
            self.object = Subject(plural, None, noun)
            determiner = "the" if self._chance(0.3) else "these" if plural else "this"
            tokens = [determiner, *self.described(noun), str(noun.plural) if plural else noun.singular]
        else:
            tokens, self.object = self._thing_phrase(noun, "object")
        return [*self._verb(self._use_verb(noun)), *tokens]

    def described(self, noun: Noun) -> list[str]:
        """Two or three words before a noun: very old, old red, very old red."""
        first = self._pick(self.lexicon.adjectives["thing"]).word
        self.used.add(first)
        degree, second = [self._pick(self.lexicon.adverbs["degree"])], [self._adjective(noun)]
        return pick(self.rng, ([*degree, first], [first, *second], [*degree, first, *second]), (0.4, 0.3, 0.3))

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

    def slot_reflect(self, form: str = "") -> list[str]:
        """What one does to oneself."""
        return [*self._verb(self._pick(self.lexicon.verbs["reflect"]), form), self.subject.pronouns[3]]

    def slot_act(self, form: str = "") -> list[str]:
        """What one does without an object."""
        return self._verb(self._pick(self.lexicon.verbs["act"]), form)

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

    def slot_quality(self) -> list[str]:
        """What the subject, a thing, is like."""
        assert self.subject.noun is not None
        word = self._adjective(self.subject.noun)
        return self._degree(word, 0.3 if word in {a.word for a in self.lexicon.adjectives["thing"]} else 0.0)

    def slot_feel(self) -> list[str]:
        """A feeling: is happy, are very tired."""
        return [*self.slot_is(), *self._degree(self._pick(self.lexicon.adjectives["feeling"]).word, 0.3)]

    def slot_mood(self) -> list[str]:
        """A feeling with a degree, or one feeling after another."""
        feelings = [adjective.word for adjective in self.lexicon.adjectives["feeling"]]
        first = self._pick(feelings)
        if self._chance(0.6):
            return [self._pick(self.lexicon.adverbs["degree"]), first]
        return ["first", first, ",", "then", self._pick([word for word in feelings if word != first])]

    def slot_often(self) -> list[str]:
        """How often it is done."""
        return [self._pick(self.lexicon.adverbs["frequency"])]

    def slot_manner(self, form: str = "") -> list[str]:
        """How it is done; with the form "ly", an adverb that may stand before the verb."""
        together = self.subject.plural and form != "ly"
        return [self._pick([word for word in self.lexicon.adverbs["manner"] if together or word.endswith("ly")])]

    def slot_place(self) -> list[str]:
        """Where people of this topic are."""
        return self._pick(self.topic.places).split()

    def slot_time(self) -> list[str]:
        """When, in the story's tense."""
        return self._pick(self.lexicon.times[self.tense]).split()

    def slot_now(self) -> list[str]:
        """now, at the moment, today."""
        return self._pick(self.lexicon.times["now"]).split()
