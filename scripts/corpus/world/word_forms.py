"""The world's words by the places that they can take in a sentence, for `scripts.corpus.world.parser`."""

from collections.abc import Collection, Iterable

from scripts.corpus.world.grammar import be
from scripts.corpus.world.vocabulary import Adjective, Lexicon, Noun, Verb

PLURAL, NEUTER = "plural", "neuter"  # beside "female" and "male": what a subject can be
MASS, SINGULAR = "mass", "singular"
NOW_OR_LATER = frozenset(("present", "future"))
BE = {
    word: (plural, tense)
    for plural in (False, True)
    for tense in ("present", "past")
    for word in be(plural, tense)
}  # fmt: skip


Nouns = dict[str, set[tuple[str, str]]]  # form -> (mass, singular or plural; what it is as a subject)


class Words:
    """Tables of word forms, by use."""

    def __init__(self, lexicon: Lexicon):
        topics = lexicon.topics.values()
        self.lexicon = lexicon
        self.verbs = {use: _verbs(verbs) for use, verbs in lexicon.verbs.items()}
        self.verbs["do"] = _verbs(verb for topic in topics for verb in topic.do)
        self.verbs["happen"] = _verbs(verb for topic in topics for verb in topic.happen)
        self.verbs["use"] = _merged(self.verbs[use] for use in ("mention", "perceive", "handle"))
        self.verbs["notice"] = _merged(self.verbs[use] for use in ("mention", "perceive"))
        self.verbs["take"] = _merged(self.verbs[use] for use in ("do", "use"))
        things = [noun for topic in topics for noun in topic.things]
        self.things, self.located = _nouns(things), _nouns(noun for noun in things if noun.located)
        self.planted: Nouns = {word: {(SINGULAR, NEUTER)} for word in lexicon.planted}
        self.people = _nouns(noun for topic in topics for noun in topic.people)
        self.humans = _nouns(noun for nouns in lexicon.humans.values() for noun in nouns)
        self.kin = _nouns(noun for nouns in lexicon.kin.values() for noun in nouns)
        self.adjectives = {use: {one.word for one in ones} for use, ones in lexicon.adjectives.items()}
        own: Iterable[Adjective] = (one for topic in topics for one in topic.be)
        self.qualities = {adjective.word for adjective in own} | self.adjectives["thing"] | self.adjectives["color"]
        self.places = [tuple(place.split()) for topic in topics for place in topic.places]
        self.times = {tense: [tuple(time.split()) for time in times] for tense, times in lexicon.times.items()}
        self.names = {name.lower(): gender for gender, names in lexicon.names.items() for name in names}
        numbers = frozenset(lexicon.numbers)
        plural = numbers | {"the", "these"}
        self.determiners: dict[str, dict[str, Collection[str]]] = {
            "subject": {PLURAL: plural, MASS: {"the", "this"}, SINGULAR: {"the", "this"}},
            "object": {PLURAL: plural | {""}, MASS: {"the", "this", "some"}, SINGULAR: {"the", "this", "a", "an"}},
            "planted": {PLURAL: set(), MASS: set(), SINGULAR: {"the", "this"}},
            "there": {PLURAL: numbers | {""}, MASS: {"some"}, SINGULAR: {"a", "an"}},
        }


def _nouns(nouns: Iterable[Noun]) -> Nouns:
    table: Nouns = {}
    for noun in nouns:
        singular = (MASS if noun.plural is None else SINGULAR, noun.gender or NEUTER)
        table.setdefault(noun.singular, set()).add(singular)
        if noun.plural:
            table.setdefault(noun.plural, set()).add((PLURAL, PLURAL))
    return table


def _verbs(verbs: Iterable[Verb]) -> dict[str, set[str]]:
    table: dict[str, set[str]] = {"base": set(), "third": set(), "past": set(), "ing": set()}
    for verb in verbs:
        for name, form in zip(table, verb.forms, strict=False):
            table[name].add(form)
    return table


def _merged(tables: Iterable[dict[str, set[str]]]) -> dict[str, set[str]]:
    merged = _verbs([])
    for table in tables:
        for name, forms in table.items():
            merged[name] |= forms
    return merged
