"""Measures of a continuation by the lexicon and grammar of the world, without a language model.

Topic: among the words that belong to a single topic, the share that belongs to the prompt's topic. Sentences: the share
of words in sentences of the world (`scripts.corpus.world.acceptor`); transcripts have no punctuation, so words are
counted instead of sentences. Patterns: words are mapped to their classes in the lexicon (singular noun, verb in the
third person, function words to themselves ...), and the share of sequences of three classes that occur in generated
text of the world is counted.
"""

from collections.abc import Iterator, Sequence

from scripts.common.seeds import generator
from scripts.corpus.world.acceptor import Acceptor
from scripts.corpus.world.planting import Planting
from scripts.corpus.world.story import load_grammar
from scripts.corpus.world.vocabulary import WORLD, Adjective, Lexicon, Noun, Verb, load_lexicon
from scripts.corpus.world.write import write_paragraphs

HOURS = 6.0  # of generated text for the patterns
RATE = 180.0
PLANTED = 16  # occurrences of every planted word in it
PATTERN = 3  # words
VERB_FORMS = ("base", "third", "past", "ing")
NOUN_FORMS = ("singular", "plural")


class WorldMeasures:
    """Topics, grammar and patterns of the world.

    Args:
        name: name of its lexicon.
        seed: seed of the text from which the patterns are collected.
    """

    def __init__(self, name: str, seed: int):
        lexicon, grammar = load_lexicon(name), load_grammar(WORLD)
        self.acceptor = Acceptor(lexicon, grammar)
        self.topic_of = topic_words(lexicon)
        self.classes = word_classes(lexicon)
        rng = generator(seed, "continuation", "patterns")
        planting = Planting(dict.fromkeys(lexicon.planted, PLANTED), rng)
        paragraphs = write_paragraphs(lexicon, grammar, HOURS, RATE, rng, set(), planting)
        texts = ([word for sentence in p.sentences for word in sentence.words] for p in paragraphs)
        self.patterns = {pattern for words in texts for pattern in self._patterns(words)}

    def on_topic(self, words: Sequence[str], topic: str) -> float | None:
        """Share of this topic among the words with a topic; None if no word has one."""
        word_topics = [self.topic_of[word] for word in words if word in self.topic_of]
        return sum(name == topic for name in word_topics) / len(word_topics) if word_topics else None

    def in_sentences(self, words: Sequence[str], before: Sequence[str]) -> float | None:
        """Share of the words in sentences of the world; the first sentence may begin with the words `before`, and the
        last may be incomplete. None without words.
        """
        flags = self.acceptor.inside([*before, *words])[len(before) :]
        return sum(flags) / len(flags) if flags else None

    def known_patterns(self, words: Sequence[str]) -> float | None:
        """Share of three-word patterns that occur in text of the world; None under three words."""
        known = [pattern in self.patterns for pattern in self._patterns(words)]
        return sum(known) / len(known) if known else None

    def _patterns(self, words: Sequence[str]) -> Iterator[tuple[frozenset[str], ...]]:
        classes = [self.classes.get(word, frozenset([word])) for word in words]
        return (tuple(classes[i : i + PATTERN]) for i in range(len(classes) - PATTERN + 1))


def topic_words(lexicon: Lexicon) -> dict[str, str]:
    """Word form -> topic, for content words of exactly one topic."""
    owners: dict[str, set[str]] = {}
    for name, topic in lexicon.topics.items():
        words: list[Noun | Verb | Adjective] = [*topic.people, *topic.things, *topic.do, *topic.happen, *topic.be]
        for word in words:
            for form in word.forms:
                owners.setdefault(form, set()).add(name)
    everywhere: list[Noun | Verb | Adjective] = [
        *(noun for nouns in (*lexicon.kin.values(), *lexicon.humans.values()) for noun in nouns),
        *(verb for verbs in lexicon.verbs.values() for verb in verbs),
        *(adjective for adjectives in lexicon.adjectives.values() for adjective in adjectives),
    ]
    shared = {form for word in everywhere for form in word.forms}
    return {form: min(names) for form, names in owners.items() if len(names) == 1 and form not in shared}


def word_classes(lexicon: Lexicon) -> dict[str, frozenset[str]]:
    """Word form -> its possible classes; function words are not included."""
    classes_of: dict[str, set[str]] = {}
    for part, forms in lexicon.entries():
        names = {"noun": NOUN_FORMS, "verb": VERB_FORMS}.get(part, (part,))
        for name, form in zip(names, forms, strict=False):
            classes_of.setdefault(form, set()).add(name)
    for word in lexicon.planted:
        classes_of.setdefault(word, set()).add(NOUN_FORMS[0])
    for gender, names in lexicon.names.items():
        for name in names:
            classes_of.setdefault(name.lower(), set()).add(f"name-{gender}")
    return {form: frozenset(classes) for form, classes in classes_of.items()}
