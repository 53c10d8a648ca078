"""How a manifest's cuts are assigned to splits: nothing of train is in dev, and LibriHeavy's texts become words."""

from pathlib import Path

import pytest

from scripts.common.cuts import read_cuts, spoken_text
from scripts.common.files import read_json, write_jsonl
from tests.corpus.speech.test_manifest import AN4, call, drops, run
from tests.factories.cuts import make_cut


def test_dev_leaves_out_the_recordings_of_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    run(tmp_path, monkeypatch, [make_cut("a", "r0"), make_cut("b", "r1"), make_cut("bad", "r2", text="")])
    used = tmp_path / "train.json"
    (tmp_path / "recordings.json").rename(used)
    assert read_json(used) == {"recording": ["r0", "r1"], "speaker": ["s"], "book": []}
    path = tmp_path / "dev.jsonl"
    write_jsonl(path, [make_cut("c", "r1"), make_cut("d", "r2")])
    call(tmp_path, monkeypatch, path, others=[used])
    assert [c["id"] for c in read_cuts(tmp_path / "shard0.jsonl.gz")] == ["d"]
    assert drops(tmp_path) == {"c": "in-train"}
    write_jsonl(path, [make_cut("c", "r1")])
    with pytest.raises(
        ValueError, match=r"no usable cut \(dropped: 1 in-train, e.g. c: recording 'r1' is in the train"
    ):
        call(tmp_path, monkeypatch, path, others=[used])


def libriheavy(name: str, speaker: str, book: str, recording: str = "r0") -> dict:
    """A cut with the two texts, the contexts and the book of LibriHeavy's."""
    made = make_cut(name, recording, custom={"text_path": book})
    supervision = made["supervisions"][0] | {"speaker": speaker}
    supervision["custom"] = {"texts": ["In 1865—he “died”.", "IN EIGHTEEN SIXTY FIVE HE DYED"], "pre_texts": ["x", "X"]}
    return {**made, "supervisions": [supervision | {"custom": {**supervision["custom"], "begin_byte": 3}}]}


def test_libriheavy_keeps_the_page_ties_it_to_its_words_and_leaves_contexts_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_jsonl(tmp_path / "c.jsonl.gz", [libriheavy("a", "1", "b"), libriheavy("b", "1", "b", "gone")])
    (tmp_path / "r0.wav").touch()
    call(tmp_path, monkeypatch, tmp_path / "c.jsonl.gz", more=["--need-audio"], rules={"texts": "book"})
    (left,) = read_cuts(tmp_path / "shard0.jsonl.gz")
    texts = ['In 1865 - he "died".', "IN EIGHTEEN SIXTY FIVE HE DIED"]
    assert left["supervisions"][0]["custom"] == {"texts": texts, "begin_byte": 3}
    assert left["custom"] == {"text_path": "b"}
    assert drops(tmp_path) == {"b": "audio-missing"}


def test_dev_leaves_out_the_speakers_and_books_of_train_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "r0.wav").touch()
    rules, path, used = {"texts": "book"}, tmp_path / "c.jsonl", tmp_path / "used.json"
    write_jsonl(path, [libriheavy("a", "1", "red"), libriheavy("b", "2", "blue")])
    call(tmp_path, monkeypatch, path, rules=rules)
    (tmp_path / "recordings.json").rename(used)
    dev = [("c", "1", "green"), ("d", "3", "blue"), ("e", "unknown", "black"), ("f", "4", "white")]
    write_jsonl(path, [libriheavy(*each, "r1") for each in dev])
    (tmp_path / "r1.wav").touch()
    for keys, left in ((["speaker", "book"], "ef"), (["book"], "cef"), (["speaker"], "def"), ([], "cdef")):
        call(tmp_path, monkeypatch, path, others=[used], more=["--split-exclusion", *keys], rules=rules)
        assert "".join(c["id"] for c in read_cuts(tmp_path / "shard0.jsonl.gz")) == left
        assert set(drops(tmp_path).values()) <= {"in-train"}


def test_held_out_speakers_are_in_one_split_and_every_cut_in_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "r0.wav").touch()
    write_jsonl(
        tmp_path / "c.jsonl", [make_cut("bad", text=""), *(libriheavy(f"{i}", f"{i % 40}", "b") for i in range(200))]
    )
    speakers, ids, dropped = [], [], []
    for split in ("train", "dev"):
        more = ["--held-out", 0.25, "--seed", 3, "--split", split]
        call(tmp_path, monkeypatch, tmp_path / "c.jsonl", more=more, rules={"texts": "book"})
        left = list(read_cuts(tmp_path / "shard0.jsonl.gz"))
        speakers.append({c["supervisions"][0]["speaker"] for c in left})
        ids += [c["id"] for c in left]
        dropped += drops(tmp_path)
    assert len(ids) == len(set(ids)) == 200
    assert not speakers[0] & speakers[1]
    assert 3 <= len(speakers[1]) <= 20
    assert dropped == ["bad"]
    write_jsonl(tmp_path / "c.jsonl", [libriheavy("a", "1", "b")])
    with pytest.raises(ValueError, match=r"corpus\.manifest\.held_out = 1e-06 leaves dev no speaker"):
        call(tmp_path, monkeypatch, tmp_path / "c.jsonl", more=["--held-out", 1e-6, "--split", "dev"])


@pytest.mark.skipif(not AN4.exists(), reason="needs an4 in LibriHeavy's shape (set SHARED)")
def test_an4_as_libriheavy_keeps_the_same_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    manifest = AN4 / "libriheavy_cuts_test_clean.jsonl.gz"
    call(tmp_path, monkeypatch, manifest, root=AN4, rules={"texts": "book"}, more=["--need-audio"])
    before = {c["id"]: spoken_text(c) for c in read_cuts(manifest)}
    after = {c["id"]: spoken_text(c) for c in read_cuts(tmp_path / "shard0.jsonl.gz")}
    assert after == before
    assert drops(tmp_path) == {}
