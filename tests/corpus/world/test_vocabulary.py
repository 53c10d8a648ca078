import shutil
from collections import Counter

import pytest

from scripts.corpus.pronounce import cmudict_entries
from scripts.corpus.world.vocabulary import WORLD, add_ed, add_ing, add_s, load_lexicon
from tests.corpus.world.miniature import lexicon


@pytest.mark.parametrize(
    ("word", "third", "past", "ing"),
    [
        ("chop", "chops", "chopped", "chopping"),
        ("bake", "bakes", "baked", "baking"),
        ("carry", "carries", "carried", "carrying"),
        ("play", "plays", "played", "playing"),
        ("watch", "watches", "watched", "watching"),
        ("pass", "passes", "passed", "passing"),
        ("fix", "fixes", "fixed", "fixing"),
        ("peel", "peels", "peeled", "peeling"),
        ("echo", "echoes", "echoed", "echoing"),
        ("explain", "explains", "explained", "explaining"),
    ],
)
def test_regular_forms(word, third, past, ing):
    assert (add_s(word), add_ed(word), add_ing(word)) == (third, past, ing)


def test_plural_of_knife_and_box():
    assert add_s("knife") == "knives"
    assert add_s("box") == "boxes"
    assert add_s("boy") == "boys"


@pytest.mark.parametrize(("name", "topics", "words", "of_a_part"), [("small", 6, 230, 10), ("full", 14, 500, 20)])
def test_the_worlds_are_large_enough(name, topics, words, of_a_part):
    parts = Counter(load_lexicon(name).content_words().values())
    assert sum(parts.values()) >= words
    assert min(parts[part] for part in ("noun", "verb", "adjective", "adverb")) >= of_a_part
    assert len(load_lexicon(name).topics) == topics


@pytest.mark.parametrize("name", ["small", "full"])
def test_every_topic_has_its_own_words(name):
    for topic in load_lexicon(name).topics.values():
        assert len(topic.things) >= 10, topic.name
        assert len(topic.do) >= 6, topic.name
        assert len(topic.be) >= 5, topic.name
        assert topic.happen, topic.name


@pytest.mark.parametrize("name", ["small", "full"])
def test_no_form_of_a_planted_word_is_a_word_of_the_lexicon(name):
    lexicon = load_lexicon(name)
    forms = {form.lower() for form in lexicon.content_forms()} | {
        n.lower() for ns in lexicon.names.values() for n in ns
    }
    function_words = {
        word for use in (*lexicon.times.values(), lexicon.prepositions) for phrase in use for word in phrase.split()
    }
    assert len(lexicon.planted) >= 150
    for word in lexicon.planted:
        assert not {word, add_s(word), add_ed(word), add_ing(word)} & (forms | function_words)


def test_words_of_things_belong_to_one_topic():
    topics = Counter(
        (thing.singular)
        for topic in lexicon().topics.values()
        for thing in {t.singular: t for t in topic.things}.values()
    )
    assert [word for word, count in topics.items() if count > 1] == []


def test_every_form_has_a_pronunciation_of_cmudict():
    for word in [*lexicon().content_forms(), "the", "a", "her", "themselves"]:
        assert lexicon().phones(word).split() in cmudict_entries()[word]


def test_function_words_are_reduced():
    assert lexicon().phones("the") == "DH AH0"
    assert lexicon().phones("The") == "DH AH0"
    assert lexicon().phones("a") == "AH0"
    assert lexicon().phones("and") == "AH0 N D"


def _changed(tmp_path, file, old, new):
    world = tmp_path / "world"
    shutil.copytree(WORLD, world)
    text = (world / file).read_text()
    assert old in text
    (world / file).write_text(text.replace(old, new, 1))
    return world


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("full/topics.yaml", "onion,", "onionoid,", "'onionoid' is not in CMUdict"),
        ("full/topics.yaml", "chop: vegetable", "chop: mineral", "kitchen.do.chop: no group 'mineral'"),
        ("full/topics.yaml", "people: cook, baker", "people: cook,, baker", "kitchen.people: expected words"),
        ("full/topics.yaml", "  people: cook, baker\n", "", "kitchen: expected the keys"),
        ("full/shared.yaml", "the: DH AH0", "the: D AH0", "reduced.the: 'D AH0' is not one of CMUdict's"),
        ("full/shared.yaml", "numbers:", "numerals:", "shared.yaml: the key 'numbers' is missing"),
        ("full/shared.yaml", "names:", "names: [", "shared.yaml: not YAML"),
        ("full/topics.yaml", "onion,", "onion, hammock,", "planted.yaml: 'hammock' is also a word of"),
        ("planted.yaml", "couples:", "pairs:", "planted.yaml: expected a list of mappings under the key couples"),
    ],
)
def test_a_mistake_in_the_files_is_named(tmp_path, file, old, new, message):
    with pytest.raises(ValueError, match=r".") as error:
        load_lexicon("full", _changed(tmp_path, file, old, new))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_lexicon("small", tmp_path)
