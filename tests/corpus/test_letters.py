"""Letters beyond ASCII: the text keeps them, the aligner's words have their ASCII forms, and no word is split."""

import pytest

from scripts.corpus.drops import DropError
from scripts.corpus.letters import fold_letters
from scripts.corpus.pronounce import cmudict_lexicon, read_lexicon
from scripts.corpus.speech.book_text import normalise_book
from scripts.corpus.speech.transcripts import Characters, normalise_given, to_words

LATIN = Characters("A-Za-zÀ-ÖØ-öø-ÿŒœ .,;:!?'\"()-")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Her résumé.", "HER RESUME"),
        ("Her re\u0301sume\u0301.", "HER RESUME"),  # marks as characters of their own
        ("El Niño, à la façade", "EL NINO A LA FACADE"),
        ("die Straße", "DIE STRASSE"),
        ("a ﬁne eﬀort", "A FINE EFFORT"),
        ("ＦＵＬＬ width", "FULL WIDTH"),
        ("Cæsar's œuvre, Ångström", "CAESAR'S OEUVRE ANGSTROM"),
    ],
)
def test_words_have_ascii_forms_and_stay_whole(text, words):
    assert to_words(text) == words


@pytest.mark.parametrize("normalise", [normalise_given, normalise_book])
def test_the_text_keeps_its_spelling(normalise):
    assert normalise(["Her re\u0301sume\u0301 was naïve."], LATIN) == ["Her résumé was naïve.", "HER RESUME WAS NAIVE"]


@pytest.mark.parametrize("letter", ["Ж", "λ", "中"])
def test_a_letter_without_an_ascii_form_drops_the_cut(letter):
    with pytest.raises(DropError, match=letter) as error:
        normalise_given([f"the {letter}ord"], Characters("\\w "))
    assert error.value.reason == "letters"


def test_fractions_and_superscripts_are_digits():
    for text in ("half is ½", "a m²"):
        with pytest.raises(DropError) as error:
            to_words(text)
        assert error.value.reason == "digits"


def test_pronunciations_are_found_under_the_ascii_form(tmp_path):
    assert "NAIVE" in cmudict_lexicon()
    (tmp_path / "lexicon.txt").write_text("Brontë B R AA1 N T IY0\nBRONTE B R AA1 N T EY0\n", encoding="utf-8")
    assert read_lexicon(tmp_path / "lexicon.txt") == {"BRONTE": ["B R AA1 N T IY0", "B R AA1 N T EY0"]}
    assert fold_letters("plain") == "plain"
