"""Topic-StoryCloze's items: strata, distances, and one word that the topic decides."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from scripts.corpus.config import Task
from scripts.corpus.world.topic_pairs import SHARES, topic_words
from scripts.corpus.world.vocabulary import WORLD
from scripts.corpus.world.write_tasks import topic_storycloze
from tests.corpus.world.miniature import items, lexicon, paragraphs, words_of

ITEMS = "topic-storycloze"


def sentences(item):
    """The words of the positive side's sentences."""
    return [re.findall(r"[a-z]+", text.lower()) for text in re.findall(r"[^.]+\.", item["positive"]["text"])]


def own_words(item):
    return topic_words(lexicon().topics[item["topic"]])


def test_strata_are_equally_frequent_and_topics_take_turns():
    assert Counter(item["group"] for item in items(ITEMS)) == dict.fromkeys(SHARES, 150)
    assert set(Counter(item["topic"] for item in items(ITEMS))) == set(lexicon().topics)


def test_the_cue_is_the_last_word_of_the_topic_and_the_target_the_next():
    for item in items(ITEMS):
        words, own = words_of(item["positive"]), own_words(item)
        places = [i for i, word in enumerate(words) if word in own]
        assert places[places.index(item["target"]) - 1] == item["cue"]


def test_the_stratum_is_the_number_of_sentences_back():
    for item in items(ITEMS):
        ends = [sum(map(len, sentences(item)[: n + 1])) for n in range(len(sentences(item)))]
        sentence_of = {name: next(n for n, end in enumerate(ends) if item[name] < end) for name in ("cue", "target")}
        assert sentence_of["target"] == len(ends) - 1
        back = sentence_of["target"] - sentence_of["cue"]
        assert {0: "in-sentence", 1: "one-back"}.get(back, "two-back-or-more") == item["group"], item["positive"][
            "text"
        ]


def test_sentences_between_and_before_hold_no_word_of_any_topic():
    every = set().union(*(topic_words(topic) for topic in lexicon().topics.values()))
    for item in items(ITEMS):
        told = sentences(item)[:-1]
        about = [n for n, words in enumerate(told) if own_words(item) & set(words)]
        assert (about == []) == (item["group"] == "in-sentence")
        if item["group"] == "one-back":
            assert about == [len(told) - 1]
        for n, words in enumerate(told):
            assert n in about or not every & set(words), words


def test_mirrors_differ_in_words_of_the_topics_alone():
    for one, other in zip(items(ITEMS)[::2], items(ITEMS)[1::2], strict=True):
        assert one["couple"] == other["couple"]
        assert one["distance"] == other["distance"]
        first, second = sentences(one)[-1], sentences(other)[-1]
        differing = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
        assert len(differing) == (2 if one["group"] == "in-sentence" else 1)
        assert all(a in own_words(one) and b in own_words(other) for a, b in differing)
        assert abs(len(differing[-1][0]) - len(differing[-1][1])) <= 2


def test_the_wrong_side_is_the_right_one_with_the_target_of_the_other():
    for one, other in zip(items(ITEMS)[::2], items(ITEMS)[1::2], strict=True):
        for item, mirror in ((one, other), (other, one)):
            wrong = words_of(item["positive"])
            wrong[item["target"]] = words_of(mirror["positive"])[mirror["target"]]
            assert words_of(item["negatives"][0]) == wrong


def test_no_verb_goes_with_the_wrong_object():
    for item in items(ITEMS):
        if item["group"] == "in-sentence":
            verb, thing = (words_of(item["negatives"][0])[item[name]] for name in ("cue", "target"))
            for topic in lexicon().topics.values():
                for one in topic.do:
                    taken = {form for noun in topic.things if noun.group in one.groups for form in noun.forms}
                    assert verb not in one.forms or thing not in taken, item["negatives"][0]["text"]


def test_pronouns_mean_the_two_of_the_first_sentence():
    names = {name for names in lexicon().names.values() for name in names}
    for item in items(ITEMS):
        assert len(names & set(re.findall("[A-Za-z]+", item["positive"]["text"].split(".")[0]))) == 2


def test_the_context_is_whole_sentences():
    for item in items(ITEMS):
        assert item["context_words"] == sum(map(len, sentences(item)[:-1]))
        assert item["context_words"] <= item["target"]


def test_train_returns_to_the_topic_after_sentences_without_it():
    returns = 0
    for paragraph in paragraphs("train"):
        own = topic_words(lexicon().topics[paragraph.topic])
        about = "".join("x" if own & set(sentence.words) else "-" for sentence in paragraph.sentences)
        returns += bool(re.search("x-+x", about))
    assert returns > 0.1 * len(paragraphs("train"))


def test_a_stratum_without_enough_couples_is_named():
    """Nouns of one topic that are all much longer than those of the other leave nothing to exchange."""
    kitchen, farm = (lexicon().topics[name] for name in ("kitchen", "farm"))
    long = tuple(
        replace(noun, singular=f"{noun.singular}-of-the-farm", plural=noun.plural and f"{noun.plural}-of-the-farm")
        for noun in farm.things
    )
    unlike = replace(lexicon(), topics={"kitchen": kitchen, "farm": replace(farm, things=long)})
    message = (
        r"corpus\.world\.tasks\.topic-storycloze\.pairs is 6: the world gives only 0 couples of the stratum"
        " in-sentence; at most 0 pairs can be drawn"
    )
    with pytest.raises(ValueError, match=message):
        list(topic_storycloze(Task(6, 1), 4, unlike, WORLD, 1))
