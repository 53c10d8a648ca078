"""Measures by the world's grammar: text of the world passes, shuffled or other text does not."""

import numpy as np
import pytest

from scripts.continuation.judge_text import world_texts
from scripts.continuation.summary import world_scores
from scripts.continuation.world_measures import WorldMeasures


@pytest.fixture(scope="module")
def world() -> WorldMeasures:
    return WorldMeasures("small", 1)


@pytest.fixture(scope="module")
def texts() -> list[list[str]]:
    """Paragraphs of the world from another random stream."""
    return [text.split() for text in world_texts("small", [], [], 0.1, 180.0, 5)]


def test_the_worlds_own_text_is_known_and_shuffled_text_is_not(world: WorldMeasures, texts: list[list[str]]):
    assert np.mean([world.known_patterns(words) for words in texts]) > 0.97
    rng = np.random.default_rng(0)
    assert np.mean([world.known_patterns(rng.permutation(words).tolist()) for words in texts]) < 0.5


def test_a_wrong_agreement_is_an_unknown_pattern(world: WorldMeasures):
    assert world.known_patterns(["the", "bakers", "peel"]) == 1
    assert world.known_patterns(["a", "bakers", "peel"]) == 0
    assert world.known_patterns(["the", "bakers"]) is None


def test_topics_are_told_by_the_words_that_only_they_have(world: WorldMeasures, texts: list[list[str]]):
    topics = sorted(set(world.topic_of.values()))
    shares = [max(world.on_topic(words, topic) or 0.0 for topic in topics) for words in texts]
    assert np.mean(shares) > 0.95, "a paragraph stays on one topic"
    assert world.on_topic(["the", "and", "of"], topics[0]) is None


def test_a_sentence_may_begin_in_the_prompt(world: WorldMeasures):
    assert world.in_sentences(["the", "onions", "well"], ["she", "chops"]) == pytest.approx(2 / 3)
    assert world.in_sentences(["the", "onions", "well"], []) == 0
    assert world.in_sentences([], ["she", "chops"]) is None


def test_what_the_world_says_is_over_the_texts_that_have_words(world: WorldMeasures):
    rows = [{"prompt": "a", "text": "the bakers peel the old onions"}, {"prompt": "b", "text": ""}]
    prompts = {name: {"text": "Anna bakes a cake.", "topic": None} for name in "ab"}
    found = world_scores(rows, prompts, world, 1)
    assert found.pop("in_sentences_shuffled")[1] == 1
    assert found == {"in_sentences": (1.0, 1), "known_patterns": (1.0, 1)}
