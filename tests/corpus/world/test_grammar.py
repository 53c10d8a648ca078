import shutil
from collections import Counter

import pytest

from scripts.common.seeds import generator
from scripts.corpus.world.grammar import TENSES, Cast, Sentence, Subject, article, be, choose_cast, conjugate
from scripts.corpus.world.story import Story, Template, load_grammar
from scripts.corpus.world.vocabulary import WORLD, Verb
from tests.corpus.world.miniature import lexicon, paragraphs

CHOP = Verb("chop", "chops", "chopped", "chopping")


ANNA = Subject(False, "female")


def story(tense="present", topic="kitchen", seed=1, subject=ANNA):
    cast = Cast(("Anna",), ("Anna",), subject)
    return Story(lexicon(), lexicon().topics[topic], tense, cast, generator(seed, "test"), grammar=load_grammar(WORLD))


def fill(text, **kwargs):
    return story(**kwargs).fill(Template(tuple(text.split()), 1, TENSES)).words


@pytest.mark.parametrize(
    ("plural", "tense", "form", "expected"),
    [
        (False, "present", "", "chops"),
        (True, "present", "", "chop"),
        (False, "past", "", "chopped"),
        (True, "future", "", "will chop"),
        (False, "future", "sub", "chops"),
        (False, "past", "sub", "chopped"),
        (False, "present", "ing", "is chopping"),
        (True, "past", "ing", "were chopping"),
        (False, "past", "base", "chop"),
    ],
)
def test_conjugation(plural, tense, form, expected):
    assert " ".join(conjugate(CHOP, plural, tense, form)) == expected


def test_copula():
    assert be(False, "present") == ["is"]
    assert be(True, "past") == ["were"]
    assert be(True, "future") == ["will", "be"]


def test_articles():
    assert [article(word) for word in ("onion", "cook", "honest", "useful", "old")] == ["an", "a", "an", "a", "an"]


def test_text_is_cased_and_punctuated():
    sentence = Sentence(("yesterday", ",", "Anna", "chopped", "the", "onion", "."))
    assert sentence.text == "Yesterday, Anna chopped the onion."
    assert sentence.key == "yesterday anna chopped the onion"


@pytest.mark.parametrize("seed", range(20))
def test_verb_agrees_across_a_prepositional_phrase(seed):
    words = fill("[thing:located] [nearby] [is] [quality] .", seed=seed)
    subject = next(w for w in words if any(w in t.forms for t in lexicon().topics["kitchen"].things))
    plural = any(subject == t.plural for t in lexicon().topics["kitchen"].things)
    assert ("are" in words) == plural
    assert ("is" in words) != plural


@pytest.mark.parametrize("seed", range(20))
def test_verb_agrees_across_a_relative_clause(seed):
    words = fill("[person] who [meet:sub] [do] .", seed=seed)
    people = lexicon().topics["kitchen"].people
    plural = next(w for w in words if any(w in n.forms for n in people)) in {n.plural for n in people}
    thirds = {v.third for v in (*lexicon().topics["kitchen"].do, *lexicon().verbs["meet"])}
    bases = {v.base for v in (*lexicon().topics["kitchen"].do, *lexicon().verbs["meet"])}
    assert sum(word in thirds for word in words) == (0 if plural else 2)
    assert sum(word in bases for word in words) == (2 if plural else 0)


@pytest.mark.parametrize("gender", ["female", "male"])
def test_pronouns_have_the_gender_of_their_antecedent(gender):
    words = " ".join(fill("[hero] [reflect] and [kin] [meet-hero] .", subject=Subject(False, gender)))
    expected = {"female": ("herself", " her ", " her"), "male": ("himself", " his ", " him")}[gender]
    assert all(pronoun in words for pronoun in expected), words


def test_every_cast_and_template_can_be_told():
    grammar = load_grammar(WORLD)
    for seed in range(40):
        rng = generator(seed, "test")
        topic = list(lexicon().topics.values())[seed % len(lexicon().topics)]
        one = Story(lexicon(), topic, TENSES[seed % 3], choose_cast(lexicon(), topic, rng), rng, grammar=grammar)
        for template in (*grammar["opening"], *grammar["middle"], *grammar["ending"]):
            if one.tense in template.tenses and one._can_fill(template):
                assert one.fill(template).text.endswith(".")


def test_relative_clauses_attractors_and_tenses_are_common():
    words = Counter(word for p in paragraphs("train") for s in p.sentences for word in s.words)
    sentences = [s for p in paragraphs("train") for s in p.sentences]
    assert sum("who" in s.words for s in sentences) > 150
    assert sum(bool({"near", "behind", "front"} & set(s.words)) for s in sentences) > 150
    for word in ("she", "he", "they", "herself", "himself", "themselves", "is", "are", "was", "were", "will", "these"):
        assert words[word] > 40, word


def test_time_adverbials_fit_the_tense():
    for p in paragraphs("train"):
        for s in p.sentences:
            if s.words[0] == "yesterday":
                assert "will" not in s.words
            if s.words[0] == "tomorrow":
                assert "will" in s.words


def test_no_sentence_has_a_singular_determiner_before_a_plural():
    plurals = {n.plural for t in lexicon().topics.values() for n in (*t.things, *t.people) if n.plural}
    for p in paragraphs("train"):
        for s in p.sentences:
            for first, second in zip(s.words, s.words[1:], strict=False):
                assert not (first in ("a", "an", "this") and second in plurals), s.text


@pytest.mark.parametrize(
    ("new", "message"),
    [("[hero] [fly] .", "no slot [fly]"), ("", "expected {text, weight, tenses}")],
)
def test_a_mistake_in_the_templates_is_named(tmp_path, new, message):
    shutil.copy(WORLD / "grammar.yaml", tmp_path)
    line = f'  - {{text: "{new}"}}' if new else "  - {weight: 3}"
    with open(tmp_path / "grammar.yaml", "a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match=r".") as error:
        load_grammar(tmp_path)
    assert message in str(error.value)
    assert "grammar.yaml" in str(error.value)
