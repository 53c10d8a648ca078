"""Every way in which a file may not be what its cuts say is found, and named once."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.common.files import read_csv, write_jsonl
from scripts.corpus.speech import audio_check, audio_check_summary


def recording(name: str, **more: object) -> dict:
    stated = {"sampling_rate": 16_000, "num_samples": 48_000, "duration": 3.0, "channel_ids": [0]}
    return {"id": name, "sources": [{"type": "file", "source": f"{name}.flac"}], **stated, **more}


def write(folder: Path, name: str, seconds: float = 3.0, rate: int = 16_000, channels: int = 1) -> Path:
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (round(seconds * rate), channels))
    soundfile.write(folder / f"{name}.flac", noise, rate)
    return folder / f"{name}.flac"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    write(tmp_path, "good")
    write(tmp_path, "rounded", seconds=3.0005)
    write(tmp_path, "fast", rate=22_050)
    write(tmp_path, "short", seconds=2.5)
    write(tmp_path, "stereo", channels=2)
    cut = write(tmp_path, "truncated")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (tmp_path / "page.flac").write_text("<html>")
    (tmp_path / "empty.flac").touch()
    names = ["good", "rounded", "fast", "short", "stereo", "truncated", "page", "empty", "gone"]
    cuts = [{"id": f"{name}-{i}", "recording": recording(name)} for name in names for i in range(2)]
    write_jsonl(tmp_path / "0.jsonl.gz", cuts)
    pair = {"positive": cuts[0], "negative": cuts[-1]}
    write_jsonl(tmp_path / "task.jsonl.gz", [pair])
    return tmp_path


def test_problems_are_listed_once_per_file(corpus: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    for name in ("0", "task"):
        flags = ["--cuts", corpus / f"{name}.jsonl.gz", "--audio-root", corpus, "--out", corpus / f"{name}.csv"]
        monkeypatch.setattr("sys.argv", ["audio_check", *map(str, flags)])
        audio_check.main()
    assert "9 files, problems: 3 damaged" in capsys.readouterr().err
    found = {row["recording"]: row["problem"] for row in read_csv(corpus / "0.csv")}
    assert found == {
        "fast": "rate",
        "short": "length",
        "stereo": "channels",
        "truncated": "damaged",
        "page": "damaged",
        "empty": "damaged",
        "gone": "missing",
    }
    flags = ["--parts", corpus / "0.csv", corpus / "task.csv", "--out", corpus / "all.csv"]
    monkeypatch.setattr("sys.argv", ["audio_check_summary", *map(str, flags)])
    audio_check_summary.main()
    assert [row["recording"] for row in read_csv(corpus / "all.csv")] == list(found)
    assert "7 files have a problem (1 channels, 3 damaged, 1 length, 1 missing, 1 rate)" in capsys.readouterr().err
