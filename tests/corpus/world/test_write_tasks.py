import json
import math
import re
from collections import Counter

import pytest

from scripts.common.config import parse
from scripts.corpus.config import Tasks, task_problems
from tests.corpus.world.miniature import SECTION, accuracy, items, lexicon, phones_of, texts, words_of

TASKS = list(SECTION["tasks"])
SENTENCE_TASKS = ["sblimp", "topic-storycloze"]


@pytest.mark.parametrize("task", TASKS)
def test_items_are_the_contract(task):
    found = items(task)
    assert len(found) == SECTION["tasks"][task]["pairs"]
    assert len({item["id"] for item in found}) == len(found)
    for item in found:
        bound = ["couple"] if task in SENTENCE_TASKS else ["couple", "exposure"]
        assert list(item) == ["id", "task", "subset", "group", *bound, "voices", "positive", "negatives"]
        assert len(set(item["voices"])) == SECTION["tasks"][task]["voices"]
        for one in (item["positive"], *item["negatives"]):
            assert re.fullmatch(r"[A-Za-z ,.]+", one["text"])
            assert re.findall(r"[a-z]+", one["text"].lower()) == words_of(one)


def test_voices_take_turns():
    counts = Counter(voice for item in items("swuggy") for voice in item["voices"])
    assert len(counts) == 4
    assert max(counts.values()) - min(counts.values()) <= 4  # the items of a couple have the same voices


# swuggy: tests/corpus/world/test_word_pairs.py

# balance


def _scores(task, score):
    found = items(task)
    return accuracy([score(i["positive"]) for i in found], [score(i["negatives"][0]) for i in found])


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "length", [lambda one: -len(one["text"]), lambda one: -len(phones_of(one)), lambda one: -len(one["words"])]
)
def test_length_says_nothing(task, length):
    assert 0.45 <= _scores(task, length) <= 0.55


def _unigram(symbols, of):
    counts = Counter(symbols)
    total = counts.total() + len(counts)
    return lambda one: sum(math.log((counts[symbol] + 1) / total) for symbol in of(one))


@pytest.mark.parametrize("task", SENTENCE_TASKS)
def test_unigrams_say_nothing(task):
    words = [word for sentence in texts("train") for word in sentence]
    assert 0.45 <= _scores(task, _unigram(words, words_of)) <= 0.55
    letters = " ".join(words)
    assert 0.45 <= _scores(task, _unigram(letters, lambda one: " ".join(words_of(one)))) <= 0.55
    phones = [phone for word in words for phone in lexicon().phones(word).split()]
    assert 0.45 <= _scores(task, _unigram(phones, phones_of)) <= 0.55


# sblimp


def test_phenomena():
    groups = Counter(item["group"] for item in items("sblimp"))
    assert len(groups) >= 4
    assert min(groups.values()) >= 50


@pytest.mark.parametrize("task", SENTENCE_TASKS)
def test_items_come_in_mirrors(task):
    found = items(task)
    for one, other in zip(found[::2], found[1::2], strict=True):
        assert one["id"][:-1] == other["id"][:-1]
        assert one["voices"] == other["voices"]
        difference = Counter(words_of(one["positive"]))
        difference.subtract(words_of(one["negatives"][0]))
        mirrored = Counter(words_of(other["negatives"][0]))
        mirrored.subtract(words_of(other["positive"]))
        assert {w: c for w, c in difference.items() if c} == {w: c for w, c in mirrored.items() if c}


def _ngram_score(order):
    counts: list[Counter] = [Counter() for _ in range(order + 1)]
    for sentence in texts("train"):
        padded = ["<s>"] * (order - 1) + sentence + ["</s>"]
        for i in range(order - 1, len(padded)):
            for n in range(1, order + 1):
                counts[n][tuple(padded[i - n + 1 : i + 1])] += 1
    contexts: list[Counter] = [Counter() for _ in range(order + 1)]
    for n in range(1, order + 1):
        for gram, count in counts[n].items():
            contexts[n][gram[:-1]] += count

    def probability(gram):
        p = (counts[1][gram[-1:]] + 0.5) / (contexts[1][()] + 1000)
        for n in range(2, order + 1):
            context = gram[-n:-1]
            p = (counts[n][gram[-n:]] + 4 * p) / (contexts[n][context] + 4)
        return p

    def score(one):
        padded = ["<s>"] * (order - 1) + words_of(one) + ["</s>"]
        return sum(math.log(probability(tuple(padded[i - order + 1 : i + 1]))) for i in range(order - 1, len(padded)))

    return score


def test_the_world_can_be_learnt():
    score = _ngram_score(3)
    right = {
        group: accuracy(
            [score(i["positive"]) for i in items("sblimp") if i["group"] == group],
            [score(i["negatives"][0]) for i in items("sblimp") if i["group"] == group],
        )
        for group in ("agreement", "determiner-noun")
    }
    assert right["agreement"] > 0.6
    assert right["determiner-noun"] > 0.8


# topic-storycloze


def test_groups_are_the_topics():
    assert {item["group"] for item in items("topic-storycloze")} == set(lexicon().topics)


def _split(item):
    """Sentences of the context, right ending and wrong ending."""
    right = re.findall(r"[^.]+\.", item["positive"]["text"])
    wrong = re.findall(r"[^.]+\.", item["negatives"][0]["text"])
    assert right[:-1] == wrong[:-1]
    return right[:-1], right[-1], wrong[-1]


def test_both_sides_share_the_context():
    for item in items("topic-storycloze"):
        context, right, wrong = _split(item)
        assert 2 <= len(context) <= 4
        assert right != wrong
        assert not re.search(r"\b([Hh]e|[Ss]he|[Hh]is|[Hh]er|[Hh]im)\b", right)


def test_both_endings_are_the_same_sentence_of_two_topics():
    lengths = []
    for item in items("topic-storycloze"):
        _, *endings = _split(item)
        words = [re.findall(r"[a-z]+", ending.lower()) for ending in endings]
        letters = [sum(map(len, found)) for found in words]
        assert len(words[0]) == len(words[1])
        assert abs(letters[0] - letters[1]) <= 2
        lengths.append(letters[0] - letters[1])
        assert set(words[0]) != set(words[1])
    assert sum(lengths) == 0  # mirrored


def test_the_topic_tells_the_endings_apart():
    topics = {
        topic.name: {form for entry in (*topic.things, *topic.people, *topic.do, *topic.happen) for form in entry.forms}
        for topic in lexicon().topics.values()
    }

    def overlap(item, ending):
        return len(topics[item["group"]] & set(re.findall(r"[a-z]+", ending.lower())))

    found = [(item, *_split(item)[1:]) for item in items("topic-storycloze")]
    assert accuracy([overlap(i, r) for i, r, _ in found], [overlap(i, w) for i, _, w in found]) > 0.95


# configuration

WORDS = {"pairs": 8, "voices": 1, "exposures": [1, 4]}


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (
            {"rhymes": {"pairs": 10, "voices": 1}},
            "corpus.world.tasks.rhymes is not a known key; known here: swuggy",
        ),
        ({"sblimp": {"pairs": 0, "voices": 1}}, "corpus.world.tasks.sblimp.pairs is 0"),
        ({"sblimp": {"pairs": 7, "voices": 1}}, "corpus.world.tasks.sblimp.pairs is 7"),
        ({"swuggy": WORDS | {"voices": 5}}, "corpus.world.tasks.swuggy.voices is 5"),
        ({"swuggy": WORDS | {"pairs": 11}}, "corpus.world.tasks.swuggy.pairs is 11; it must be a multiple of 2"),
        (
            {"swuggy": WORDS | {"pairs": 10}},
            "swuggy.pairs is 10; it must be a multiple of 4 (mirrored twos, as many for",
        ),
        (
            {"swuggy": WORDS | {"exposures": [4, 1]}},
            "swuggy.exposures is [4, 1]; each must be greater than the one before",
        ),
        (
            {"swuggy": WORDS | {"exposures": [4, 4]}},
            "swuggy.exposures is [4, 4]; each must be greater than the one before",
        ),
        ({"swuggy": WORDS | {"exposures": [0, 4]}}, "corpus.world.tasks.swuggy.exposures"),
        ({"swuggy": WORDS | {"exposures": []}}, "corpus.world.tasks.swuggy.exposures"),
        ({"swuggy": {"pairs": 8, "voices": 1}}, "swuggy.exposures is missing; how often its words occur in train"),
        ({"sblimp": WORDS}, "corpus.world.tasks.sblimp.exposures is set; only swuggy has words that are planted"),
    ],
)
def test_an_impossible_task_is_named(tasks, message):
    with pytest.raises(ValueError, match=r".") as error:
        parse(Tasks, json.dumps({"lexicon": "small", "speakers": 4, "tasks": tasks}), "corpus.world", task_problems)
    assert message in str(error.value)
