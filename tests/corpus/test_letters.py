"""Letters beyond ASCII: the text keeps them, the aligner's words have their ASCII forms, and no word is split."""

import pytest

from scripts.corpus.drops import DropError
from scripts.corpus.letters import fold_letters, listed_form
from scripts.corpus.pronounce import cmudict_lexicon, read_lexicon
from scripts.corpus.speech.book_text import normalise_book
from scripts.corpus.speech.transcripts import Characters, normalise_given, to_words
from scripts.project.defaults import default_config

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


def test_ligatures_and_wide_letters_stay_in_the_text():
    for normalise in (normalise_given, normalise_book):
        assert normalise(["A ﬁne eﬀort, ＦＵＬＬ."], Characters("\\w .,")) == [
            "A ﬁne eﬀort, ＦＵＬＬ.",
            "A FINE EFFORT FULL",
        ]


def test_the_default_allows_the_letters_of_english_books():
    allowed = Characters(default_config()["corpus"]["characters"])
    assert normalise_given(["Cæsar’s ﬁne résumé, Œuvre."], allowed)[1] == "CAESAR'S FINE RESUME OEUVRE"


@pytest.mark.parametrize("normalise", [normalise_given, normalise_book])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Она сказала: «Привет»!", None),
        ("He said: 'Привет'!", "HE SAID ПРИВЕТ"),
        ("Привет, well-known привет-café", "ПРИВЕТ WELL KNOWN ПРИВЕТ CAFÉ"),
        ("The café’s cafe, the CAFE\u0301", "THE CAFÉ'S CAFE THE CAFÉ"),
        ("cafés résumé", "CAFES RESUME"),  # other words than the lexicon's
        ("l’été, l'ete, été", "L'ÉTÉ L'ETE ETE"),
        ("हिन्दी", "हिन्दी"),  # its vowel signs are of its letters
        ("Приветик", None),
        ("привет9", None),
    ],
)
def test_words_of_the_lexicon_stay_as_they_are_spelled(normalise, text, words):
    listed = frozenset(map(listed_form, ["привет", "cafe\u0301", "L’été", "हिन्दी"]))
    if words is None:
        with pytest.raises(DropError):
            normalise([text], Characters("\\w\\W"), listed)
    else:
        assert normalise([text], Characters("\\w\\W"), listed)[1] == words


def test_a_lexicon_lists_words_as_they_are_spelled(tmp_path):
    assert "NAIVE" in cmudict_lexicon()
    lexicon = "Bronte\u0308 B R AA1 N T IY0\nBRONTE B R AA1 N T EY0\nпривет(2) P R IH0 V Y EH1 T\n"
    (tmp_path / "lexicon.txt").write_text(lexicon, encoding="utf-8")
    assert read_lexicon(tmp_path / "lexicon.txt") == {
        "BRONTË": ["B R AA1 N T IY0"],
        "BRONTE": ["B R AA1 N T EY0"],
        "ПРИВЕТ": ["P R IH0 V Y EH1 T"],
    }
    assert fold_letters("plain") == "plain"
