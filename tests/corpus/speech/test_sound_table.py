"""Tables of (file, text, speaker): every row becomes a cut or a counted drop."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.common.audio import read
from scripts.common.files import read_csv, read_jsonl
from scripts.corpus.speech import sound_table

LIMITS = {"min_seconds": 0.1, "max_seconds": 30.0, "max_missing_audio": 1, "max_dropped": 1}
COMMON_VOICE = "client_id\tpath\tsentence\tup_votes\n"


def speak(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(48_000, 0.1), 48_000)


def run(root: Path, monkeypatch: pytest.MonkeyPatch, table: str, columns: dict | None = None, **limits: float):
    """The cuts of a table of this content, whose files are below root/clips."""
    (root / "train.tsv").write_text(table)
    flags = {
        "--audio-root": root / "clips",
        "--table": root / "train.tsv",
        "--columns": json.dumps({"file": "path", "text": "sentence", "speaker": "client_id"} | (columns or {})),
        "--out": root / "cuts.jsonl.gz",
        "--dropped": root / "dropped.csv",
        "--limits": json.dumps(LIMITS | limits),
    }
    monkeypatch.setattr("sys.argv", ["table", *(str(part) for flag in flags.items() for part in flag)])
    sound_table.main()
    return list(read_jsonl(root / "cuts.jsonl.gz"))


def test_common_voice_s_rows_become_cuts_and_the_others_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("a.mp3", "b.mp3", "d.mp3", "deep/e.ogg"):
        speak(tmp_path / "clips" / name)
    (tmp_path / "clips/f.mp3").write_bytes(b"ID3")
    rows = [
        ("anna", "a.mp3", "One, two."),
        ("", "b.mp3", 'He said "three".'),
        ("anna", "a.mp3", "Again."),
        ("bert", "c.mp3", "Nobody says this."),
        ("bert", "d.mp3", ""),
        ("bert", "deep/e.ogg", "Deep."),
        ("bert", "f.mp3", "Broken."),
        ("bert", "../train.tsv", "Elsewhere."),
        ("bert", "", "No file."),
    ]
    table = COMMON_VOICE + "".join("\t".join((*row, "2")) + "\n" for row in rows)
    cuts = run(tmp_path, monkeypatch, table)
    assert {c["id"]: (c["supervisions"][0]["speaker"], c["supervisions"][0]["text"]) for c in cuts} == {
        "a": ("anna", "One, two."),
        "b": ("unknown", 'He said "three".'),
        "deep/e": ("bert", "Deep."),
    }
    assert all(len(read(cut, tmp_path / "clips")) == 16_000 for cut in cuts)
    rows = [(row["id"], row["reason"]) for row in read_csv(tmp_path / "dropped.csv")]
    assert rows == [
        ("a.mp3", "duplicate-id"),
        ("c.mp3", "audio-missing"),
        ("d.mp3", "no-text"),
        ("f.mp3", "audio-damaged"),
        ("../train.tsv", "malformed"),
        ("train.tsv:10", "malformed"),
    ]
    assert read_csv(tmp_path / "dropped.csv")[0]["detail"] == "train.tsv:4: an earlier row has this file"


def test_links_to_one_file_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As of a folder: symbolic and hard links, links to folders, a path written in two ways; the first row counts."""
    clips = tmp_path / "clips"
    speak(clips / "deep/a.wav")
    speak(clips / "b.wav")
    (clips / "linked").symlink_to("deep")
    (clips / "soft.wav").symlink_to("deep/a.wav")
    (clips / "hard.wav").hardlink_to(clips / "b.wav")
    (clips / "twice.wav").symlink_to("soft.wav")
    files = ["soft.wav", "deep/a.wav", "linked/a.wav", "twice.wav", "b.wav", "hard.wav", "./deep/../b.wav"]
    cuts = run(tmp_path, monkeypatch, COMMON_VOICE + "".join(f"anna\t{file}\tOne.\t1\n" for file in files))
    assert [(cut["id"], cut["recording"]["id"]) for cut in cuts] == [("soft", "deep/a"), ("b", "b")]
    assert [(row["id"], row["reason"]) for row in read_csv(tmp_path / "dropped.csv")] == [
        ("deep/a.wav", "same-file"),
        ("linked/a.wav", "same-file"),
        ("twice.wav", "same-file"),
        ("hard.wav", "same-file"),
        ("./deep/../b.wav", "duplicate-id"),
    ]
    cuts = run(tmp_path, monkeypatch, COMMON_VOICE + "anna\tb.wav\t\t1\nanna\thard.wav\tOne.\t1\n")
    assert [cut["id"] for cut in cuts] == ["hard"]  # a row that was dropped has read nothing


def test_other_columns_and_no_speaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    speak(tmp_path / "clips/a.flac")
    names = {"file": "wav", "text": "words", "speaker": None}
    (cut,) = run(tmp_path, monkeypatch, 'wav,words\na.flac,"One, two."\n', names)
    assert (cut["supervisions"][0]["text"], cut["supervisions"][0]["speaker"]) == ("One, two.", "unknown")
    with pytest.raises(ValueError, match=r"train\.tsv: has no column path; it has wav, words"):
        run(tmp_path, monkeypatch, "wav\twords\na.flac\tOne\n", {"text": "words", "speaker": None})


def test_a_table_without_a_usable_row_and_too_many_losses_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    table = COMMON_VOICE + "anna\ta.mp3\tOne.\t1\nanna\tb.mp3\tTwo.\t1\n"
    with pytest.raises(OSError, match=r"corpus\.folder\.audio_root: .*clips is not a folder"):
        run(tmp_path, monkeypatch, table)
    (tmp_path / "clips").mkdir()
    with pytest.raises(
        ValueError, match=r"train\.tsv: no row with a text and a sound file .*; e\.g\. a\.mp3: train\.tsv:2"
    ):
        run(tmp_path, monkeypatch, table)
    speak(tmp_path / "clips/a.mp3")
    with pytest.raises(
        ValueError, match=r"1 of 2 rows \(50%\) are without usable audio: 1 audio-missing, e\.g\. b\.mp3"
    ):
        run(tmp_path, monkeypatch, table, max_missing_audio=0.01)
    assert not (tmp_path / "cuts.jsonl.gz").exists()
