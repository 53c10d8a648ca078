import json
import math
import re
from collections import Counter
from itertools import pairwise

import pytest

from scripts.common.config import parse
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
        bound = ["couple"] if task in SENTENCE_TASKS else []
        spoken_once = ["context_words"] if task == "topic-storycloze" else []
        assert list(item) == ["id", "task", "subset", "group", *bound, "voices", *spoken_once, "positive", "negatives"]
        if spoken_once:
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


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (
            {"rhymes": {"pairs": 10, "voices": 1}},
            "corpus.world.tasks.rhymes is not a known key; known here: swuggy",
        ),
        ({"sblimp": {"pairs": 0, "voices": 1}}, "corpus.world.tasks.sblimp.pairs is 0"),
        ({"sblimp": {"pairs": 7, "voices": 1}}, "corpus.world.tasks.sblimp.pairs is 7"),
        ({"swuggy": {"pairs": 10, "voices": 5}}, "corpus.world.tasks.swuggy.voices is 5"),
    ],
)
def test_an_impossible_task_is_named(tasks, message):
    with pytest.raises(ValueError, match=r".") as error:
        parse(Tasks, json.dumps({"speakers": 4, "tasks": tasks}), "corpus.world", task_problems)
    assert message in str(error.value)
