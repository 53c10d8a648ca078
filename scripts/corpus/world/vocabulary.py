"""The words of the world: topics, inflections and, at run time, CMUdict's pronunciations.

The word lists of the lexicon `small` are in `resources/world/small/{topics,shared}.yaml`, whose comments describe them,
those of `full` beside them. The nouns of `resources/world/planted.yaml` belong to every lexicon and occur in planted
sentences alone. The spelling rules below give most inflected forms, `irregular` in shared.yaml the others. A word has
its first pronunciation in CMUdict, except for function words with a `reduced` pronunciation in shared.yaml, which is
one of CMUdict's too. All pronunciations are therefore in the aligner's lexicon.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common import files
from scripts.common.places import ROOT
from scripts.corpus.pronounce import cmudict_entries

WORLD = ROOT / "resources/world"
VOWELS = "aeiou"
PROGRESSIVES = 3  # verbs of a topic that have an -ing form: few, so that each form is frequent


@dataclass(frozen=True)
class Noun:
    """A noun; `plural` is None for a mass noun, `gender` is "female", "male" or None.

    `located` is false for abstract things (a melody), `handled` for things that cannot be carried.
    """

    singular: str
    plural: str | None
    group: str
    handled: bool = True
    located: bool = True
    gender: str | None = None

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.singular, self.plural) if self.plural else (self.singular,)


@dataclass(frozen=True)
class Verb:
    """A verb and the groups of things that it goes with (empty for verbs that all topics share).

    `ing` is None if the grammar does not use the progressive: only the first PROGRESSIVES verbs of a topic have it.
    """

    base: str
    third: str
    past: str
    ing: str | None = None
    groups: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.base, self.third, self.past, *([self.ing] if self.ing else []))


@dataclass(frozen=True)
class Adjective:
    """An adjective and the groups of things that it describes (empty for shared ones)."""

    word: str
    groups: tuple[str, ...] = ()

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.word,)


@dataclass(frozen=True)
class Topic:
    """The words of one topic; `places` are phrases."""

    name: str
    places: tuple[str, ...]
    people: tuple[Noun, ...]
    things: tuple[Noun, ...]
    do: tuple[Verb, ...]
    happen: tuple[Verb, ...]
    be: tuple[Adjective, ...]


@dataclass(frozen=True)
class Lexicon:
    """All words that the grammar uses.

    Attributes:
        topics: by name, in the file's order.
        names: by gender.
        kin, humans: nouns for persons by gender.
        verbs: shared verbs by use (perceive, handle, meet, reflect, act, say, plan).
        adjectives: shared adjectives by use (thing, color, person, feeling).
        adverbs: by use (manner, frequency, degree).
        times: time adverbials by tense (present, past, future, now).
        reduced: function word -> its unstressed pronunciation.
        planted: nouns that only planted sentences hold, in the singular.
    """

    topics: dict[str, Topic]
    names: dict[str, tuple[str, ...]]
    kin: dict[str, tuple[Noun, ...]]
    humans: dict[str, tuple[Noun, ...]]
    verbs: dict[str, tuple[Verb, ...]]
    adjectives: dict[str, tuple[Adjective, ...]]
    adverbs: dict[str, tuple[str, ...]]
    numbers: tuple[str, ...]
    times: dict[str, tuple[str, ...]]
    prepositions: tuple[str, ...]
    reduced: dict[str, str]
    planted: tuple[str, ...]

    def entries(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """(part of speech, forms) of every content word that is not planted; forms[0] is a dictionary's."""
        for topic in self.topics.values():
            yield from (("noun", noun.forms) for noun in (*topic.people, *topic.things))
            yield from (("verb", verb.forms) for verb in (*topic.do, *topic.happen))
            yield from (("adjective", adjective.forms) for adjective in topic.be)
            yield from (("noun", (place.split()[-1],)) for place in topic.places)
        for nouns in (*self.kin.values(), *self.humans.values()):
            yield from (("noun", noun.forms) for noun in nouns)
        for verbs in self.verbs.values():
            yield from (("verb", verb.forms) for verb in verbs)
        for adjectives in self.adjectives.values():
            yield from (("adjective", adjective.forms) for adjective in adjectives)
        for adverbs in self.adverbs.values():
            yield from (("adverb", (adverb,)) for adverb in adverbs)

    def content_words(self) -> dict[str, str]:
        """Every dictionary form -> part of speech (the first one listed), in the files' order."""
        words: dict[str, str] = {}
        for part, forms in self.entries():
            words.setdefault(forms[0], part)
        return words

    def content_forms(self) -> list[str]:
        """Every inflected form of every content word, once, in the files' order."""
        return list(dict.fromkeys(form for _, forms in self.entries() for form in forms))

    def phones(self, word: str) -> str:
        """The word's pronunciation; ValueError naming the word if CMUdict has none."""
        word = word.lower()
        if word in self.reduced:
            return self.reduced[word]
        pronunciations = cmudict_entries().get(word)
        if not pronunciations:
            raise ValueError(f"{WORLD}: the word {word!r} is not in CMUdict; every word of the world must be")
        return " ".join(pronunciations[0])


def strip_stress(phones: Iterable[str]) -> tuple[str, ...]:
    """Phones without stress digits."""
    return tuple(phone.rstrip("012") for phone in phones)


def add_s(word: str) -> str:
    """The -s form of a noun or a verb."""
    if re.search(r"(s|x|z|ch|sh|[^aeiou]o)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    if word.endswith("ife"):
        return word[:-2] + "ves"
    return word + "s"


def _stem(verb: str) -> str:
    """The verb before -ed or -ing: the last consonant doubled after one short stressed vowel."""
    one_vowel = len(re.findall(r"[aeiouy]+", verb)) == 1
    if one_vowel and re.search(r"[^aeiou][aeiou][^aeiouwxy]$", verb):
        return verb + verb[-1]
    return verb


def add_ed(verb: str) -> str:
    """The regular past."""
    if verb.endswith("e"):
        return verb + "d"
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ied"
    return _stem(verb) + "ed"


def add_ing(verb: str) -> str:
    """The -ing form."""
    if verb.endswith("e") and not verb.endswith("ee"):
        return verb[:-1] + "ing"
    return _stem(verb) + "ing"


def _words(text: object, where: str) -> tuple[str, ...]:
    """A comma-separated list; ValueError naming `where` if it is something else or empty."""
    if not isinstance(text, str) or not all(word.strip() for word in text.split(",")):
        raise ValueError(f"{where}: expected words separated by commas, found {text!r}")
    return tuple(word.strip() for word in text.split(","))


class _Reader:
    """Converts words of the YAML files to nouns, verbs and adjectives."""

    def __init__(self, irregular: dict[str, dict[str, str]]):
        self.irregular = irregular

    def noun(self, word: str, group: str, *, gender: str | None = None) -> Noun:
        singular = word.rstrip("~")
        plural = None if word.endswith("~") else self.irregular["plural"].get(word, add_s(word))
        handled, located = not group.endswith("!"), not group.endswith("!!")
        return Noun(singular, plural, group.rstrip("!"), handled, located, gender)

    def persons(self, words: object, where: str, gender: str | None = None) -> tuple[Noun, ...]:
        return tuple(self.noun(word, "people!", gender=gender) for word in _words(words, where))

    def verb(self, base: str, groups: tuple[str, ...] = (), *, progressive: bool = False) -> Verb:
        past = self.irregular["past"].get(base, add_ed(base))
        ing = self.irregular["ing"].get(base, add_ing(base)) if progressive else None
        return Verb(base, add_s(base), past, ing, groups)

    def topic(self, name: str, section: dict[str, Any], where: str) -> Topic:
        where = f"{where}: {name}"
        keys = {"places", "people", "things", "do", "happen", "be"}
        if not isinstance(section, dict) or set(section) != keys:
            raise ValueError(f"{where}: expected the keys {sorted(keys)}")
        things = tuple(
            self.noun(word, group)
            for group, words in section["things"].items()
            for word in _words(words, f"{where}.things.{group}")
        )
        known = {noun.group for noun in things}

        def groups(part: str, word: str) -> tuple[str, ...]:
            names = _words(section[part][word], f"{where}.{part}.{word}")
            for group in names:
                if group not in known:
                    raise ValueError(f"{where}.{part}.{word}: no group {group!r} among the things")
            return names

        return Topic(
            name=name,
            places=tuple(section["places"]),
            people=self.persons(section["people"], f"{where}.people"),
            things=things,
            do=tuple(
                self.verb(word, groups("do", word), progressive=index < PROGRESSIVES)
                for index, word in enumerate(section["do"])
            ),
            happen=tuple(self.verb(word, groups("happen", word)) for word in section["happen"]),
            be=tuple(Adjective(word, groups("be", word)) for word in section["be"]),
        )


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping that the file holds; ValueError naming the file if it is not YAML or not a mapping."""
    content = files.read_yaml(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected keys at the top level")
    return content


def planted_lines(world: Path) -> list[dict[str, str]]:
    """The couples of planted.yaml as they stand there; ValueError naming the file if they are no such list."""
    path = world / "planted.yaml"
    lines = read_yaml(path).get("couples")
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise ValueError(f"{path}: expected a list of mappings under the key couples")
    return lines


def load_lexicon(name: str, world: Path = WORLD) -> Lexicon:
    """Read topics.yaml and shared.yaml of the lexicon with this name, and the words of planted.yaml.

    Raises:
        FileNotFoundError: one of them is missing.
        ValueError: naming file and key, if one cannot be read as described in its comments, or naming
            the word, if a content word or a reduced pronunciation is not CMUdict's, or if a planted word is also
            another word of the lexicon.
    """
    folder = world / name
    shared = read_yaml(folder / "shared.yaml")
    where = str(folder / "shared.yaml")
    try:
        reader = _Reader(shared["irregular"])
        lexicon = Lexicon(
            topics={
                name: reader.topic(name, section, str(folder / "topics.yaml"))
                for name, section in read_yaml(folder / "topics.yaml").items()
            },
            names={gender: _words(words, f"{where}: names.{gender}") for gender, words in shared["names"].items()},
            kin={
                gender: reader.persons(words, f"{where}: kin.{gender}", gender)
                for gender, words in shared["kin"].items()
            },
            humans={
                gender: reader.persons(ws, f"{where}: humans.{gender}", gender)
                for gender, ws in shared["humans"].items()
            },
            verbs={
                use: tuple(reader.verb(w) for w in _words(ws, f"{where}: verbs.{use}"))
                for use, ws in shared["verbs"].items()
            },
            adjectives={
                use: tuple(Adjective(w) for w in _words(ws, where)) for use, ws in shared["adjectives"].items()
            },
            adverbs={use: _words(ws, f"{where}: adverbs.{use}") for use, ws in shared["adverbs"].items()},
            numbers=_words(shared["numbers"], f"{where}: numbers"),
            times={tense: tuple(phrases) for tense, phrases in shared["times"].items()},
            prepositions=tuple(shared["prepositions"]),
            reduced=dict(shared["reduced"]),
            planted=tuple(str(word).replace("-", "") for line in planted_lines(world) for word in line),
        )
    except KeyError as error:
        raise ValueError(f"{where}: the key {error} is missing") from None
    for word, phones in lexicon.reduced.items():
        if phones.split() not in cmudict_entries().get(word, []):
            raise ValueError(f"{where}: reduced.{word}: {phones!r} is not one of CMUdict's pronunciations")
    forms = lexicon.content_forms()
    for word in forms:
        lexicon.phones(word)
    if both := set(forms) & set(lexicon.planted):
        raise ValueError(f"{world / 'planted.yaml'}: {min(both)!r} is also a word of {folder}")
    return lexicon
