from collections import Counter

from scripts.common.seeds import generator
from scripts.corpus.world.planting import MOST, Planting

COUNTS = {"candle": 1, "hammock": 4, "planet": 64, "sandwich": 64}


def plant_all(planting: Planting, steps: int) -> list[tuple[float, list[str]]]:
    """(progress, words) of the planted sentences, where the text has this many middle sentences."""
    planted = []
    for step in range(steps):
        if words := planting.due(step / steps):
            planting.plant(words)
            planted.append((step / steps, words))
    return planted


def test_every_word_is_planted_as_often_as_asked():
    planting = Planting(COUNTS, generator(1, "test"))
    planted = plant_all(planting, 300)
    assert Counter(word for _, words in planted for word in words) == COUNTS == planting.planted
    assert planting.waiting == []
    assert plant_all(Planting(COUNTS, generator(1, "test")), 300) == planted


def test_a_sentence_holds_different_words():
    sizes = Counter(len(words) for _, words in plant_all(Planting(COUNTS, generator(1, "test")), 300))
    assert set(sizes) <= set(range(1, MOST + 1))
    for _, words in plant_all(Planting({"planet": 50}, generator(1, "test")), 300):
        assert words == ["planet"]


def test_occurrences_are_spread_evenly():
    planted = plant_all(Planting(COUNTS, generator(1, "test")), 1000)
    places = [place for place, words in planted if "planet" in words]
    for part in range(8):
        assert 4 <= sum(part / 8 <= place < (part + 1) / 8 for place in places) <= 13


def test_more_occurrences_than_sentences_hold_are_left():
    planting = Planting({f"word{i}": 50 for i in range(10)}, generator(1, "test"))
    plant_all(planting, 100)
    assert 200 <= planting.planted.total() <= 100 * MOST
    assert len(planting.waiting) == 500 - planting.planted.total()


def test_ordinary_sentences_stay_in_between():
    planted = plant_all(Planting(COUNTS, generator(1, "test")), 300)
    assert len(planted) < 0.6 * sum(COUNTS.values())
