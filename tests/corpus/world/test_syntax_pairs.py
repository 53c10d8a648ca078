"""sBLIMP's items: strata, distances, and nothing but the cue that decides the target."""

import math
from collections import Counter
from dataclasses import replace

import pytest

from scripts.common.seeds import generator
from scripts.corpus.config import Task
from scripts.corpus.world.story import load_grammar
from scripts.corpus.world.syntax_pairs import SHARES, SyntaxPairs
from scripts.corpus.world.vocabulary import WORLD
from scripts.corpus.world.write_tasks import sblimp
from tests.corpus.world.miniature import accuracy, items, lexicon, texts, words_of


def stratum(item):
    return item["group"].split("/")[0]


def test_strata_have_their_shares():
    count = Counter(item["group"] for item in items("sblimp"))
    assert set(count) == set(SHARES)
    assert all(abs(count[group] - 800 * share) <= 2 for group, share in SHARES.items())
    strata = Counter(stratum(item) for item in items("sblimp"))
    assert strata == {"adjacent": 280, "one-between": 200, "several-between": 200, "attractor": 120}


def test_the_stratum_is_the_number_of_words_between():
    for item in items("sblimp"):
        expected = {"adjacent": {1}, "one-between": {2}, "several-between": range(3, 8), "attractor": range(4, 8)}
        assert item["distance"] in expected[stratum(item)], item["positive"]["text"]


def test_adjacent_items_are_short():
    assert {len(words_of(item["positive"])) for item in items("sblimp") if stratum(item) == "adjacent"} <= {3, 4, 5, 6}


def test_only_the_cue_differs_between_mirrors_up_to_the_target_but_with_attractors():
    for one, other in zip(items("sblimp")[::2], items("sblimp")[1::2], strict=True):
        assert (one["cue"], one["target"]) == (other["cue"], other["target"])
        first, second = words_of(one["positive"]), words_of(other["positive"])
        differing = [i for i in range(one["target"]) if first[i] != second[i]]
        if stratum(one) == "attractor":
            assert differing[0] == one["cue"]
            assert len(differing) > 1
        else:
            assert differing == [one["cue"]]


def test_the_nearer_noun_has_the_other_number_in_attractors():
    number = {n.singular: 1 for t in lexicon().topics.values() for n in (*t.things, *t.people) if n.plural}
    number |= {n.plural: 2 for t in lexicon().topics.values() for n in (*t.things, *t.people) if n.plural}
    for item in items("sblimp"):
        if stratum(item) == "attractor":
            words = words_of(item["positive"])
            nouns = [number[word] for word in words[item["cue"] : item["target"]] if word in number]
            assert sorted(nouns) == [1, 2], words


def test_no_pair_occurs_twice():
    texts = [item[side]["text"] for item in items("sblimp") for side in ("positive",)]
    texts += [item["negatives"][0]["text"] for item in items("sblimp")]
    assert len(set(texts)) == len(texts)


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


def test_a_trigram_knows_what_is_near_and_nothing_else():
    score = _ngram_score(3)
    right = {
        name: accuracy(
            [score(i["positive"]) for i in items("sblimp") if stratum(i) == name],
            [score(i["negatives"][0]) for i in items("sblimp") if stratum(i) == name],
        )
        for name in ("adjacent", "several-between")
    }
    assert right["adjacent"] > 0.7
    assert 0.45 < right["several-between"] < 0.6


def test_train_holds_every_construction():
    sentences = [" ".join(words) for words in texts("train")]
    adverbs = lexicon().adverbs
    for word in (*adverbs["frequency"], *adverbs["degree"], "first"):
        assert sum(f" {word} " in sentence for sentence in sentences) > 20, word
    degree = tuple(f"{determiner} {word} " for determiner in ("this", "these") for word in adverbs["degree"])
    assert sum(any(words in sentence for words in degree) for sentence in sentences) > 30


def test_a_world_that_is_too_small_is_named():
    small = replace(lexicon(), topics={"kitchen": lexicon().topics["kitchen"]})
    with pytest.raises(
        ValueError, match=r"corpus\.world\.tasks\.sblimp\.pairs is 40000: .* stratum [a-z-]+/[a-z-]+; at most \d+"
    ):
        list(sblimp(Task(40_000, 1), 4, small, WORLD, 1))


def test_an_exhausted_group_gives_none():
    drawer = SyntaxPairs(replace(lexicon(), topics={}), load_grammar(WORLD), generator(1, "x"))
    drawer.lexicon = replace(lexicon(), topics={"kitchen": lexicon().topics["kitchen"]})
    found = 0
    while drawer.draw("one-between/anaphor-number") is not None:
        found += 1
    assert 50 < found < 2000
