"""A folder of audio and texts: every file becomes a cut or a counted drop."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import CutSet

from scripts.common.audio import read
from scripts.common.files import read_csv, read_jsonl
from scripts.corpus.speech import folder


def speak(path: Path, seconds: float = 0.5, rate: int = 16_000, channels: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full((round(seconds * rate), channels), 0.1), rate)


def run(root: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    flags = ["--audio-root", root, "--folder", root / "train", "--out", root / "cuts.jsonl.gz"]
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
    with pytest.raises(ValueError, match=r"train: no \.wav or \.flac with a \.txt"):
        run(tmp_path, monkeypatch)
    assert not (tmp_path / "cuts.jsonl.gz").exists()
