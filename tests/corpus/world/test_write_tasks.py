import json
import math
import re
from collections import Counter

import pytest

from scripts.common.config import parse
from scripts.common.seeds import generator
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
        own = ["distance", "cue", "target"] if task in SENTENCE_TASKS else ["exposure"]
        story = ["topic", "context_words"] if task == "topic-storycloze" else []
        labels = {"id", "task", "subset", "group", "couple", *own, *story}
        assert set(item) == labels | {"voices", "positive", "negatives"}
        if story:
            count = item["context_words"]
            right, wrong = item["positive"]["words"], item["negatives"][0]["words"]
            assert right[:count] == wrong[:count]
            assert right[count - 1]["after"] == "."
            assert not any(word["after"] in {".", "?", "!"} for word in right[count:-1])  # the ending is one sentence
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


# mirrored tasks


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


@pytest.mark.parametrize("task", SENTENCE_TASKS)
def test_couples_cancel_within_every_stratum(task):
    """Unigrams and length are right in exactly half of the pairs, whatever the weights."""
    rng = generator(1, "weights")
    weights: dict[str, float] = {}

    def score(one):
        return sum(weights.setdefault(word, float(rng.normal())) for word in words_of(one))

    for group in {item["group"] for item in items(task)}:
        found = [item for item in items(task) if item["group"] == group]
        for measure in (score, lambda one: -len(phones_of(one)), lambda one: -len(one["text"])):
            assert accuracy([measure(i["positive"]) for i in found], [measure(i["negatives"][0]) for i in found]) == 0.5


@pytest.mark.parametrize("task", SENTENCE_TASKS)
def test_sides_are_the_same_up_to_the_target(task):
    for item in items(task):
        right, wrong = words_of(item["positive"]), words_of(item["negatives"][0])
        assert 0 <= item["cue"] < item["target"] < len(right)
        assert item["distance"] == item["target"] - item["cue"]
        assert right[: item["target"]] == wrong[: item["target"]]
        assert right[item["target"]] != wrong[item["target"]]


@pytest.mark.parametrize("task", SENTENCE_TASKS)
def test_strata_do_not_take_turns_at_a_fixed_step(task):
    """Evenly taken couples, as for checkpoints, hold all strata about as often as the whole."""
    couples = items(task)[::2]
    whole = Counter(item["group"].split("/")[0] for item in couples)
    for step in range(2, 7):
        part = Counter(item["group"].split("/")[0] for item in couples[::step])
        for stratum, count in whole.items():
            assert abs(part[stratum] / len(couples[::step]) - count / len(couples)) < 0.16


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
        ({"sblimp": {"pairs": 9, "voices": 1}}, "corpus.world.tasks.sblimp.pairs is 9; it must be a multiple of 2"),
        ({"sblimp": {"pairs": 8, "voices": 1}}, "corpus.world.tasks.sblimp.pairs is 8; its strata need at least 10"),
        (
            {"topic-storycloze": {"pairs": 4, "voices": 1}},
            "corpus.world.tasks.topic-storycloze.pairs is 4; its strata need at least 6",
        ),
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
        ({"sblimp": WORDS | {"pairs": 10}}, "corpus.world.tasks.sblimp.exposures is set; only swuggy has words"),
    ],
)
def test_an_impossible_task_is_named(tasks, message):
    with pytest.raises(ValueError, match=r".") as error:
        parse(Tasks, json.dumps({"lexicon": "small", "speakers": 4, "tasks": tasks}), "corpus.world", task_problems)
    assert message in str(error.value)
