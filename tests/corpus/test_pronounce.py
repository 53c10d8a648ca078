"""corpus/lexicon.txt: all pronunciations, the spoken one first."""

from pathlib import Path

import pytest

from scripts.common.files import write_jsonl
from scripts.corpus import pronounce
from tests.corpus.world.scripts import line
from tests.factories.cuts import make_cut


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> list[str]:
    arguments = ["--cuts", str(folder / "cuts.jsonl.gz"), "--out", str(folder / "lexicon.txt"), *more]
    monkeypatch.setattr("sys.argv", ["pronounce", *arguments])
    pronounce.main()
    return (folder / "lexicon.txt").read_text().splitlines()


def test_order_and_scope(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_jsonl(
        tmp_path / "cuts.jsonl.gz",
        [make_cut(text="THE DOG"), make_cut(text="BLICK GROK", pronunciations={"BLICK": "B L IH1 K"})],
    )
    spoken = line("u", "the dog")
    spoken["words"][0]["phones"] = "DH IY0"
    write_jsonl(tmp_path / "script.jsonl.gz", [spoken])
    (tmp_path / "user.txt").write_text("# mine\n\nGROK G R AA1 K\ndog(2) D AA1 G\nDOG D AO0 G\n")
    found = run(
        tmp_path, monkeypatch, "--scripts", str(tmp_path / "script.jsonl.gz"), "--lexicon", str(tmp_path / "user.txt")
    )
    assert found == [
        "DOG D AO1 G",
        "DOG D AA1 G",
        "DOG D AO0 G",
        "GROK G R AA1 K",
        "THE DH IY0",
        "THE DH AH0",
        "THE DH AH1",
    ]


def test_forms_of_the_users_own_words_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_jsonl(tmp_path / "cuts.jsonl.gz", [make_cut(text="GROK'S")])
    (tmp_path / "user.txt").write_text("GROK G R AA1 K\n")
    assert run(tmp_path, monkeypatch, "--lexicon", str(tmp_path / "user.txt")) == ["GROK'S G R AA1 K S"]


def test_arpabet_is_what_can_be_a_phone():
    assert len(pronounce.arpabet()) == 69
    assert all(map(pronounce.is_phone, pronounce.arpabet()))


def test_a_word_without_pronunciation_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    write_jsonl(tmp_path / "cuts.jsonl.gz", [make_cut(text="XQZT")])
    assert run(tmp_path, monkeypatch, "--scripts", "--lexicon") == []
    assert "1 words without any: XQZT" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"DOG D AO1 G\nCAT\n", r"user\.txt:2: 'CAT' has no phones"),
        (b"DOG D QQ G\n", r"user\.txt:1: 'QQ' is not an ARPAbet phone"),
        (b"DOG D AO G\n", r"user\.txt:1: 'AO' is not an ARPAbet phone \(vowels end in 0, 1 or 2\)"),
        (b"DOG D1 AO1 G\n", r"user\.txt:1: 'D1' is not"),
        (b"CAF\xe9 K AE1 F EY1\n", r"user\.txt: not UTF-8"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, content: bytes, says: str):
    (tmp_path / "user.txt").write_bytes(content)
    with pytest.raises(ValueError, match=says):
        pronounce.read_lexicon(tmp_path / "user.txt")


def test_all_of_cmudict_is_arpabet():
    for found in pronounce.cmudict_lexicon().values():
        for phones in found:
            assert all(map(pronounce.is_phone, phones.split()))
