"""Generate the pairs of sentences of the syntax task, mirrored and by distance.

"The dog runs" against "The dog run" comes with "The dogs run" against "The dogs runs": the difference is once right and
once wrong, so a score of single words, letters, phones or length prefers the right side of exactly one of the two.

Both sides of a pair are the same up to one word, the *target*, which the *cue* decides; the distance is the number of
words from the one to the other. No word between them shows which target is right, as the verb would in "the girl enjoys
herself"; in the attractor strata, a noun of the other number stands there on purpose.
"""

from collections.abc import Callable, Sequence

import numpy as np

from scripts.corpus.world.grammar import TENSE_SHARES, TENSES, CuedPair, Sentence, Subject, be, named_couple, pick
from scripts.corpus.world.story import Grammar, Story
from scripts.corpus.world.vocabulary import Lexicon, Noun, Topic, Verb

# Share of the couples by stratum and phenomenon. The stratum is the number of words between cue and target.
SHARES = {
    "adjacent/agreement": 0.20,
    "adjacent/determiner-noun": 0.15,
    "one-between/agreement": 0.09,
    "one-between/determiner-noun": 0.04,
    "one-between/anaphor-number": 0.04,
    "one-between/anaphor-gender": 0.04,
    "one-between/tense-adverb": 0.04,
    "several-between/agreement": 0.09,
    "several-between/determiner-noun": 0.04,
    "several-between/anaphor-number": 0.04,
    "several-between/anaphor-gender": 0.04,
    "several-between/tense-adverb": 0.04,
    "attractor/preposition": 0.08,
    "attractor/relative": 0.07,
}
ATTEMPTS = 500  # draws of a new couple before a stratum counts as exhausted
ADJACENT, ONE, SEVERAL = "adjacent", "one-between", "several-between"
MARKED = ("yesterday", "last"), ("tomorrow", "next")  # first words of time adverbials that exclude the other tense


Mirrored = tuple[CuedPair, CuedPair]


class SyntaxPairs:
    """Draws mirrored pairs of each stratum.

    Every sentence is of a form that training stories use too; no sentence occurs twice.
    """

    def __init__(self, lexicon: Lexicon, grammar: Grammar, rng: np.random.Generator):
        self.lexicon, self.grammar, self.rng = lexicon, grammar, rng
        self.taken: set[str] = set()
        self.phenomena: dict[str, Callable[[str, Topic], Mirrored]] = {
            "agreement": self.agreement,
            "determiner-noun": self.determiner_noun,
            "anaphor-number": self.anaphor_number,
            "anaphor-gender": self.anaphor_gender,
            "tense-adverb": self.tense_adverb,
            "preposition": self.preposition,
            "relative": self.relative,
        }

    def draw(self, group: str) -> Mirrored | None:
        """Two mirrored pairs of new sentences, of one of SHARES; None if none are drawn in ATTEMPTS attempts."""
        stratum, phenomenon = group.split("/")
        topics = list(self.lexicon.topics.values())
        for _ in range(ATTEMPTS):
            topic = topics[int(self.rng.integers(len(topics)))]
            pairs = self.phenomena[phenomenon](stratum, topic)
            keys = {sentence.key for pair in pairs for sentence in (pair.right, pair.wrong)}
            if len(keys) == 4 and not keys & self.taken:
                self.taken |= keys
                return pairs
        return None

    def _story(self, topic: Topic, tense: str = "present") -> Story:
        return Story(self.lexicon, topic, tense, named_couple(self.lexicon, self.rng), self.rng, grammar=self.grammar)

    def _chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def _name(self) -> str:
        return pick(self.rng, self.lexicon.names["female" if self._chance(0.5) else "male"])

    def _human(self) -> tuple[Noun, str]:
        """A girl, a man, ... and the gender."""
        gender = "female" if self._chance(0.5) else "male"
        return pick(self.rng, self.lexicon.humans[gender]), gender

    def _before_verb(self, stratum: str, *, often: bool = True) -> list[str]:
        """Words without number or gender for between a subject and its verb; `often`: adverbs of frequency too."""
        story = self._story(next(iter(self.lexicon.topics.values())))
        adverb = [story.slot_often, lambda: story.slot_manner("ly")]
        if stratum == ADJACENT:
            return []
        if stratum == ONE:
            return adverb[int(self.rng.integers(2)) if often else 1]()
        mood = [",", *story.slot_mood(), ","]
        if not often:
            return mood
        return pick(self.rng, ([*adverb[0](), *adverb[1]()], mood, [*mood, *adverb[0]()]), (0.3, 0.3, 0.4))

    def agreement(self, stratum: str, topic: Topic) -> Mirrored:
        """The cook (often) chops / *chop the onions; the woman smiles; the onions are old."""
        predicate = pick(self.rng, ("do", "act", "be"), (0.5, 0.2, 0.3) if stratum == ADJACENT else (0.8, 0.2, 0.0))
        if predicate == "be":
            return self._be(topic)
        between = self._before_verb(stratum)
        if predicate == "act":
            noun, verb = self._human()[0], pick(self.rng, self.lexicon.verbs["act"])
            plain = len(between) < 2 and not set(between) & set(self.lexicon.adverbs["manner"])
            rest = self._story(topic).slot_manner() if plain else []
        else:
            shared = stratum == ADJACENT and self._chance(0.3)
            noun, verb = self._human()[0] if shared else pick(self.rng, topic.people), pick(self.rng, topic.do)
            rest = self._story(topic).object_phrase(verb.groups)
        return _mirror(lambda many, ending: ["the", _form(noun, many), *between, _present(verb, ending), *rest])

    def _be(self, topic: Topic) -> Mirrored:
        """The onions are / *is raw."""
        noun = pick(self.rng, [noun for noun in topic.things if noun.plural])
        quality = self._quality(topic, noun)
        tense = pick(self.rng, ("present", "past"), (0.7, 0.3))
        return _mirror(lambda many, ending: ["the", _form(noun, many), *be(ending, tense), quality])

    def _quality(self, topic: Topic, noun: Noun) -> str:
        own = [a.word for a in topic.be if noun.group in a.groups]
        shared = [a.word for a in self.lexicon.adjectives["thing"]]
        return pick(self.rng, own if own and self._chance(0.7) else shared)

    def determiner_noun(self, stratum: str, topic: Topic) -> Mirrored:
        """Anna chops this onion / *onions; with one adjective or with several words between."""
        tense = pick(self.rng, TENSES, TENSE_SHARES)
        story = self._story(topic, tense)
        if stratum == SEVERAL:
            noun = pick(self.rng, [noun for noun in topic.things if noun.plural])
            use = "mention" if not noun.located else "handle" if noun.handled else "perceive"
            verb, between = pick(self.rng, self.lexicon.verbs[use]), story.described(noun)
        else:
            verb = pick(self.rng, [v for v in topic.do if _countable(topic, v.groups)])
            noun = pick(self.rng, _countable(topic, verb.groups))
            between = [self._quality(topic, noun)] if stratum == ONE else []
        before = [self._name(), *_singular(verb, tense)]
        return _mirror(lambda these, many: [*before, "these" if these else "this", *between, _form(noun, many)])

    def anaphor_number(self, stratum: str, topic: Topic) -> Mirrored:
        """The girl hurt herself / *themselves; never in the present, where the verb shows the number too."""
        noun, gender = self._human()
        verb = pick(self.rng, self.lexicon.verbs["reflect"])
        tense, between = self._reflexive(stratum, ("past",), (1.0,))
        return self._anaphor(
            lambda many: ["the", _form(noun, many)],
            [*between, *_singular(verb, tense)],
            (Subject(False, gender).pronouns[3], "themselves"),
            self._when_or_where(topic, tense, between),
        )

    def anaphor_gender(self, stratum: str, topic: Topic) -> Mirrored:
        """Anna enjoys herself / *himself."""
        women, men = self._man_and_woman()
        verb = pick(self.rng, self.lexicon.verbs["reflect"])
        tense, between = self._reflexive(stratum, ("present", "past"), (0.7, 0.3))
        return self._anaphor(
            lambda man: men if man else women,
            [*between, *_singular(verb, tense)],
            ("herself", "himself"),
            self._when_or_where(topic, tense, between),
        )

    def _reflexive(self, stratum: str, tenses: Sequence[str], shares: Sequence[float]) -> tuple[str, list[str]]:
        """A tense, and the words before its verb: a reflexive has the verb between it and the subject anyway."""
        if stratum == ONE:
            return pick(self.rng, tenses, shares), []
        if self._chance(0.25):
            return "future", []
        tense = pick(self.rng, tenses, shares)
        number = ONE if self._chance(0.45) else SEVERAL
        return tense, self._before_verb(number, often=number == ONE and tense == "present")

    def _anaphor(
        self,
        subject: Callable[[bool], list[str]],
        verb: list[str],
        pronouns: tuple[str, str],
        around: tuple[list[str], list[str]],
    ) -> Mirrored:
        before, after = around
        return _mirror(lambda cue, target: [*before, *subject(cue), *verb, pronouns[target], *after])

    def _man_and_woman(self) -> tuple[list[str], list[str]]:
        if self._chance(0.6):
            female, male = (pick(self.rng, self.lexicon.names[g]) for g in ("female", "male"))
            return [female], [male]
        both = zip(self.lexicon.humans["female"], self.lexicon.humans["male"], strict=False)
        female, male = (noun.singular for noun in pick(self.rng, list(both)))
        return ["the", female], ["the", male]

    def _when_or_where(self, topic: Topic, tense: str, between: list[str]) -> tuple[list[str], list[str]]:
        """Words before the subject and after the pronoun: a time (unless words stand between), a place, or none."""
        when = [*pick(self.rng, self.lexicon.times[tense]).split(), ","]
        where = pick(self.rng, topic.places).split()
        shares = (0.3, 0.7, 0.0) if between else (0.3, 0.4, 0.3)
        return pick(self.rng, (([], []), ([], where), (when, [])), shares)

    def tense_adverb(self, stratum: str, topic: Topic) -> Mirrored:
        """Yesterday, Anna chopped / *will chop the onion."""
        verb = pick(self.rng, topic.do)
        when = pick(self.rng, [times for times in self._opposite_times() if stratum == SEVERAL or len(times[0]) == 1])
        subject = [self._name()]
        if stratum == SEVERAL and (len(when[0]) == 1 or self._chance(0.5)):
            subject = ["the", *self._adjective(), pick(self.rng, topic.people).singular]
        rest = self._story(topic).object_phrase(verb.groups)
        return _mirror(
            lambda later, will: [
                *(*when[later], ",", *subject),
                *(("will", verb.base) if will else (verb.past,)),
                *rest,
            ]
        )

    def _adjective(self) -> list[str]:
        return [pick(self.rng, self.lexicon.adjectives["person"]).word] if self._chance(0.4) else []

    def _opposite_times(self) -> list[tuple[list[str], list[str]]]:
        """Time adverbials of the past and the future that differ in their first word alone."""
        past, future = (
            [time.split() for time in self.lexicon.times[tense] if time.split()[0] in first]
            for tense, first in zip(("past", "future"), MARKED, strict=True)
        )
        return [(one, other) for one in past for other in future if one[1:] == other[1:]]

    def preposition(self, stratum: str, topic: Topic) -> Mirrored:
        """The lamp near the windows is / *are old: the nearer noun has the other number."""
        things = [noun for noun in topic.things if noun.located and noun.plural]
        first, second = (things[i] for i in self.rng.permutation(len(things))[:2])
        where = pick(self.rng, self.lexicon.prepositions).split()
        tense = pick(self.rng, ("present", "past"), (0.7, 0.3))
        quality = self._quality(topic, first)
        return _mirror(
            lambda many, ending: [
                *("the", _form(first, many), *where, "the", _form(second, not many)),
                *(*be(ending, tense), quality),
            ]
        )

    def relative(self, stratum: str, topic: Topic) -> Mirrored:
        """The cook who thanks the bakers chops / *chop the onions: the nearer noun has the other number."""
        story, verb = self._story(topic), pick(self.rng, topic.do)
        meet = pick(self.rng, self.lexicon.verbs["meet"])
        person = pick(self.rng, topic.people)
        other = pick(self.rng, [noun for noun in topic.people if noun != person])
        rest = story.object_phrase(verb.groups)
        return _mirror(
            lambda many, ending: [
                *("the", _form(person, many), "who", _present(meet, many), "the", _form(other, not many)),
                *(_present(verb, ending), *rest),
            ]
        )


def _mirror(build: Callable[[bool, bool], Sequence[str]]) -> Mirrored:
    """Mirrored pairs of `build(cue, target)`, which is right if its arguments are equal."""

    def sentence(cue: bool, target: bool) -> Sentence:
        return Sentence((*build(cue, target), "."))

    rights, wrongs = (sentence(False, False), sentence(True, True)), (sentence(False, True), sentence(True, False))
    cue = first_difference(*rights)
    first, second = (
        CuedPair(right, wrong, cue, first_difference(right, wrong)) for right, wrong in zip(rights, wrongs, strict=True)
    )
    return first, second


def first_difference(one: Sentence, other: Sentence) -> int:
    """Index of the first word that is not the same."""
    return next(i for i, (a, b) in enumerate(zip(one.words, other.words, strict=False)) if a != b)


def _form(noun: Noun, plural: bool) -> str:
    return str(noun.plural) if plural else noun.singular


def _present(verb: Verb, plural: bool) -> str:
    return verb.base if plural else verb.third


def _singular(verb: Verb, tense: str) -> list[str]:
    return {"present": [verb.third], "past": [verb.past], "future": ["will", verb.base]}[tense]


def _countable(topic: Topic, groups: Sequence[str]) -> list[Noun]:
    return [noun for noun in topic.things if noun.group in groups and noun.plural]
