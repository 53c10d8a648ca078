"""A folder of audio and texts: every file becomes a cut or a counted drop."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import CutSet

from scripts.common import audio_errors
from scripts.common.audio import read
from scripts.common.files import read_csv, read_jsonl
from scripts.corpus.sound_files import SOUND
from scripts.corpus.speech import folder
from tests.factories.sounds import UNREADABLE, break_off, noise, streamed_flac, streamed_wav


def speak(path: Path, seconds: float = 0.5, rate: int = 16_000, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full((round(seconds * rate), channels), 0.1), rate)


LIMITS = {"min_seconds": 0.1, "max_seconds": 30.0, "max_missing_audio": 1, "max_dropped": 1}


def run(root: Path, monkeypatch: pytest.MonkeyPatch, **limits: float) -> list[dict]:
    flags = [
        "--limits",
        json.dumps(LIMITS | limits),
        "--audio-root",
        root,
        "--folder",
        root / "train",
        "--out",
        root / "cuts.jsonl.gz",
    ]
    monkeypatch.setattr("sys.argv", ["folder", *map(str, flags), "--dropped", str(root / "dropped.csv")])
    folder.main()
    return list(read_jsonl(root / "cuts.jsonl.gz"))


def test_files_become_cuts_and_what_lacks_its_other_half_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    train = tmp_path / "train"
    speak(train / "anna/book/one.wav")
    (train / "anna/book/one.txt").write_text("One, two.\n")
    speak(train / "top.flac", rate=22_050, channels=2)
    (train / "top.txt").write_text("\ufeffThree.")
    speak(train / "silent.wav")
    (train / "alone.txt").write_text("Nobody says this.")
    speak(train / "twice.wav")
    speak(train / "twice.flac")
    (train / "twice.txt").write_text("Twice.")
    (train / "broken.wav").write_bytes(b"RIFF")
    (train / "broken.txt").write_text("Broken.")
    speak(train / "latin.wav")
    (train / "latin.txt").write_bytes(b"caf\xe9")
    (train / "notes.md").write_text("not ours")
    cuts = run(tmp_path, monkeypatch)
    by_id = {c["id"]: (c["supervisions"][0]["speaker"], c["supervisions"][0]["text"].strip()) for c in cuts}
    assert by_id == {"train/anna/book/one": ("anna", "One, two."), "train/top": ("unknown", "Three.")}
    assert {row["id"]: row["reason"] for row in read_csv(tmp_path / "dropped.csv")} == {
        "train/silent": "no-text",
        "train/alone": "no-audio",
        "train/twice": "duplicate-id",
        "train/broken": "audio-damaged",
        "train/latin": "text-damaged",
    }
    assert [len(read(c, tmp_path)) for c in sorted(cuts, key=lambda c: c["id"])] == [8000, 8000]
    assert len(CutSet.from_file(tmp_path / "cuts.jsonl.gz")) == 2  # Lhotse reads them


def test_a_folder_with_nothing_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(OSError, match=r"corpus\.folder: .*train is not a folder"):
        run(tmp_path, monkeypatch)
    (tmp_path / "train").mkdir()
    with pytest.raises(ValueError, match=r"train: no sound file \(\.wav, \.flac, \.mp3, .*\) with a \.txt"):
        run(tmp_path, monkeypatch)
    assert not (tmp_path / "cuts.jsonl.gz").exists()


def write(path: Path, text: str = "One, two.") -> None:
    """A sound file and its text."""
    speak(path)
    path.with_suffix(".txt").write_text(text)


def ids(root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, str]]:
    cuts = run(root, monkeypatch)
    return sorted(c["id"] for c in cuts), {row["id"]: row["reason"] for row in read_csv(root / "dropped.csv")}


def test_links_lead_to_every_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Links to the folder itself, to parents, to a sibling and to one file from two places; and to a disk elsewhere."""
    train = tmp_path / "train"
    write(train / "b/one.wav")
    write(train / "b/deep/two.wav")
    write(tmp_path / "dev/three.wav")
    write(tmp_path / "elsewhere/disk/four.wav")
    links = {"b/self": ".", "b/deep/up": "..", "b/deep/top": "../..", "above": "..", "a": "b/deep", "c": "b"}
    for name, target in {**links, "disk": "../elsewhere/disk", "disk2": "../elsewhere/disk"}.items():
        (train / name).symlink_to(target)
    for ending in (".wav", ".txt"):
        (train / f"again{ending}").symlink_to(f"b/one{ending}")
        os.link(train / f"b/one{ending}", train / f"b/same{ending}")
    found, dropped = ids(tmp_path, monkeypatch)
    assert found == ["train/b/deep/two", "train/b/one", "train/disk/four"]
    others = [*links, "disk2", "again", "b/same"]
    assert dropped == {f"train/{name}": "same-file" for name in others}


def test_a_file_of_dev_keeps_its_recording_under_a_name_in_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path / "dev/x/one.wav")
    (tmp_path / "train").mkdir()
    (tmp_path / "train/theirs").symlink_to("../dev/x")
    (tmp_path / "train/two.wav").symlink_to("../dev/x/one.wav")
    (tmp_path / "train/two.txt").write_text("Two.")
    cuts = run(tmp_path, monkeypatch)
    assert [(c["id"], c["recording"]["id"]) for c in cuts] == [("train/theirs/one", "dev/x/one")]
    assert len(read(cuts[0], tmp_path)) == 8000


def test_links_that_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path / "train/good.wav")
    (tmp_path / "train/gone.wav").symlink_to("/nowhere/gone.wav")
    (tmp_path / "train/gone.txt").write_text("Gone.")
    speak(tmp_path / "train/mute.wav")
    (tmp_path / "train/mute.txt").symlink_to("mute.txt")
    found, dropped = ids(tmp_path, monkeypatch)
    assert found == ["train/good"]
    assert dropped == {"train/gone": "audio-missing", "train/mute": "no-text"}


def test_endings_in_capitals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    train = tmp_path / "train"
    for name in ("A.WAV", "B.Flac", "c.wav", "D.WAV"):
        speak(train / "x.flac" if "Flac" in name else train / "x.wav")
        next(train.glob("x.*")).rename(train / name)
    for name in ("A.TXT", "B.txt", "c.Txt", "D.TXT", "D.txt"):
        (train / name).write_text(f"Text of {name}")
    cuts = run(tmp_path, monkeypatch)
    assert {c["id"]: c["supervisions"][0]["text"] for c in cuts} == {
        "train/A": "Text of A.TXT",
        "train/B": "Text of B.txt",
        "train/c": "Text of c.Txt",
    }
    assert [len(read(c, tmp_path)) for c in cuts] == [8000] * 3
    assert {row["id"]: row["reason"] for row in read_csv(tmp_path / "dropped.csv")} == {"train/D": "duplicate-id"}


def test_a_name_that_is_not_utf8_is_dropped_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path / "train/good.wav")
    write(tmp_path / "train/größe.wav")
    for name in (b"caf\xe9", b"\xff/x"):
        path = tmp_path / "train" / os.fsdecode(name)
        path.parent.mkdir(exist_ok=True)
        for ending in (".wav", ".txt"):
            shutil.copy(tmp_path / f"train/good{ending}", f"{path}{ending}")
    found, dropped = ids(tmp_path, monkeypatch)
    assert found == ["train/good", "train/größe"]
    assert dropped == {"train/caf\\xe9": "name-not-utf8", "train/\\xff/x": "name-not-utf8"}


def test_lengths_that_headers_do_not_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    train = tmp_path / "train"
    for name in ("broken.wav", "piped.wav", "piped2.flac"):
        write(train / name)
    break_off(train / "broken.wav", 0.7)
    streamed_wav(train / "piped.wav", noise(0.5))
    streamed_flac(train / "piped2.flac", noise(0.75))
    cuts = run(tmp_path, monkeypatch)
    assert {c["id"]: c["duration"] for c in cuts} == {"train/piped": 0.5, "train/piped2": 0.75}
    assert [len(read(c, tmp_path)) for c in cuts] == [8000, 12_000]
    (row,) = read_csv(tmp_path / "dropped.csv")
    assert (row["id"], row["reason"]) == ("train/broken", "audio-damaged")
    assert "its header promises 0.500 s: the copy broke off" in row["detail"]


def test_a_file_that_cannot_be_read_ends_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path / "train/good.wav")
    for ending in (".wav", ".txt"):
        write(tmp_path / "train/bad.wav")
        (tmp_path / f"train/bad{ending}").unlink()
        (tmp_path / f"train/bad{ending}").symlink_to(UNREADABLE)
        monkeypatch.setattr(audio_errors.time, "sleep", lambda _: None)
        with pytest.raises(OSError, match=rf"bad\{ending} is there but cannot be read \(Input/output error\)"):
            run(tmp_path, monkeypatch)
        (tmp_path / f"train/bad{ending}").unlink()
    assert not (tmp_path / "dropped.csv").exists()


def test_losses_above_their_limit_end_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("a", "b", "c"):
        write(tmp_path / f"train/{name}.wav")
    (tmp_path / "train/a.wav").unlink()
    with pytest.raises(
        ValueError, match=r"1 of 3 files \(33\.33%\) are without usable audio: 1 no-audio, e\.g\. train/a"
    ):
        run(tmp_path, monkeypatch, max_missing_audio=0.01)
    assert not (tmp_path / "cuts.jsonl.gz").exists()
    speak(tmp_path / "train/a.wav")
    (tmp_path / "train/b.txt").unlink()
    with pytest.raises(ValueError, match=r"dropped for their content: 1 no-text, .*corpus\.max_dropped allows 20%"):
        run(tmp_path, monkeypatch, max_dropped=0.2)
    (tmp_path / "train/again").symlink_to(".")  # a link loses nothing
    assert len(run(tmp_path, monkeypatch, max_dropped=0.34)) == 2


def test_every_format_of_libsndfile_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    kinds = {
        ".wav": {}, ".mp3": {}, ".ogg": {}, ".oga": {"format": "OGG"}, ".opus": {"format": "OGG", "subtype": "OPUS"},
        ".aiff": {}, ".aif": {"format": "AIFF"}, ".aifc": {"format": "AIFF"}, ".au": {}, ".caf": {}, ".w64": {},
        ".flac": {}, ".snd": {"format": "AU"}, ".rf64": {}, ".sph": {"format": "NIST"}, ".nist": {},
    }  # fmt: skip
    assert set(kinds) == set(SOUND)
    for ending, how in kinds.items():
        path = tmp_path / f"train/s/of-{ending[1:]}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise(0.5), 16_000, **how)
        path.with_suffix(".txt").write_text("One, two.")
    cuts = run(tmp_path, monkeypatch)
    assert {c["id"] for c in cuts} == {f"train/s/of-{ending[1:]}" for ending in SOUND}
    for cut in cuts:
        assert cut["duration"] == pytest.approx(0.5, abs=0.08)  # an MP3 is whole frames
        assert np.abs(read(cut, tmp_path)).max() > 0.1
