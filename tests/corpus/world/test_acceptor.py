"""The acceptor accepts every sentence that the world writes and no wrong one."""

from itertools import pairwise

import numpy as np
import pytest

from scripts.common.seeds import generator
from scripts.corpus.world import syntax_pairs, topic_pairs
from scripts.corpus.world.acceptor import Acceptor
from scripts.corpus.world.parser import Parser
from scripts.corpus.world.planting import Planting
from scripts.corpus.world.story import Story, load_grammar
from scripts.corpus.world.syntax_pairs import SyntaxPairs
from scripts.corpus.world.topic_pairs import TopicPairs
from scripts.corpus.world.vocabulary import WORLD, load_lexicon
from scripts.corpus.world.write import Paragraph, write_paragraphs

LEXICON, GRAMMAR = load_lexicon("small"), load_grammar(WORLD)
ACCEPTOR = Acceptor(LEXICON, GRAMMAR)


@pytest.fixture(scope="module")
def paragraphs() -> list[Paragraph]:
    rng = generator(5, "paragraphs")
    planting = Planting(dict.fromkeys(LEXICON.planted, 2), rng)
    written = write_paragraphs(LEXICON, GRAMMAR, 0.5, 180.0, rng, set(), planting)
    assert not planting.waiting
    return written


def accepts(words: str | tuple[str, ...]) -> bool:
    words = tuple(words.split()) if isinstance(words, str) else words
    return len(words) in ACCEPTOR.sentences(words, 0)[0]


def spoken_words(paragraph: Paragraph) -> list[str]:
    return [word for sentence in paragraph.sentences for word in sentence.words]


def test_every_slot_that_is_written_can_be_read():
    slots = {name for name in dir(Story) if name.startswith("slot_")}
    assert slots == {name for name in dir(Parser) if name.startswith("slot_")}


def test_every_sentence_of_the_world_is_accepted(paragraphs: list[Paragraph]):
    sentences = [sentence for paragraph in paragraphs for sentence in paragraph.sentences]
    drawer, topics = TopicPairs(LEXICON, GRAMMAR, generator(5, "stories")), list(LEXICON.topics.values())
    stories = [item for stratum in topic_pairs.SHARES for two in pairwise(topics) for item in drawer.draw(stratum, two)]
    sentences += [sentence for item in stories for sentence in (*item.context, item.right)]
    assert len(sentences) > 700
    assert [sentence.text for sentence in sentences if not accepts(sentence.words)] == []


def test_the_right_sentences_of_the_syntax_task_are_accepted_and_no_wrong_one():
    drawer = SyntaxPairs(LEXICON, GRAMMAR, generator(5, "pairs"))
    for group in syntax_pairs.SHARES:
        pairs = [pair for _ in range(14) for pair in drawer.draw(group)]
        assert [pair.right.text for pair in pairs if not accepts(pair.right.words)] == []
        assert [pair.wrong.text for pair in pairs if accepts(pair.wrong.words)] == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("anna chops an old onion", "anna chops a old onion"),
        ("the onion near the spoons is raw", "the onion near the spoons are raw"),
        ("the onions that she chops are raw", "the onions that she chops is raw"),
        ("she chops the onions with her mother", "she chops the onions with his mother"),
        ("her brother calls her", "her brother calls him"),
        ("she chops the onions and bakes some bread", "she chops the onions and baked some bread"),
        ("tomorrow she will bake a cake", "tomorrow she baked a cake"),
        ("she brings the bowls because they are old", "she brings the bowls because it is old"),
        ("there are three bowls in the kitchen", "there is three bowls in the kitchen"),
        ("she sees the cabinet this old hammock and the planet", "she sees the cabinet this old hammock the planet"),
        ("she says that the cabinet and the planet are old", "she says that the cabinet and the planet is old"),
        ("she chops the onions near the planet", "she chops the onions near a planet"),
        ("while the cook is baking a cake they peel the onions", "while the cook bake a cake they peel the onions"),
    ],
)
def test_agreement_is_seen_across_the_sentence(right: str, wrong: str):
    assert accepts(right)
    assert not accepts(wrong)


def test_a_text_without_full_stops_is_divided_into_its_sentences(paragraphs: list[Paragraph]):
    rng = np.random.default_rng(0)
    for paragraph in paragraphs[:60]:
        assert all(ACCEPTOR.inside(spoken_words(paragraph)))
    shuffled = [
        np.mean(ACCEPTOR.inside(rng.permutation(spoken_words(paragraph)).tolist())) for paragraph in paragraphs[:60]
    ]
    assert np.mean(shuffled) < 0.1


def test_words_between_sentences_are_outside_and_the_last_may_be_cut_off():
    def inside(text: str) -> str:
        return "".join("x" if flag else "-" for flag in ACCEPTOR.inside(text.split()))

    assert inside("she chops the onions well well they bake some bread well") == "xxxx--xxxx-"
    assert inside("well she chops the onions in the end they bake the") == "-xxxxxxxxxx"
    assert inside("") == ""
