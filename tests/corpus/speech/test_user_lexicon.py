"""A user's pronunciations reach the aligner for the words that they are of, in whatever script."""

from pathlib import Path

import pytest

from scripts.alignment.lexicon import Dictionary, OutOfVocabularyError, read_lexicon
from scripts.common.cuts import book_text, read_cuts, spoken_text
from scripts.common.files import read_jsonl, write_jsonl
from scripts.corpus import pronounce
from scripts.corpus.pronounce import arpabet
from scripts.corpus.speech import manifest_tasks
from tests.corpus.speech.test_manifest import call, changed, drops
from tests.corpus.test_pronounce import run as write_lexicon
from tests.factories.cuts import make_cut

ALL = {"characters": "\\w .,'’"}
USER = "привет P R IH0 V Y EH1 T\nCAFÉ K AH0 F EY1\nnaïve N AY0 IY1 V\nBrontë B R AA1 N T IY0\n"


def spoken(name: str, text: str, **custom: object) -> dict:
    """A cut with one text, as a user gives it."""
    cut = make_cut(name)
    cut["supervisions"][0] |= {"custom": {"texts": [text], **custom}}
    return cut


def kept(folder: Path, monkeypatch: pytest.MonkeyPatch, cuts: list[dict], lexicon: str = USER) -> list[dict]:
    (folder / "user.txt").write_text(lexicon, encoding="utf-8")
    (folder / "r0.wav").touch()
    write_jsonl(folder / "given.jsonl", cuts)
    call(folder, monkeypatch, folder / "given.jsonl", more=["--lexicon", folder / "user.txt"], rules=ALL)
    return list(read_cuts(folder / "shard0.jsonl.gz"))


def entries(folder: Path, monkeypatch: pytest.MonkeyPatch, cuts: list[dict]) -> dict[str, list[list[str]]]:
    """What the aligner looks up for each cut: its words' pronunciations."""
    write_jsonl(folder / "cuts.jsonl.gz", cuts)
    write_lexicon(folder, monkeypatch, "--lexicon", str(folder / "user.txt"))
    words = Dictionary(read_lexicon(folder / "lexicon.txt"), arpabet())
    return {cut["id"]: [[" ".join(phones) for phones in known] for _, known in words.entries(cut)] for cut in cuts}


def test_every_spelling_has_its_own_pronunciation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    texts = {"cyrillic": "Привет", "accent": "café", "plain": "cafe", "other": "Bronte", "folded": "résumé's"}
    cuts = kept(tmp_path, monkeypatch, [spoken(name, text) for name, text in texts.items()])
    assert {cut["id"]: book_text(cut) for cut in cuts} == texts
    assert drops(tmp_path) == {}
    found = entries(tmp_path, monkeypatch, cuts)
    assert found["cyrillic"] == [["P R IH0 V Y EH1 T"]]
    assert found["accent"] == [["K AH0 F EY1"]]
    assert found["plain"] == [pronounce.cmudict_lexicon()["CAFE"]]
    assert found["other"][0][0] == pronounce.cmudict_lexicon().get("BRONTE", ["B R AA1 N T IY0"])[0]
    assert found["folded"][0]


def test_an_entry_without_accents_serves_the_word_with_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (cut,) = kept(tmp_path, monkeypatch, [spoken("a", "café")], "CAFE K EY1 F\n")
    assert spoken_text(cut) == "CAFE"
    assert "K EY1 F" in entries(tmp_path, monkeypatch, [cut])["a"][0]


def test_a_word_that_only_the_user_has_serves_its_ascii_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cuts = kept(tmp_path, monkeypatch, [spoken("a", "zörpy"), spoken("b", "Zorpy's")], "Zörpy Z AO1 R P IY0\n")
    assert entries(tmp_path, monkeypatch, cuts) == {"a": [["Z AO1 R P IY0"]], "b": [["Z AO1 R P IY0 Z"]]}


def test_what_no_lexicon_lists_is_dropped_and_said_how_to_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cuts = kept(tmp_path, monkeypatch, [spoken("good", "Привет"), spoken("bad", "Пока")])
    assert [cut["id"] for cut in cuts] == ["good"]
    assert drops(tmp_path) == {"bad": "letters"}
    assert "in a word that the lexicon of the corpus does not list" in (tmp_path / "dropped.csv").read_text()


def test_a_cut_s_own_pronunciation_is_found_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = {"пока": "P AA0 K AA1", "cafe\u0301": "K AE1 F"}
    (cut,) = kept(tmp_path, monkeypatch, [spoken("a", "Пока, café dog", pronunciations=own)], "")
    assert entries(tmp_path, monkeypatch, [cut])["a"] == [["P AA0 K AA1"], ["K AE1 F"], ["D AO1 G"]]
    (other,) = kept(tmp_path, monkeypatch, [spoken("b", "blick", pronunciations=None)], "")
    with pytest.raises(OutOfVocabularyError, match="BLICK"):
        Dictionary({}, arpabet()).entries(other)


@pytest.mark.parametrize("wrong", [["A"], {"A": ["AH0"]}, "A AH0"])
def test_pronunciations_of_another_form_are_malformed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: object):
    kept(tmp_path, monkeypatch, [make_cut("good"), changed("supervisions.0.custom.pronunciations", wrong)])
    assert drops(tmp_path) == {"bad": "malformed"}
    assert "supervisions[0].custom.pronunciations" in (tmp_path / "dropped.csv").read_text()


def test_items_keep_the_words_of_the_lexicon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "user.txt").write_text(USER, encoding="utf-8")
    (tmp_path / "r0.wav").touch()
    pair = {"id": "i", "subset": "all", "group": "g", "positive": spoken("a", "café"), "negative": spoken("b", "cafe")}
    write_jsonl(tmp_path / "items.jsonl", [pair])
    flags = [
        "--task",
        "t",
        "--items",
        tmp_path / "items.jsonl",
        "--audio-root",
        tmp_path,
        "--out",
        tmp_path / "o.jsonl",
    ]
    limits = '{"min_seconds": 0, "max_seconds": 9, "max_missing_audio": 1, "max_dropped": 1, "characters": "a-zé"}'
    flags += ["--dropped", tmp_path / "dropped.csv", "--config", limits, "--lexicon", tmp_path / "user.txt"]
    monkeypatch.setattr("sys.argv", ["manifest_tasks", *map(str, flags)])
    manifest_tasks.main()
    (item,) = read_jsonl(tmp_path / "o.jsonl")
    assert [spoken_text(item[side]) for side in ("positive", "negative")] == ["CAFÉ", "CAFE"]
