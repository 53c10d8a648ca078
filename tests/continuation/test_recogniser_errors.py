"""Error rates, by hand; and a line without a reference is refused."""

from pathlib import Path

import pytest

from scripts.common.files import read_csv, write_jsonl
from scripts.continuation.control_speech import WORDS, random_words
from scripts.continuation.recogniser_errors import main, reference_pairs, row
from tests.factories.cuts import sentences_cut

LEXICON = {"SUN": (("S", "AH1", "N"),), "SON": (("S", "AH1", "N"),), "HOT": (("HH", "AA1", "T"),)}


def test_words_and_phones_are_counted_apart():
    found = row("x", [("HOT SUN", "hot son"), ("SUN", "")], LEXICON)
    assert found["words"] == 3
    assert (found["substitutions"], found["deletions"], found["insertions"]) == (1, 1, 0)
    assert found["word_error_rate"] == pytest.approx(2 / 3, abs=1e-6)
    assert found["phone_error_rate"] == pytest.approx(3 / 9, abs=1e-6)


def test_more_insertions_than_words_are_more_than_all_wrong():
    assert row("x", [("SUN", "HOT HOT HOT")], LEXICON)["word_error_rate"] == 3.0


def test_marks_and_case_are_no_errors():
    assert row("x", [("HOT SUN", "Hot, sun!")], LEXICON)["word_error_rate"] == 0


def test_references_without_words_are_refused():
    with pytest.raises(ValueError, match="held-out: the references hold no words"):
        row("held-out", [("", "")], LEXICON)


def test_a_line_without_a_reference_is_refused(tmp_path: Path):
    write_jsonl(tmp_path / "transcripts.jsonl", [{"id": "b", "text": "x"}])
    with pytest.raises(ValueError, match=r"transcripts.jsonl: 'b' has no reference"):
        reference_pairs({"a": "x"}, tmp_path / "transcripts.jsonl")


def test_random_words_are_of_the_lexicon_and_the_same_for_a_seed(tmp_path: Path):
    (tmp_path / "lexicon.txt").write_text("SUN S AH1 N\nHOT HH AA1 T\n")
    lines = random_words(str(tmp_path / "lexicon.txt"), 3, 1)
    assert all(len(line["reference"].split()) == WORDS for line in lines)
    assert {word for line in lines for word in line["reference"].split()} == {"SUN", "HOT"}
    assert lines[0]["symbols"].split()[0] == "SIL"
    assert len(lines[0]["symbols"].split()) == 3 * WORDS + 2
    assert lines == random_words(str(tmp_path / "lexicon.txt"), 3, 1)
    assert lines != random_words(str(tmp_path / "lexicon.txt"), 3, 2)


def test_the_step_has_a_row_per_kind_of_speech(tmp_path: Path, run_step):
    (tmp_path / "lexicon.txt").write_text("SUN S AH1 N\n")
    real = sentences_cut("p0/real", sentences=1)
    write_jsonl(tmp_path / "cuts.jsonl", [real])
    spoken = "THE DOG SAT ON"
    write_jsonl(tmp_path / "cuts-transcripts.jsonl", [{"id": "p0/real", "reference": spoken, "text": spoken}])
    write_jsonl(tmp_path / "references.jsonl", [{"id": "p0", "reference": spoken}])
    write_jsonl(tmp_path / "transcripts.jsonl", [{"id": "p0", "prompt": "p0", "text": "THE DOG ON"}])
    run_step(
        main, "--cuts", tmp_path / "cuts.jsonl", "--lexicon", tmp_path / "lexicon.txt",
        "--cuts-transcript", tmp_path / "cuts-transcripts.jsonl",
        "--references", tmp_path / "references.jsonl", tmp_path / "references.jsonl",
        "--controls", tmp_path / "transcripts.jsonl", tmp_path / "transcripts.jsonl",
        "--modalities", "phone-raw", "--real", tmp_path / "transcripts.jsonl", "--out", tmp_path / "out.csv",
    )  # fmt: skip
    rates = {line["speech"]: float(line["word_error_rate"]) for line in read_csv(tmp_path / "out.csv")}
    assert rates == {"held-out": 0, "copied": 0.25, "random-words": 0.25, "phone-raw": 0.25}
