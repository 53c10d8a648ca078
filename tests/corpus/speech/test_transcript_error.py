"""Book text against transcript: the rate by hand, its histogram, and the cuts that a limit drops."""

import pytest

from scripts.common.cuts import read_cuts
from scripts.common.files import read_csv, write_jsonl
from scripts.corpus.speech.transcript_error import Histogram, transcript_error
from tests.corpus.speech.test_manifest import RULES, call
from tests.factories.cuts import make_cut


def test_the_rate_is_edits_per_character_of_the_spoken_text():
    assert transcript_error(["The cat."], "THE CAT") is None
    assert transcript_error(["The cat.", " "], "THE CAT") is None
    assert transcript_error(["The cat.", "THE CAT"], "THE CAT") == 0
    assert transcript_error(["The cat.", "the, cát"], "THE CAT") == 0  # only words count, in ASCII
    assert transcript_error(["The cat.", "THE BAT"], "THE CAT") == pytest.approx(1 / 7)
    assert transcript_error(["The cat.", "123"], "THE CAT") == 1


def test_the_histogram_counts_by_bins():
    histogram = Histogram()
    assert str(histogram) == "no cut has a transcript"
    for rate in (0, 0.02, 0.03, 0.6):
        histogram.add(rate)
    assert str(histogram) == (
        "CER of book and transcript in 4 cuts: up to 2% 50.0%, up to 5% 25.0%, up to 10% 0.0%, up to 20% 0.0%,"
        " up to 50% 0.0%, above 50% 25.0%"
    )


@pytest.mark.parametrize(("limit", "left"), [(0.2, ["a", "c"]), (None, ["a", "b", "c"])])
def test_cuts_above_the_limit_are_dropped_and_counted(tmp_path, monkeypatch, capsys, limit, left):
    texts = {
        "a": ["Chapter 1. The cat sat.", "CHAPTER ONE THE CAT SAT"],
        "b": ["The dog ran off.", "SOMETHING ELSE ENTIRELY"],
        "c": ["No transcript here."],
    }
    cuts = []
    for name, given in texts.items():
        cut = make_cut(name, recording="r0")
        cut["supervisions"][0]["custom"] = {"texts": given}
        cuts.append(cut)
    (tmp_path / "r0.wav").touch()
    write_jsonl(tmp_path / "cuts.jsonl.gz", cuts)
    call(tmp_path, monkeypatch, tmp_path / "cuts.jsonl.gz", rules={**RULES, "texts": "book", "max_cer": limit})
    assert [cut["id"] for cut in read_cuts(tmp_path / "shard0.jsonl.gz")] == left
    dropped = [(row["id"], row["reason"]) for row in read_csv(tmp_path / "dropped.csv")]
    assert dropped == ([] if limit is None else [("b", "transcript")])
    said = capsys.readouterr().err
    assert ("CER of book and transcript in 2 cuts: up to 2% 50.0%" in said) == (limit is not None)
