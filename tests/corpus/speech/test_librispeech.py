"""LibriSpeech's own layout: every utterance becomes a cut or a counted drop, and no reader is in both splits."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import CutSet

from scripts.common.audio import read
from scripts.common.cuts import spoken_text
from scripts.common.files import read_csv, read_jsonl
from scripts.corpus.config import CutRules
from scripts.corpus.speech import librispeech, manifest
from tests.factories.librispeech import write_subset
from tests.factories.settings import settings

LIMITS = {"min_seconds": 0.1, "max_seconds": 30.0, "max_missing_audio": 1, "max_dropped": 1}
SOUNDS = {"1-2-0000": "HELLO WORLD", "1-2-0001": "IT'S A DOG", "1-2-0002": "GOOD BYE"}


def chapter(root: Path, texts: dict[str, str], subset: str = "train") -> Path:
    """One chapter of half-second files; returns its folder."""
    reader, number, _ = next(iter(texts)).split("-")
    folder = root / subset / reader / number
    folder.mkdir(parents=True)
    for name in texts:
        soundfile.write(folder / f"{name}.flac", np.full(8000, 0.1), 16_000)
    lines = "".join(f"{name} {text}\n" for name, text in texts.items())
    (folder / f"{reader}-{number}.trans.txt").write_text(lines)
    return folder


def convert(root: Path, monkeypatch: pytest.MonkeyPatch, subset: str = "train", **limits: float) -> Path:
    """Run the step; the cuts' file."""
    out = root / f"{subset}.jsonl.gz"
    flags = ["--audio-root", root, "--subset", root / subset, "--out", out, "--dropped", root / f"{subset}.csv"]
    monkeypatch.setattr("sys.argv", ["librispeech", *map(str, flags), "--limits", json.dumps(LIMITS | limits)])
    librispeech.main()
    return out


def reasons(root: Path, subset: str = "train") -> dict[str, str]:
    return {row["id"]: row["reason"] for row in read_csv(root / f"{subset}.csv")}


def split(root: Path, name: str, manifests: list[Path], monkeypatch: pytest.MonkeyPatch, *flags: str) -> list[dict]:
    """Write a split's shard as the workflow does; its cuts."""
    others = [str(root / "train.json")] if name == "dev" else []
    arguments = [
        *("--manifest", *map(str, manifests), "--section", "librispeech", "--split", name),
        *("--audio-root", str(root), "--shards", str(root / f"{name}.shard.jsonl.gz")),
        *("--dropped", str(root / f"{name}.split.csv"), "--recordings", str(root / f"{name}.json")),
        *("--other-splits", *others, "--split-exclusion", "speaker", *flags),
        *("--config", settings(CutRules, "corpus", max_dropped=0.9)),
    ]
    monkeypatch.setattr("sys.argv", ["manifest", *arguments])
    manifest.main()
    return list(read_jsonl(root / f"{name}.shard.jsonl.gz"))


def test_speech_of_the_world_in_this_layout_is_read_as_it_was_written(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spoken = list(read_jsonl(world / "dev.jsonl.gz"))[:8]
    names = write_subset(tmp_path, "train", spoken, world / "audio")
    cuts = {cut["id"]: cut for cut in read_jsonl(convert(tmp_path, monkeypatch))}
    assert set(cuts) == set(names)
    for name, cut in zip(names, spoken, strict=True):
        supervision = cuts[name]["supervisions"][0]
        assert supervision["text"] == spoken_text(cut)
        assert (supervision["speaker"], supervision["gender"]) == (name.partition("-")[0], "female")
        np.testing.assert_allclose(read(cuts[name], tmp_path), read(cut, world / "audio"), atol=1 / 32_000)
    assert not reasons(tmp_path)
    assert len(CutSet.from_file(tmp_path / "train.jsonl.gz")) == len(spoken)  # Lhotse reads them


def test_what_lacks_its_other_half_or_its_place_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = chapter(tmp_path, SOUNDS)
    for name in ("1-2-0003", "1-2-0004", "1-2-0005"):
        soundfile.write(folder / f"{name}.flac", np.full(8000, 0.1), 16_000)
    soundfile.write(folder / "1-2-0004.wav", np.full(8000, 0.1), 16_000)
    (folder / "1-2-0005.flac").write_bytes(b"fLaC")
    with open(folder / "1-2.trans.txt", "a") as file:
        file.write(
            "1-2-0001 AGAIN\n\n1-2-0004 TWO FILES\n1-2-0005 BROKEN\n1-2-0009 NOBODY SAID\n1-2-0002\n7-7-0000 NOT HERE\n"
        )
    alone = chapter(tmp_path, {"3-4-0000": "ONE"})
    (alone / "3-4.trans.txt").unlink()
    latin = chapter(tmp_path, {"5-6-0000": "ONE"})
    (latin / "5-6.trans.txt").write_bytes(b"5-6-0000 CAF\xc9\n")
    cuts = {cut["id"]: cut["supervisions"][0]["text"] for cut in read_jsonl(convert(tmp_path, monkeypatch))}
    assert cuts == SOUNDS
    rows = [(row["id"], row["reason"]) for row in read_csv(tmp_path / "train.csv")]
    assert sorted(rows) == [
        ("1-2-0001", "duplicate-id"),
        ("1-2-0002", "malformed"),
        ("1-2-0003", "no-text"),
        ("1-2-0004", "duplicate-id"),
        ("1-2-0005", "audio-damaged"),
        ("1-2-0009", "no-audio"),
        ("3-4-0000", "no-text"),
        ("5-6-0000", "no-text"),
        ("7-7-0000", "malformed"),
        ("train/5/6/5-6.trans.txt", "text-damaged"),
    ]
    details = {(row["id"], row["reason"]): row["detail"] for row in read_csv(tmp_path / "train.csv")}
    assert "1-2.trans.txt:4 is the second line of this id" in details["1-2-0001", "duplicate-id"]
    assert "any .trans.txt beside it" in details["3-4-0000", "no-text"]


def test_a_link_to_another_utterance_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = chapter(tmp_path, SOUNDS)
    (folder / "1-2-0003.flac").symlink_to("1-2-0000.flac")
    (folder / "1-1-0000.flac").symlink_to("1-2-0001.flac")
    (folder / "1-2.trans.txt").rename(folder / "1-2.TRANS.TXT")
    with open(folder / "1-2.TRANS.TXT", "a") as file:
        file.write("1-2-0003 ANOTHER TEXT\n")
    (folder / "1-1.trans.txt").write_text("1-1-0000 ANOTHER TEXT\n")
    assert [cut["id"] for cut in read_jsonl(convert(tmp_path, monkeypatch))] == list(SOUNDS)
    assert reasons(tmp_path) == {"1-1-0000": "same-file", "1-2-0003": "same-file"}


def test_nothing_to_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(OSError, match=r"corpus\.librispeech: .*train is not a folder; audio_root is the one"):
        convert(tmp_path, monkeypatch)
    (tmp_path / "train").mkdir()
    with pytest.raises(ValueError, match=r"train: no sound file with a line in a \.trans\.txt beside it"):
        convert(tmp_path, monkeypatch)
    chapter(tmp_path, SOUNDS)
    (tmp_path / "SPEAKERS.TXT").write_text("; the readers\n1 | F | train | 1 | A | B\n2 female train\n")
    with pytest.raises(ValueError, match=r"SPEAKERS\.TXT:3: '2 female train' is not `id \| F or M"):
        convert(tmp_path, monkeypatch)
    assert not (tmp_path / "train.jsonl.gz").exists()


def test_losses_above_their_limit_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = chapter(tmp_path, SOUNDS)
    (folder / "1-2-0000.flac").unlink()
    with pytest.raises(
        ValueError, match=r"1 of 3 utterances \(33\.33%\) are without usable audio: 1 no-audio, e\.g\. 1-2"
    ):
        convert(tmp_path, monkeypatch, max_missing_audio=0.01)
    assert not (tmp_path / "train.jsonl.gz").exists()


def test_a_reader_of_both_subsets_and_an_id_of_two_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    chapter(tmp_path, SOUNDS, "train")
    chapter(tmp_path, {"1-2-0001": "A COPY"}, "more")
    chapter(tmp_path, {"8-1-0000": "TRAIN TOO"}, "more")
    chapter(tmp_path, {"1-9-0000": "THE SAME READER"}, "dev")
    chapter(tmp_path, {"9-1-0000": "ANOTHER"}, "dev")
    found = {name: convert(tmp_path, monkeypatch, name) for name in ("train", "more", "dev")}
    train = split(tmp_path, "train", [found["train"], found["more"]], monkeypatch)
    assert sorted(cut["id"] for cut in train) == sorted([*SOUNDS, "8-1-0000"])
    assert {r["id"]: r["reason"] for r in read_csv(tmp_path / "train.split.csv")} == {"1-2-0001": "duplicate-id"}
    dev = split(tmp_path, "dev", [found["dev"]], monkeypatch)
    assert [cut["id"] for cut in dev] == ["9-1-0000"]
    (row,) = read_csv(tmp_path / "dev.split.csv")
    assert (row["id"], row["reason"]) == ("1-9-0000", "in-train")
    assert "speaker '1' is in the training manifest too" in row["detail"]


def test_held_out_readers_are_dev_and_all_others_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for reader in range(20):
        chapter(tmp_path, {f"{reader}-1-{n:04d}": "ONE" for n in range(2)})
    found = [convert(tmp_path, monkeypatch)]
    splits = {
        name: split(tmp_path, name, found, monkeypatch, "--held-out", "0.3", "--seed", "1") for name in ("train", "dev")
    }
    readers = {name: {cut["supervisions"][0]["speaker"] for cut in cuts} for name, cuts in splits.items()}
    assert not readers["train"] & readers["dev"]
    assert len(readers["train"] | readers["dev"]) == 20
    assert 2 <= len(readers["dev"]) <= 10
    assert sum(map(len, splits.values())) == 40
    assert not reasons(tmp_path)


def test_real_readers_in_the_published_layout(mini_librispeech: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "train").symlink_to(mini_librispeech / "train-clean-5")
    (tmp_path / "SPEAKERS.TXT").symlink_to(mini_librispeech / "SPEAKERS.TXT")
    cuts = list(read_jsonl(convert(tmp_path, monkeypatch)))
    assert len(cuts) == 600
    assert len({cut["supervisions"][0]["speaker"] for cut in cuts}) == 11
    assert {cut["supervisions"][0]["gender"] for cut in cuts} == {"female", "male"}
    assert not reasons(tmp_path)
    assert 1.9 < sum(cut["duration"] for cut in cuts) / 3600 < 2.3
