"""Generate pairs of sentences for the syntax task and couples of stories for the topic task, balanced by construction.

Syntax: pairs are mirrored. "The dog runs" against "The dog run" comes with "The dogs run" against "The dogs runs": the
difference is once right and once wrong, so a score of single words, letters, phones or length prefers the right side of
at most one of the two, and its accuracy is 50%.

Topic: two stories of different topics, with one cast and one tense, form a couple. Each ending follows its own story
once, where it is right, and the other story once, where it is wrong, so that differences between the endings cancel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scripts.corpus.world.grammar import TENSE_SHARES, TENSES, Sentence, Subject, be, named_couple, pick
from scripts.corpus.world.story import Grammar, Story
from scripts.corpus.world.vocabulary import Lexicon, Noun, Topic

# Time adverbials that exclude the other tense; "soon" and "one morning" do not.
MARKED = {"past": ("yesterday", "last"), "future": ("tomorrow", "next")}
ATTEMPTS = 500
MAX_LETTERS = 2  # by which two endings may differ


@dataclass(frozen=True)
class Pair:
    """A right and a wrong sentence."""

    right: Sentence
    wrong: Sentence


Mirrored = tuple[Pair, Pair]


class SyntaxPairs:
    """Draws mirrored pairs of each phenomenon.

    Every sentence is of a form that training stories use too; no sentence occurs twice.
    """

    def __init__(self, lexicon: Lexicon, grammar: Grammar, rng: np.random.Generator):
        self.lexicon, self.grammar, self.rng = lexicon, grammar, rng
        self.taken: set[str] = set()
        self.phenomena: dict[str, Callable[[Topic], Mirrored]] = {
            "agreement": self.agreement,
            "agreement-attractor": self.attractor,
            "agreement-relative": self.relative,
            "anaphor-gender": self.anaphor_gender,
            "anaphor-number": self.anaphor_number,
            "determiner-noun": self.determiner_noun,
            "tense-adverb": self.tense_adverb,
        }

    def draw(self, phenomenon: str, topic: Topic) -> Mirrored:
        """Two mirrored pairs of new sentences; ValueError if none are drawn in ATTEMPTS attempts."""
        for _ in range(ATTEMPTS):
            pairs = self.phenomena[phenomenon](topic)
            keys = {sentence.key for pair in pairs for sentence in (pair.right, pair.wrong)}
            if len(keys) == 4 and not keys & self.taken:
                self.taken |= keys
                return pairs
        raise ValueError(f"sblimp: no new pair of {phenomenon} in {ATTEMPTS} attempts; ask for fewer pairs")

    def _story(self, topic: Topic, tense: str = "present") -> Story:
        return Story(self.lexicon, topic, tense, named_couple(self.lexicon, self.rng), self.rng, grammar=self.grammar)

    def _mirror(self, build: Callable[[bool, bool], Sequence[str]]) -> Mirrored:
        """Mirrored pairs of `build(first, second)`, which is right if its arguments are equal."""

        def sentence(first: bool, second: bool) -> Sentence:
            return Sentence((*build(first, second), "."))

        return (
            Pair(sentence(False, False), sentence(False, True)),
            Pair(sentence(True, True), sentence(True, False)),
        )

    def _ending(self, topic: Topic) -> list[str]:
        place = pick(self.rng, topic.places).split()
        manner = [pick(self.rng, self.lexicon.adverbs["manner"])]
        return pick(self.rng, ([], place, manner), (0.6, 0.2, 0.2))

    def _person(self, topic: Topic, *, shared: bool = True) -> Noun:
        humans = [noun for nouns in self.lexicon.humans.values() for noun in nouns]
        return pick(self.rng, humans if shared and self.rng.random() < 0.3 else topic.people)

    def agreement(self, topic: Topic) -> Mirrored:
        """The cook chops / *chop the onions."""
        story, person, verb = self._story(topic), self._person(topic), pick(self.rng, topic.do)
        rest = [*story.object_phrase(verb.groups), *self._ending(topic)]
        return self._mirror(lambda noun, ending: ["the", _form(person, noun), _present(verb.forms, ending), *rest])

    def attractor(self, topic: Topic) -> Mirrored:
        """The lamp near the windows is / *are old; in half of the pairs the two nouns have different numbers."""
        other = bool(self.rng.random() < 0.5)
        things = [noun for noun in topic.things if noun.located and noun.plural]
        first, second = (things[i] for i in self.rng.permutation(len(things))[:2])
        preposition = pick(self.rng, self.lexicon.prepositions).split()
        tense = pick(self.rng, ("present", "past"), (0.7, 0.3))
        own = [a.word for a in topic.be if first.group in a.groups]
        quality = pick(self.rng, own or [a.word for a in self.lexicon.adjectives["thing"]])
        return self._mirror(
            lambda noun, verb: [
                *(
                    "the",
                    _form(first, noun),
                    *preposition,
                    "the",
                    _form(second, noun != other),
                    *be(verb, tense),
                    quality,
                )
            ]
        )

    def relative(self, topic: Topic) -> Mirrored:
        """The cook who thanks the bakers chops / *chop the onions; numbers as with attractors."""
        different = bool(self.rng.random() < 0.5)
        story, verb = self._story(topic), pick(self.rng, topic.do)
        meet = pick(self.rng, self.lexicon.verbs["meet"])
        person = self._person(topic)
        other = pick(self.rng, [noun for noun in topic.people if noun != person])
        rest = story.object_phrase(verb.groups)
        return self._mirror(
            lambda noun, ending: [
                *(
                    "the",
                    _form(person, noun),
                    "who",
                    _present(meet.forms, noun),
                    "the",
                    _form(other, noun != different),
                ),
                *(_present(verb.forms, ending), *rest),
            ]
        )

    def anaphor_gender(self, topic: Topic) -> Mirrored:
        """Anna enjoys herself / *himself."""
        women, men = self._man_and_woman()
        tense = pick(self.rng, TENSES, TENSE_SHARES)
        verb = pick(self.rng, self.lexicon.verbs["reflect"])
        group = {"present": [verb.third], "past": [verb.past], "future": ["will", verb.base]}[tense]
        before, after = self._when_and_where(topic, tense)
        return self._mirror(
            lambda man, himself: [
                *(*before, *(men if man else women), *group, "himself" if himself else "herself", *after)
            ]
        )

    def _man_and_woman(self) -> tuple[list[str], list[str]]:
        word_type = pick(self.rng, ("name", "human"), (0.6, 0.4))
        if word_type == "name":
            female, male = (pick(self.rng, self.lexicon.names[g]) for g in ("female", "male"))
            return [female], [male]
        index = int(self.rng.integers(len(self.lexicon.humans["female"])))
        female, male = (self.lexicon.humans[g][index].singular for g in ("female", "male"))
        return ["the", female], ["the", male]

    def _when_and_where(self, topic: Topic, tense: str) -> tuple[list[str], list[str]]:
        when = [*pick(self.rng, self.lexicon.times[tense]).split(), ","]
        where = pick(self.rng, topic.places).split()
        return pick(self.rng, (([], where), (when, []), (when, where)), (0.5, 0.2, 0.3))

    def anaphor_number(self, topic: Topic) -> Mirrored:
        """The girl enjoyed herself / *themselves."""
        gender = pick(self.rng, ("female", "male"), (0.5, 0.5))
        noun = pick(self.rng, self.lexicon.humans[gender])
        singular = Subject(False, gender).pronouns[3]
        tense = pick(self.rng, ("past", "present", "future"), (0.4, 0.4, 0.2))
        verb = pick(self.rng, self.lexicon.verbs["reflect"])
        group = {"past": (verb.past,), "future": ("will", verb.base)}
        before, after = self._when_and_where(topic, tense)
        return self._mirror(
            lambda subject, self_: [
                *(*before, "the", _form(noun, subject)),
                *group.get(tense, (_present(verb.forms, subject),)),
                *("themselves" if self_ else singular, *after),
            ]
        )

    def determiner_noun(self, topic: Topic) -> Mirrored:
        """Anna chops this onion / *these onion."""
        verb = pick(self.rng, [v for v in topic.do if _countable(topic, v.groups)])
        noun = pick(self.rng, _countable(topic, verb.groups))
        name = pick(self.rng, self.lexicon.names[pick(self.rng, ("female", "male"), (0.5, 0.5))])
        tense = pick(self.rng, TENSES, TENSE_SHARES)
        group = {"present": [verb.third], "past": [verb.past], "future": ["will", verb.base]}[tense]
        rest = self._ending(topic)
        return self._mirror(
            lambda thing, these: [name, *group, "these" if these else "this", _form(noun, thing), *rest]
        )

    def tense_adverb(self, topic: Topic) -> Mirrored:
        """Yesterday, Anna chopped / *will chop the onion."""
        story, verb = self._story(topic), pick(self.rng, topic.do)
        name = pick(self.rng, self.lexicon.names[pick(self.rng, ("female", "male"), (0.5, 0.5))])
        when = {
            tense: pick(self.rng, [t for t in self.lexicon.times[tense] if t.split()[0] in first]).split()
            for tense, first in MARKED.items()
        }
        rest = story.object_phrase(verb.groups)
        return self._mirror(
            lambda later, will: [
                *(*when["future" if later else "past"], ",", name),
                *(["will", verb.base] if will else [verb.past]),
                *rest,
            ]
        )


def _form(noun: Noun, plural: bool) -> str:
    return str(noun.plural) if plural else noun.singular


def _present(forms: Sequence[str], plural: bool) -> str:
    return forms[0] if plural else forms[1]


def _countable(topic: Topic, groups: Sequence[str]) -> list[Noun]:
    return [noun for noun in topic.things if noun.group in groups and noun.plural]


@dataclass(frozen=True)
class StoryWithEnding:
    """A story of a topic: its sentences without the ending, and the ending."""

    topic: str
    context: tuple[Sentence, ...]
    ending: Sentence


class TopicPairs:
    """Draws couples of stories with exchangeable endings: same cast, same tense, other topic.

    Both endings are drawn with the same random numbers, so that they are the same sentence with words of the same
    frequency ranks of either topic. Otherwise their own probabilities would differ so much that the topic seldom
    decided a pair.
    """

    def __init__(self, lexicon: Lexicon, grammar: Grammar, rng: np.random.Generator, taken: set[str]):
        self.lexicon, self.grammar, self.rng, self.taken = lexicon, grammar, rng, taken

    def draw(self, topics: tuple[Topic, Topic]) -> tuple[StoryWithEnding, StoryWithEnding]:
        """Two stories of new sentences; ValueError if none are drawn in ATTEMPTS attempts."""
        cast = named_couple(self.lexicon, self.rng)
        tense = pick(self.rng, TENSES, TENSE_SHARES)
        stories = [Story(self.lexicon, topic, tense, replace(cast), self.rng, grammar=self.grammar) for topic in topics]
        contexts = [self._context(story) for story in stories]
        endings = self._endings(stories)
        first, second = (
            StoryWithEnding(story.topic.name, context, ending)
            for story, context, ending in zip(stories, contexts, endings, strict=True)
        )
        return first, second

    def _context(self, story: Story) -> tuple[Sentence, ...]:
        parts = ("opening", *["middle"] * int(self.rng.integers(1, 4)))
        sentences = [self._new(story, part) for part in parts]
        while not story.introduced:  # the pronoun of the ending needs a referent
            sentences[-1] = self._new(story, "middle")
        return tuple(sentences)

    def _new(self, story: Story, part: str) -> Sentence:
        sentence = story.new_sentence(part, self.taken)
        self.taken.add(sentence.key)
        return sentence

    def _endings(self, stories: Sequence[Story]) -> list[Sentence]:
        for _ in range(ATTEMPTS):
            seed = int(self.rng.integers(2**32))
            endings = []
            for story in stories:
                story.rng = np.random.default_rng(seed)
                endings.append(story.sentence("cloze"))
            keys = {ending.key for ending in endings}
            if len(keys) == len(stories) and not keys & self.taken and alike(*endings):
                self.taken |= keys
                return endings
        names = " and ".join(story.topic.name for story in stories)
        raise ValueError(f"topic-storycloze: {names}: no new endings in {ATTEMPTS} attempts; ask for fewer pairs")


def alike(first: Sentence, second: Sentence) -> bool:
    """Whether two sentences have the same number of words, and numbers of letters within MAX_LETTERS."""
    letters = [sum(map(len, sentence.words)) for sentence in (first, second)]
    return len(first.words) == len(second.words) and abs(letters[0] - letters[1]) <= MAX_LETTERS
