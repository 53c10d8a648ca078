"""Our dictionaries are Lhotse's MonoCuts: Lhotse reads the same files and gets the same samples."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from scripts.common import audio
from scripts.common.cuts import (
    book_text,
    holds_items,
    num_samples,
    phone_alignment,
    read_cuts,
    sides,
    speaker,
    spoken_text,
    supervision,
    with_sides,
)
from scripts.common.files import write_jsonl


def test_real_cuts_read_as_lhotse_reads_them(an4: Path):
    from lhotse import CutSet

    manifest = an4 / "libriheavy_cuts_test_clean.jsonl.gz"
    ours = list(itertools.islice(read_cuts(manifest), 20))
    for cut, theirs in zip(ours, CutSet.from_jsonl_lazy(manifest), strict=False):
        assert cut["id"] == theirs.id
        assert num_samples(cut) == theirs.num_samples
        assert speaker(cut) == theirs.supervisions[0].speaker
        assert [book_text(cut), spoken_text(cut)] == theirs.supervisions[0].custom["texts"]
        wave = theirs.with_recording_path_prefix(an4).load_audio()[0]
        np.testing.assert_allclose(audio.read(cut, an4), wave, atol=1e-7)


def test_alignments_are_lhotses_alignment_items(an4: Path, tmp_path: Path):
    from lhotse import CutSet

    cut = next(read_cuts(an4 / "libriheavy_cuts_small.jsonl.gz"))
    supervision(cut)["alignment"] = {"phone": [["SIL", 0.0, 0.25, -50.0], ["Y", 0.25, 0.75, -40.0]]}
    write_jsonl(tmp_path / "aligned.jsonl.gz", [cut])
    theirs = next(iter(CutSet.from_jsonl_lazy(tmp_path / "aligned.jsonl.gz"))).supervisions[0].alignment["phone"]
    assert [(item.symbol, item.start, item.duration) for item in theirs] == phone_alignment(cut)


def test_a_file_of_task_items_is_read_positive_side_first(tmp_path: Path):
    items = [{"id": "1", "positive": {"id": "a"}, "negative": {"id": "b"}}]
    items.append({"id": "2", "positive": {"id": "c"}, "negative": [{"id": "d"}, {"id": "e"}]})
    write_jsonl(tmp_path / "task.jsonl.gz", items)
    assert [cut["id"] for cut in read_cuts(tmp_path / "task.jsonl.gz")] == ["a", "b", "c", "d", "e"]
    assert [with_sides(item, sides(item)) for item in items] == items
    assert holds_items(tmp_path / "task.jsonl.gz")
    write_jsonl(tmp_path / "cuts.jsonl.gz", sides(items[0]))
    assert not holds_items(tmp_path / "cuts.jsonl.gz")


def test_exactly_one_supervision_is_expected():
    with pytest.raises(ValueError, match="cut c1: has 0 supervisions, expected exactly 1"):
        supervision({"id": "c1"})
