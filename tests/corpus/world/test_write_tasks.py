import json
import math
import re
from collections import Counter
from itertools import pairwise

import pytest

from scripts.common.config import parse
from scripts.common.seeds import generator
from scripts.corpus.config import Task, Tasks, task_problems
from scripts.corpus.pronounce import cmudict_entries
from scripts.corpus.world.pseudowords import align_letters, split_parts, stress
from scripts.corpus.world.vocabulary import strip_stress
from scripts.corpus.world.write_tasks import swuggy
from tests.corpus.world.miniature import SECTION, accuracy, items, lexicon, phones_of, texts, words_of

TASKS = list(SECTION["tasks"])
SENTENCE_TASKS = ["sblimp", "topic-storycloze"]


@pytest.mark.parametrize("task", TASKS)
def test_items_are_the_contract(task):
    found = items(task)
    assert len(found) == SECTION["tasks"][task]["pairs"]
    assert len({item["id"] for item in found}) == len(found)
    for item in found:
        reach = ["couple", "distance", "cue", "target"] if task in SENTENCE_TASKS else []
        story = ["topic", "context_words"] if task == "topic-storycloze" else []
        assert set(item) == {"id", "task", "subset", "group", *reach, *story, "voices", "positive", "negatives"}
        assert len(set(item["voices"])) == SECTION["tasks"][task]["voices"]
        for one in (item["positive"], *item["negatives"]):
            assert re.fullmatch(r"[A-Za-z ,.]+", one["text"])
            assert re.findall(r"[a-z]+", one["text"].lower()) == words_of(one)


def test_voices_take_turns():
    assert set(Counter(voice for item in items("swuggy") for voice in item["voices"]).values()) == {150}


# swuggy


def test_letters_are_aligned_with_phones():
    chunks = align_letters(
        {"ship": "SH IH1 P", "fish": "F IH1 SH", "shop": "SH AA1 P", "bake": "B EY1 K", "map": "M AE1 P"}
    )
    assert chunks["ship"] == [("sh", ("SH",)), ("i", ("IH1",)), ("p", ("P",))]
    assert [part.letters for part in split_parts(chunks["bake"])] == ["b", "ake"]


def test_parts_spell_and_sound_like_the_word():
    words = {word: lexicon().phones(word) for word in lexicon().content_forms()}
    for word, chunks in align_letters(words).items():
        parts = split_parts(chunks)
        assert "".join(part.letters for part in parts) == word
        assert " ".join(phone for part in parts for phone in part.phones) == words[word]


def test_pseudo_words_have_the_shape_of_their_word():
    for item in items("swuggy"):
        word, real = item["positive"]["text"], phones_of(item["positive"])
        assert 1 <= len(item["negatives"]) <= 6
        for negative in item["negatives"]:
            assert len(negative["text"]) == len(word)
            assert len(phones_of(negative)) == len(real)
            assert stress(phones_of(negative)) == stress(real)


def test_pseudo_words_are_no_words_and_sound_like_none():
    sounds = {strip_stress(phones) for entry in cmudict_entries().values() for phones in entry}
    corpus = {word for split in ("train", "dev") for sentence in texts(split) for word in sentence}
    seen: set[str] = set()
    for item in items("swuggy"):
        for negative in item["negatives"]:
            assert negative["text"] not in cmudict_entries()
            assert negative["text"] not in corpus
            assert strip_stress(phones_of(negative)) not in sounds
            assert negative["text"] not in seen
            assert not any(letters in negative["text"] for letters in lexicon().unwanted)
            seen.add(negative["text"])


def test_words_are_of_the_lexicon_and_of_the_corpus():
    corpus = {word for sentence in texts("train") for word in sentence}
    for item in items("swuggy"):
        assert item["positive"]["text"] in lexicon().content_words()
        assert item["positive"]["text"] in corpus


def test_most_words_have_several_candidates():
    assert sum(len(item["negatives"]) >= 4 for item in items("swuggy")) > 0.9 * len(items("swuggy"))


def test_neighbouring_phones_of_pseudo_words_are_attested():
    pairs = set()
    for word in lexicon().content_forms():
        phones = ["#", *lexicon().phones(word).split(), "#"]
        pairs |= set(pairwise(phones))
    for item in items("swuggy"):
        for negative in item["negatives"]:
            phones = ["#", *phones_of(negative), "#"]
            assert set(pairwise(phones)) <= pairs


def test_more_pairs_than_words(tmp_path):
    with pytest.raises(ValueError, match=r"corpus\.world\.tasks\.swuggy\.pairs is 5000; the lexicon has words for \d+"):
        list(swuggy(Task(5000, 1), 4, lexicon(), tmp_path, 1))


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
        ({"swuggy": {"pairs": 10, "voices": 5}}, "corpus.world.tasks.swuggy.voices is 5"),
    ],
)
def test_an_impossible_task_is_named(tasks, message):
    with pytest.raises(ValueError, match=r".") as error:
        parse(Tasks, json.dumps({"speakers": 4, "tasks": tasks}), "corpus.world", task_problems)
    assert message in str(error.value)
