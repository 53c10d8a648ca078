"""Every difference between a file and its cuts is found and listed once."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import Recording

from scripts.common import audio_errors
from scripts.common.files import read_csv, write_jsonl
from scripts.common.progress import Progress
from scripts.corpus.speech import audio_check, audio_check_summary
from tests.factories.sounds import UNREADABLE, break_off, headerless_mp3, noise, streamed_flac, streamed_wav


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


def found(folder: Path, *recordings: dict) -> dict[str, str]:
    """Problems by recording, with their details."""
    progress = Progress("audio_check", len(recordings), "files")
    by_id = {each["id"]: each for each in recordings}
    return {
        row["recording"]: f"{row['problem']}: {row['detail']}" for row in audio_check.check(by_id, folder, progress)
    }


def at(path: Path, seconds: float = 3.0, rate: int = 16_000, **more: object) -> dict:
    """The recording of a file, with the length that is given."""
    fields = {"duration": seconds, "sampling_rate": rate, "num_samples": round(seconds * rate)}
    return recording(path.name, sources=[{"type": "file", "channels": [0], "source": path.name}], **fields, **more)


def test_what_a_header_promises_must_be_there(tmp_path: Path):
    """Even if the manifest was made of the broken copy and agrees with it."""
    kinds = {"wav": None, "aiff": None, "w64": None, "sph": "NIST", "ogg": None, "opus": "OGG"}
    paths = [tmp_path / f"a.{ending}" for ending in kinds]
    for path, form in zip(paths, kinds.values(), strict=True):
        soundfile.write(path, noise(3), 16_000, format=form, subtype="OPUS" if path.suffix == ".opus" else None)
        break_off(path, 0.7)
    stated = [at(path, soundfile.info(str(path)).duration) for path in paths]
    problems = found(tmp_path, *stated)
    assert list(problems) == [path.name for path in paths]
    assert all(text.startswith("damaged: ") for text in problems.values())
    promised = [name for name, text in problems.items() if "its header promises 3.000 s" in text]
    assert promised == ["a.wav", "a.aiff", "a.w64", "a.sph"]
    assert all("ends without the last page" in problems[name] for name in ("a.ogg", "a.opus"))


def test_files_from_pipes_and_estimated_lengths_are_no_problem(tmp_path: Path):
    streamed_wav(tmp_path / "piped.wav", noise(3))
    streamed_flac(tmp_path / "piped.flac", noise(3))
    headerless_mp3(tmp_path / "old.mp3", noise(3, 44_100))
    soundfile.write(tmp_path / "lame.mp3", noise(3, 44_100), 44_100)
    pipes = [at(tmp_path / name) for name in ("piped.wav", "piped.flac")]
    estimate = soundfile.info(str(tmp_path / "old.mp3")).duration
    mp3 = [at(tmp_path / "old.mp3", estimate, 44_100), at(tmp_path / "lame.mp3", 3.0, 44_100)]
    assert found(tmp_path, *pipes, *mp3) == {}
    wrong = [at(tmp_path / "piped.flac", 2.5), at(tmp_path / "old.mp3", 4.0, 44_100)]
    assert [text.partition(";")[0] for text in found(tmp_path, *wrong).values()] == [
        "length: 3.000 s",
        "length: 3.030 s",  # 116 frames of 1,152 samples
    ]


def test_a_transformed_recording_is_compared_with_its_file(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", noise(3, 44_100), 44_100)
    whole = Recording.from_file(tmp_path / "a.wav", recording_id="a")
    assert found(tmp_path, whole.resample(16_000).perturb_speed(1.1).to_dict()) == {}
    other = whole.perturb_tempo(1.1).to_dict()
    assert found(tmp_path, other)[other["id"]].startswith("transform: its recording has the transform 'Tempo'")
    short = whole.perturb_speed(1.1).to_dict() | {"transforms": None}
    assert found(tmp_path, short)[short["id"]].startswith("length: ")


def test_every_source_of_a_recording_is_checked(tmp_path: Path):
    soundfile.write(tmp_path / "left.wav", noise(3), 16_000)
    soundfile.write(tmp_path / "right.wav", noise(2), 16_000)
    sources = [{"type": "file", "channels": [i], "source": f"{side}.wav"} for i, side in enumerate(("left", "right"))]
    both = recording("both", sources=sources, channel_ids=[0, 1])
    assert found(tmp_path, both) == {"both": "length: 2.000 s; the manifest says 3.000"}
    soundfile.write(tmp_path / "right.wav", noise(3), 16_000)
    assert found(tmp_path, both) == {}


def test_a_file_that_cannot_be_reached_ends_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audio_errors.time, "sleep", lambda _: None)
    (tmp_path / "a.wav").symlink_to(UNREADABLE)
    with pytest.raises(OSError, match=r"a\.wav is there but cannot be read"):
        found(tmp_path, at(tmp_path / "a.wav"))
