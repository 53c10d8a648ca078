"""Parse the sentences that `scripts.corpus.world.story` generates: one method per slot of a template, of the same name.

It checks agreement of verbs with their subjects (also across relative clauses and prepositional phrases), of reflexives
and possessives with the person, of articles with the noun and the next sound, and that a sentence has one tense. It
does not check meaning: any verb may have any thing as its object, in any topic.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scripts.corpus.world.grammar import PRONOUNS, TENSES, article
from scripts.corpus.world.story import slot_method
from scripts.corpus.world.word_forms import BE, NEUTER, NOW_OR_LATER, PLURAL, Nouns, Words


class State(NamedTuple):
    """How far a sentence is parsed, and the features fixed so far; None: not fixed yet.

    Attributes:
        place: words read.
        tenses: those that it can have.
        hero, subject, head: female, male, plural or neuter (a thing, or a person of the topic).
        object_plural: number of the last thing acted on.
    """

    place: int
    tenses: frozenset[str]
    hero: str | None = None
    subject: str | None = None
    head: str | None = None
    object_plural: bool | None = None


@dataclass
class Parser:
    """Parser of one text; `ran_out` is set when a sentence, valid so far, needs a word after the last."""

    known: Words
    words: Sequence[str]
    ran_out: bool = False

    def read(self, token: str, state: State) -> Iterator[State]:
        """The states after a template's token."""
        if token.startswith("["):
            _, _, form = token.strip("[]").partition(":")
            method = getattr(self, slot_method(token))
            yield from method(state, form) if form else method(state)
        else:
            for after in self._any(state, (token,)):
                yield after._replace(subject=PLURAL) if self.words[state.place] == "they" else after

    def _word(self, place: int) -> str:
        if place < len(self.words):
            return self.words[place]
        self.ran_out = True
        return ""

    def _any(self, state: State, words: Iterable[str]) -> Iterator[State]:
        if self._word(state.place) in words:
            yield state._replace(place=state.place + 1)

    def _match(self, state: State, phrases: Iterable[tuple[str, ...]]) -> Iterator[State]:
        for phrase in phrases:
            if all(self._word(state.place + i) == word for i, word in enumerate(phrase)):
                yield state._replace(place=state.place + len(phrase))

    def _in(self, state: State, tenses: Iterable[str]) -> Iterator[State]:
        if left := state.tenses.intersection(tenses):
            yield state._replace(tenses=left)

    def _hero(self, state: State, hero: str) -> Iterator[State]:
        if state.hero in (None, hero):
            yield state._replace(hero=hero)

    # Noun phrases

    def _phrase(self, state: State, nouns: Nouns, adjectives: set[str], role: str) -> Iterator[tuple[State, str]]:
        """Determiner, adjective and noun; the state after them, and what they are as a subject."""
        allowed = self.known.determiners[role]
        first = self._word(state.place)
        for determiner, place in ((first, state.place + 1), ("", state.place)):
            if not any(determiner in words for words in allowed.values()):
                continue
            for noun in (place, place + 1) if self._word(place) in adjectives else (place,):
                for number, subject in nouns.get(self._word(noun), ()):
                    if determiner in allowed[number] and (
                        determiner not in ("a", "an") or determiner == article(self._word(place))
                    ):
                        yield state._replace(place=noun + 1), subject

    def _thing(self, state: State, role: str, *, located: bool = False) -> Iterator[tuple[State, str]]:
        nouns = self.known.located if located else self.known.things
        return self._phrase(state, nouns, self.known.qualities, role)

    def _person(self, state: State, nouns: Nouns, role: str) -> Iterator[State]:
        for after, subject in self._phrase(state, nouns, self.known.adjectives["person"], role):
            yield after._replace(subject=subject, head=subject)

    def _object(self, state: State) -> Iterator[State]:
        for after, subject in self._thing(state, "object"):
            yield after._replace(object_plural=subject == PLURAL)

    def slot_hero(self, state: State) -> Iterator[State]:
        """A pronoun, one or two names, a girl, the girl, the bakers."""
        first, names = self._word(state.place), self.known.names
        heroes = [(gender, 1) for gender, pronouns in PRONOUNS.items() if pronouns[0] == first]
        if first in names:
            heroes.append((names[first], 1))
            if self._word(state.place + 1) == "and" and self._word(state.place + 2) in names:
                heroes.append((PLURAL, 3))
        elif first in ("the", "a", "an"):
            second = self._word(state.place + 1)
            if first != "the":
                known = second in self.known.adjectives["person"] and article(second) == first
                last, size = (self._word(state.place + 2) if known else ""), 3
            else:
                last, size = second, 2
            forms = self.known.humans.get(last, set())
            heroes += [(subject, size) for _, subject in forms if subject != PLURAL]
            if first == "the" and any(number == PLURAL for number, _ in self.known.people.get(last, ())):
                heroes.append((PLURAL, size))
        for hero, size in heroes:
            for after in self._hero(state, hero):
                yield after._replace(place=state.place + size, subject=hero)

    def slot_thing(self, state: State, form: str = "") -> Iterator[State]:
        """A thing as subject."""
        for after, subject in self._thing(state, "subject", located=form == "located"):
            yield after._replace(subject=subject, head=subject)

    def slot_person(self, state: State) -> Iterator[State]:
        """One or several of a topic's people as subject."""
        return self._person(state, self.known.people, "object")

    def slot_human(self, state: State) -> Iterator[State]:
        """A girl, men, ... as subject."""
        return self._person(state, self.known.humans, "subject")

    def slot_kin(self, state: State) -> Iterator[State]:
        """The hero's mother, brothers, ... as subject."""
        for owned in self.slot_poss(state):
            for _, subject in self.known.kin.get(self._word(owned.place), ()):
                yield owned._replace(place=owned.place + 1, subject=subject, head=subject)

    def slot_relative(self, state: State) -> Iterator[State]:
        """mother, brother, ..., after a possessive."""
        if any(number != PLURAL for number, _ in self.known.kin.get(self._word(state.place), ())):
            yield state._replace(place=state.place + 1)

    def _pronoun(self, state: State, case: int) -> Iterator[State]:
        word = self._word(state.place)
        for hero, pronouns in PRONOUNS.items():
            if pronouns[case] == word:
                for after in self._hero(state, hero):
                    yield after._replace(place=state.place + 1)

    def slot_poss(self, state: State) -> Iterator[State]:
        """The hero's her, his or their."""
        return self._pronoun(state, 2)

    def slot_it(self, state: State) -> Iterator[State]:
        """The last object, now subject."""
        for after in self._any(state, ("they" if state.object_plural else "it",)):
            yield after._replace(subject=PLURAL if state.object_plural else NEUTER)

    def slot_it_last(self, state: State) -> Iterator[State]:
        """A thing of an earlier sentence by its noun."""
        for after in self._any(state, ("the",)):
            for _, subject in self.known.things.get(self._word(after.place), ()):
                yield after._replace(place=after.place + 1, subject=subject, head=subject)

    def slot_head(self, state: State) -> Iterator[State]:
        """No word; the main clause's subject again."""
        yield state._replace(subject=state.head)

    def slot_nearby(self, state: State) -> Iterator[State]:
        """A phrase such as "near the knives"."""
        phrases = [(*preposition.split(), "the") for preposition in self.known.lexicon.prepositions]
        for after in self._match(state, phrases):
            yield from self._any(after, self.known.located)

    # Verb phrases

    def _conjugated(self, state: State, use: str, form: str) -> Iterator[State]:
        """A verb in its tense, or in the form that Story asks for."""
        plural, place = state.subject == PLURAL, state.place
        word, forms = self._word(place), self.known.verbs[use]
        if form == "base":
            yield from self._any(state, forms["base"])
        elif form == "ing":
            for after in self._be(state, progressive=True):
                yield from self._any(after, forms["ing"])
        elif word == "will" and form != "sub":
            for after in self._in(state, ("future",)):
                yield from self._any(after._replace(place=place + 1), forms["base"])
        else:
            if word in forms["base" if plural else "third"]:
                yield from self._in(state._replace(place=place + 1), NOW_OR_LATER if form == "sub" else ("present",))
            if word in forms["past"]:
                yield from self._in(state._replace(place=place + 1), ("past",))

    def _verb(self, state: State, use: str, form: str = "") -> Iterator[State]:
        """The same; in the present it may have an adverb of frequency."""
        yield from self._conjugated(state, use, form)
        if not form:
            for often in self._any(state, self.known.lexicon.adverbs["frequency"]):
                for now in self._in(often, ("present",)):
                    yield from self._conjugated(now, use, form)

    def _be(self, state: State, *, progressive: bool = False) -> Iterator[State]:
        word = self._word(state.place)
        if word in BE:
            plural, tense = BE[word]
            if plural == (state.subject == PLURAL):
                tenses = (tense,) if tense == "past" or not progressive else NOW_OR_LATER
                yield from self._in(state._replace(place=state.place + 1), tenses)
        elif word == "will" and not progressive:
            for later in self._in(state._replace(place=state.place + 1), ("future",)):
                yield from self._any(later, ("be",))

    def slot_do(self, state: State, form: str = "") -> Iterator[State]:
        """What people do to a topic's things."""
        for after in self._verb(state, "do", form):
            yield from self._object(after)

    def slot_use(self, state: State, form: str = "") -> Iterator[State]:
        """What people do to any thing."""
        for after in self._verb(state, "use"):
            yield from self._described(after) if form == "described" else self._object(after)

    def _described(self, state: State) -> Iterator[State]:
        """A thing with two or three words between determiner and noun."""
        shared = self.known.adjectives["thing"]
        determiner = self._word(state.place)
        for start in self._any(state, ("the", "this", "these")):
            ways = {*self._degree(start, shared)}
            ways |= {after for first in (start, *ways) for after in self._two(first, start, shared)}
            for after in ways:
                for number, subject in self.known.things.get(self._word(after.place), ()):
                    if determiner in self.known.determiners["subject"][number]:
                        yield after._replace(place=after.place + 1, object_plural=subject == PLURAL)

    def _two(self, state: State, start: State, shared: set[str]) -> Iterator[State]:
        """A quality after a shared adjective, which `state` has read already unless it is `start`."""
        for after in self._any(state, shared) if state == start else (state,):
            yield from self._any(after, self.known.qualities)

    def slot_take(self, state: State) -> Iterator[State]:
        """The verb of "the onions that she chops"."""
        return self._conjugated(state, "take", "sub")

    def slot_meet(self, state: State, form: str = "") -> Iterator[State]:
        """What people do to people."""
        people, adjectives = self.known.people, self.known.adjectives["person"]
        for after in self._verb(state, "meet", form):
            for met, _ in self._phrase(after, people, adjectives, "object"):
                yield met

    def slot_meet_hero(self, state: State) -> Iterator[State]:
        """The same, done to the hero."""
        for after in self._verb(state, "meet"):
            yield from self._pronoun(after, 1)

    def slot_reflect(self, state: State, form: str = "") -> Iterator[State]:
        """What one does to oneself."""
        for after in self._verb(state, "reflect", form):
            if state.subject in PRONOUNS:
                yield from self._any(after, (PRONOUNS[state.subject][3],))

    def slot_act(self, state: State, form: str = "") -> Iterator[State]:
        """What one does without an object."""
        return self._verb(state, "act", form)

    def slot_say(self, state: State) -> Iterator[State]:
        """says, thinks, ... that."""
        return self._verb(state, "say")

    def slot_plan(self, state: State) -> Iterator[State]:
        """wants, hopes, ... to."""
        return self._verb(state, "plan")

    def slot_event(self, state: State, form: str = "") -> Iterator[State]:
        """A clause: what a thing does itself."""
        for after, subject in self._thing(state, "subject"):
            yield from self._conjugated(after._replace(subject=subject), "happen", form)

    def slot_is(self, state: State) -> Iterator[State]:
        """The copula."""
        return self._be(state)

    def slot_exists(self, state: State) -> Iterator[State]:
        """What follows "there": is an onion, are three onions."""
        for plural in (False, True):
            for after in self._be(state._replace(subject=PLURAL if plural else NEUTER)):
                for end, subject in self._thing(after, "there", located=True):
                    if (subject == PLURAL) == plural:
                        yield end._replace(subject=state.subject)

    def slot_role(self, state: State) -> Iterator[State]:
        """An occupation: a good baker, good bakers."""
        plural = state.subject == PLURAL
        place = state.place if plural else state.place + 1
        if plural or self._word(state.place) in ("a", "an"):
            adjective = self._word(place)
            if adjective not in self.known.adjectives["person"]:
                return
            if plural or article(adjective) == self._word(state.place):
                for number, _ in self.known.people.get(self._word(place + 1), ()):
                    if (number == PLURAL) == plural:
                        yield state._replace(place=place + 2)

    # Planted sentences

    def slot_planted(self, state: State, form: str = "") -> Iterator[State]:
        """The candle, this old candle and the drum."""
        known = self.known
        several = [(state, False, False)]  # the state after a planted noun, whether it is not the first, or the last
        while several:
            before, further, last = several.pop()
            for after, _ in self._phrase(before, known.planted, known.adjectives["thing"], "planted"):
                if not further or last:
                    subject = PLURAL if further else NEUTER
                    yield after._replace(subject=subject, head=subject) if form == "subject" else after
                if not last:
                    several.append((after, True, False))
                    several += [(joined, True, True) for joined in self._any(after, ("and",))]

    def slot_notice(self, state: State, form: str = "") -> Iterator[State]:
        """What people do to anything."""
        return self._verb(state, "notice", form)

    def slot_near(self, state: State) -> Iterator[State]:
        """A preposition of place."""
        return self._match(state, [tuple(preposition.split()) for preposition in self.known.lexicon.prepositions])

    def slot_general(self, state: State) -> Iterator[State]:
        """old, very strange."""
        yield from self._any(state, self.known.adjectives["thing"])
        yield from self._degree(state, self.known.adjectives["thing"])

    # Adjectives and adverbs

    def _degree(self, state: State, adjectives: Iterable[str]) -> Iterator[State]:
        for after in self._any(state, self.known.lexicon.adverbs["degree"]):
            yield from self._any(after, adjectives)

    def slot_quality(self, state: State) -> Iterator[State]:
        """What a thing is like."""
        yield from self._any(state, self.known.qualities)
        yield from self._degree(state, self.known.adjectives["thing"])

    def slot_feel(self, state: State) -> Iterator[State]:
        """A feeling: is happy, are very tired."""
        feelings = self.known.adjectives["feeling"]
        for after in self._be(state):
            yield from self._any(after, feelings)
            yield from self._degree(after, feelings)

    def slot_mood(self, state: State) -> Iterator[State]:
        """A feeling with a degree, or one feeling after another."""
        feelings = self.known.adjectives["feeling"]
        yield from self._degree(state, feelings)
        for start in self._any(state, ("first",)):
            for first in self._any(start, feelings):
                for after in self._any(first, ("then",)):
                    yield from self._any(after, feelings)

    def slot_often(self, state: State) -> Iterator[State]:
        """How often it is done."""
        return self._any(state, self.known.lexicon.adverbs["frequency"])

    def slot_manner(self, state: State, form: str = "") -> Iterator[State]:
        """How it is done."""
        adverbs = self.known.lexicon.adverbs["manner"]
        return self._any(state, [word for word in adverbs if not form or word.endswith(form)])

    def slot_place(self, state: State) -> Iterator[State]:
        """Where people of any topic are."""
        return self._match(state, self.known.places)

    def slot_time(self, state: State) -> Iterator[State]:
        """When; it fixes the tense."""
        for tense in TENSES:
            for after in self._match(state, self.known.times[tense]):
                yield from self._in(after, (tense,))

    def slot_now(self, state: State) -> Iterator[State]:
        """now, at the moment, today."""
        return self._match(state, self.known.times["now"])
