"""Generate the items of the topic task: couples of stories that exchange their endings, by distance.

Two stories of different topics, with one cast and one tense, are generated from the same templates. Their endings are
one sentence but for one word, the *target*, which differs as the topics do. Each target stands once after its own
story, where it is right, and once after the other, where it is wrong, so that differences between the targets cancel.

The *cue* is the last word of the topic before the target, the distance the number of words from the one to the other.
In the stratum `in-sentence` the cue is the verb whose object is the target, in a story without another word of the
topic; in `one-back` it is in the sentence before the ending, the only one about the topic; in `two-back-or-more` one to
three sentences without a word of the topic, the same in both stories, stand between.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scripts.corpus.world.grammar import TENSE_SHARES, TENSES, CuedPair, Sentence, named_couple, pick
from scripts.corpus.world.story import Grammar, Story
from scripts.corpus.world.vocabulary import Adjective, Lexicon, Noun, Topic, Verb

SHARES = {"in-sentence": 1.0, "one-back": 1.0, "two-back-or-more": 1.0}  # of the couples, by stratum
MAX_LETTERS = 2  # by which two targets may differ
ATTEMPTS, ENDINGS = 100, 20  # draws of a couple of contexts before an error, and of endings for each


@dataclass(frozen=True)
class TopicItem(CuedPair):
    """A story of a topic with the right and with the wrong ending; `cue` and `target` count the words of the story."""

    topic: str
    context: tuple[Sentence, ...]


TopicCouple = tuple[TopicItem, TopicItem]


class TopicPairs:
    """Draws couples of stories of each stratum.

    Endings and sentences about a topic occur in one couple only; sentences without a word of the topic may recur.
    """

    def __init__(self, lexicon: Lexicon, grammar: Grammar, rng: np.random.Generator):
        self.lexicon, self.rng = lexicon, rng
        about = {f"about-{part}": tuple(t for t in grammar[part] if not t.is_neutral) for part in ("opening", "middle")}
        neutral = tuple(template for template in grammar["middle"] if template.is_neutral)
        self.grammar = {**grammar, **about, "neutral": neutral}
        self.taken: set[str] = set()

    def draw(self, stratum: str, topics: tuple[Topic, Topic]) -> TopicCouple | None:
        """Two items that exchange their targets; None if no new ones are drawn in ATTEMPTS attempts."""
        for _ in range(ATTEMPTS):
            couple = self._couple(stratum, topics)
            if couple is not None:
                return couple
        return None

    def _plan(self, stratum: str) -> list[str]:
        """Parts of the grammar that the context's sentences come from."""
        if stratum == "in-sentence":
            return ["neutral"]
        if stratum == "one-back":
            return pick(self.rng, (["neutral", "about-middle"], ["about-opening"]), (0.6, 0.4))
        about = pick(self.rng, (["about-opening"], ["about-opening", "about-middle"]), (0.5, 0.5))
        return [*about, *["neutral"] * int(self.rng.integers(1, 4))]

    def _couple(self, stratum: str, topics: tuple[Topic, Topic]) -> TopicCouple | None:
        cast, tense = named_couple(self.lexicon, self.rng), pick(self.rng, TENSES, TENSE_SHARES)
        stories = [Story(self.lexicon, topic, tense, cast, self.rng, grammar=self.grammar) for topic in topics]
        contexts: list[tuple[Sentence, ...]] = [(), ()]
        taken = set(self.taken)
        for part in self._plan(stratum):
            sentences = self._parallel(stories, part)
            keys = {sentence.key for sentence in sentences}
            if not stories[0].introduced or not stories[1].introduced or keys & taken:
                return None  # the first sentence names the two, whom "they" of a later one means
            contexts = [(*context, sentence) for context, sentence in zip(contexts, sentences, strict=True)]
            taken |= keys
        local = stratum == "in-sentence"
        for _ in range(ENDINGS):
            endings = self._parallel(stories, "cloze-local" if local else "cloze")
            targets = self._targets(endings, topics, local=local)
            if targets is None:
                continue
            couple = (
                _item(topics[0], contexts[0], endings[0], targets),
                _item(topics[1], contexts[1], endings[1], (targets[0], targets[2], targets[1])),
            )
            keys = {sentence.key for item in couple for sentence in (item.right, item.wrong)}
            if couple[0].distance == couple[1].distance and not keys & taken:
                about = {s.key for pair in zip(*contexts, strict=True) if pair[0] != pair[1] for s in pair}
                self.taken |= keys | about
                return couple
        return None

    def _parallel(self, stories: Sequence[Story], part: str) -> tuple[Sentence, Sentence]:
        """A sentence of each story, with the same random numbers: one template, words of the same frequency ranks."""
        seed = int(self.rng.integers(2**32))
        sentences = []
        for story in stories[:1] if part == "neutral" else stories:
            story.rng = np.random.default_rng(seed)
            sentences.append(story.sentence(part))
        first, second = sentences[0], sentences[-1]
        for story, sentence in zip(stories, (first, second), strict=True):
            story.introduced = stories[0].introduced
            story.word_counts.update(sentence.words)
        return first, second

    def _targets(
        self, endings: tuple[Sentence, Sentence], topics: tuple[Topic, Topic], *, local: bool
    ) -> tuple[int, str, str] | None:
        """Index of the target in both endings and the two targets; None if anything else tells the topics apart.

        With `local`, the verb before the target differs too.
        """
        words = [ending.words for ending in endings]
        if len(words[0]) != len(words[1]):
            return None
        differing = [i for i, (one, other) in enumerate(zip(*words, strict=True)) if one != other]
        if len(differing) != (2 if local else 1):
            return None
        place = differing[-1]
        first, second = words[0][place], words[1][place]
        own, opposite = (topic_words(topic) for topic in topics)
        known = (set(words[0]) | set(words[1])) & (own | opposite)
        if known != {each[i] for each in words for i in differing}:
            return None
        if first not in own - opposite or second not in opposite - own or abs(len(first) - len(second)) > MAX_LETTERS:
            return None
        if local:
            verbs = [each[differing[0]] for each in words]
            if self._suits(verbs[0], second) or self._suits(verbs[1], first):
                return None
        return place, first, second

    def _suits(self, verb: str, thing: str) -> bool:
        """Whether some topic does this to that; true of what is no verb of a topic."""
        known = [(topic, one) for topic in self.lexicon.topics.values() for one in topic.do if verb in one.forms]
        return not known or any(
            thing in noun.forms and noun.group in one.groups for topic, one in known for noun in topic.things
        )


def topic_words(topic: Topic) -> set[str]:
    """Every form of every word that belongs to the topic."""
    words: tuple[Noun | Verb | Adjective, ...] = (*topic.people, *topic.things, *topic.do, *topic.happen, *topic.be)
    return {form for word in words for form in word.forms} | {place.split()[-1] for place in topic.places}


def _item(topic: Topic, context: tuple[Sentence, ...], ending: Sentence, targets: tuple[int, str, str]) -> TopicItem:
    """The item of a story; `targets` are the target's index in the ending, the right one and the wrong one."""
    place, right, wrong = targets
    replaced = Sentence(tuple(wrong if token == right else token for token in ending.tokens))
    words = [word for sentence in (*context, ending) for word in sentence.words]
    target = len(words) - len(ending.words) + place
    own = topic_words(topic)
    cue = max(i for i in range(target) if words[i] in own)
    return TopicItem(ending, replaced, cue, target, topic.name, context)
