"""What the written world itself says of a continuation, without any language model: its topic and its grammar.

Topic: of the words that only one topic has, the share that are the prompt's topic's. Grammar, whole: the share of words
that stand in sentences of the world (`scripts.corpus.world.acceptor`); what was heard has no full stops, so words are
counted and not sentences. Grammar, local: words are reduced to what the lexicon knows of them (singular noun, verb in
the third person, a function word as itself ...), and every sequence of three such classes is looked for in newly
written text of the world.
"""

from collections.abc import Iterator, Sequence

from scripts.common.seeds import generator
from scripts.corpus.world.acceptor import Acceptor
from scripts.corpus.world.lexicon import WORLD, Adjective, Lexicon, Noun, Verb, load_lexicon
from scripts.corpus.world.story import load_grammar
from scripts.corpus.world.write import write_paragraphs

HOURS = 3.0  # of text that patterns are taken from; real continuations of the miniature have 98% of theirs in it
RATE = 180.0
PATTERN = 3  # words
VERB_FORMS = ("base", "third", "past", "ing")
NOUN_FORMS = ("singular", "plural")


class World:
    """Topics and patterns of the world that this repository writes.

    Args:
        seed: of the text that patterns are taken from.
    """

    def __init__(self, seed: int):
        lexicon, grammar = load_lexicon(WORLD), load_grammar(WORLD)
        self.acceptor = Acceptor(lexicon, grammar)
        self.topic_of = topic_words(lexicon)
        self.classes = word_classes(lexicon)
        rng = generator(seed, "continuation", "patterns")
        paragraphs = write_paragraphs(lexicon, grammar, HOURS, RATE, rng, set())
        texts = ([word for sentence in p.sentences for word in sentence.words] for p in paragraphs)
        self.patterns = {pattern for words in texts for pattern in self._patterns(words)}

    def on_topic(self, words: Sequence[str], topic: str) -> float | None:
        """Share of the words with a topic that have this one; None if no word has any."""
        found = [self.topic_of[word] for word in words if word in self.topic_of]
        return sum(one == topic for one in found) / len(found) if found else None

    def in_sentences(self, words: Sequence[str], before: Sequence[str]) -> float | None:
        """Share of the words that stand in sentences of the world, the first of which may have begun with the words
        `before` and the last of which may be cut off; None without words.
        """
        flags = self.acceptor.inside([*before, *words])[len(before) :]
        return sum(flags) / len(flags) if flags else None

    def known_patterns(self, words: Sequence[str]) -> float | None:
        """Share of three-word patterns that the world's own text has; None under three words."""
        found = [pattern in self.patterns for pattern in self._patterns(words)]
        return sum(found) / len(found) if found else None

    def _patterns(self, words: Sequence[str]) -> Iterator[tuple[frozenset[str], ...]]:
        classes = [self.classes.get(word, frozenset([word])) for word in words]
        return (tuple(classes[i : i + PATTERN]) for i in range(len(classes) - PATTERN + 1))


def topic_words(lexicon: Lexicon) -> dict[str, str]:
    """Word form -> its topic, of content words that exactly one topic lists."""
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
    """Word form -> all that it can be; function words are not in it."""
    found: dict[str, set[str]] = {}
    for part, forms in lexicon.entries():
        names = {"noun": NOUN_FORMS, "verb": VERB_FORMS}.get(part, (part,))
        for name, form in zip(names, forms, strict=False):
            found.setdefault(form, set()).add(name)
    for gender, names in lexicon.names.items():
        for name in names:
            found.setdefault(name.lower(), set()).add(f"name-{gender}")
    return {form: frozenset(classes) for form, classes in found.items()}
