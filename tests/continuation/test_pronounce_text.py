"""Written continuations as phones: known words, words by rule and guessed ones, silences at marks."""

from pathlib import Path

import pytest

from scripts.alignment.lexicon import read_lexicon
from scripts.common.files import read_jsonl, write_jsonl
from scripts.continuation.pronounce_text import Pronouncer, main

LEXICON = """\
THE DH AH0
THE DH IY0
DOG D AO1 G
DOGS D AO1 G Z
RED R EH1 D
LOG L AO1 G
SANG S AE1 NG
TOM'S T AA1 M Z
"""


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    (tmp_path / "lexicon.txt").write_text(LEXICON)
    return tmp_path / "lexicon.txt"


@pytest.fixture
def pronouncer(lexicon: Path) -> Pronouncer:
    return Pronouncer(read_lexicon(lexicon))


def test_words_of_the_lexicon_and_silences_at_marks(pronouncer: Pronouncer):
    spoken = pronouncer.text('The dog, "the red" dogs. Tom\'s log')
    assert " ".join(spoken) == ("SIL DH AH0 D AO1 G SIL DH AH0 R EH1 D D AO1 G Z SIL T AA1 M Z L AO1 G SIL")
    assert pronouncer.text('"The dog!" ?') == ["SIL", "DH", "AH0", "D", "AO1", "G", "SIL"]


def test_other_words_have_cmudicts_or_guessed_phones_of_the_lexicon_only(pronouncer: Pronouncer):
    assert pronouncer.word("sad") == ("S", "AE1", "D")  # of CMUdict
    assert pronouncer.word("dogred") == ("D", "AO1", "G", "R", "EH1", "D")  # no word: from its letters
    assert pronouncer.word("oyster") == ()  # CMUdict's phones are not in the lexicon, nor is a Y among its letters
    assert pronouncer.without == ["oyster"]


def test_what_holds_nothing_to_speak_is_empty(pronouncer: Pronouncer):
    assert pronouncer.text("") == []
    assert pronouncer.text(" . ,") == []
    assert pronouncer.text("yyy") == []


def test_the_step_keeps_the_lines_and_says_what_it_left_out(lexicon: Path, tmp_path: Path, run_step, capsys):
    line = {"id": "p0-0", "prompt": "p0", "seed": 0, "stop": "eos", "tokens": [5, 6], "symbols": " yyy the log."}
    write_jsonl(tmp_path / "a.jsonl", [line])
    write_jsonl(tmp_path / "b.jsonl", [{**line, "symbols": ""}])
    run_step(main, "--texts", tmp_path / "a.jsonl", tmp_path / "b.jsonl", "--lexicon", lexicon,
             "--out", tmp_path / "x.jsonl", tmp_path / "y.jsonl")  # fmt: skip
    assert list(read_jsonl(tmp_path / "x.jsonl")) == [{**line, "symbols": "SIL DH AH0 L AO1 G SIL"}]
    assert list(read_jsonl(tmp_path / "y.jsonl")) == [{**line, "symbols": ""}]
    assert "1 words without a pronunciation are not spoken: yyy" in capsys.readouterr().err
