"""Files shorter than their headers state, headers without a length, and files that cannot be read."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.common import audio_errors
from scripts.common.audio import AudioError, UnreachableError, read
from scripts.common.audio_errors import exists
from scripts.common.sound_file import whole_file
from tests.factories.sounds import (
    RATE,
    UNREADABLE,
    break_off,
    noise,
    streamed_flac,
    streamed_wav,
)


def cut_of(path: Path, start: float = 0.0, duration: float = 1.0) -> dict:
    return {"id": "c1", "start": start, "duration": duration, "recording": {"sources": [{"source": path.name}]}}


def reason(cut: dict, root: Path, says: str = "c1") -> str:
    with pytest.raises(AudioError, match=says) as error:
        read(cut, root)
    return error.value.reason


FORMS = [
    ("WAV", "PCM_16"),
    ("WAV", "MS_ADPCM"),
    ("WAVEX", "FLOAT"),
    ("RF64", "PCM_24"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("AU", "ULAW"),
    ("NIST", "PCM_16"),
    ("NIST", "ULAW"),
]


@pytest.mark.parametrize(("form", "subtype"), FORMS)
def test_a_copy_that_broke_off_is_damaged_from_where_it_broke(tmp_path: Path, form: str, subtype: str):
    path = tmp_path / "a.sound"
    soundfile.write(path, noise(4), RATE, format=form, subtype=subtype)
    assert abs(whole_file(path).frames - 4 * RATE) < 1024  # ADPCM is in blocks
    assert len(read(cut_of(path, 3.5, 0.5), tmp_path)) == RATE // 2
    break_off(path, 0.6)
    held = soundfile.info(str(path)).duration
    with pytest.raises(AudioError, match=r"holds 2\.\d{3} s, its header promises 4\.0\d\d s") as error:
        whole_file(path)
    assert error.value.reason == "audio-damaged"
    # Lhotse states what libsndfile finds: the cut ends where the copy does.
    assert reason(cut_of(path, 0.0, held), tmp_path, "promises") == "audio-damaged"
    assert reason(cut_of(path, 0.0, 4.0), tmp_path) == "audio-damaged"
    assert len(read(cut_of(path, 0.5, 1.0), tmp_path)) == RATE  # what is there is itself


def test_a_copy_that_broke_off_after_its_header_is_damaged(tmp_path: Path):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(4), RATE)
    path.write_bytes(path.read_bytes()[:44])
    with pytest.raises(AudioError, match="ends after its header"):
        whole_file(path)


def test_chunks_after_the_samples_are_not_missing_samples(tmp_path: Path):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(1), RATE)
    path.write_bytes(path.read_bytes() + b"LIST\x00\x10\x00\x00INFO")  # 4096 bytes of comment, broken off
    assert whole_file(path).frames == RATE


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x7FFFF000, 0x80000000, 0x7FFFFFFF - 36])
def test_a_wav_from_a_pipe_is_as_long_as_it_is(tmp_path: Path, size: int):
    path = tmp_path / "a.wav"
    streamed_wav(path, noise(2), size)
    assert whole_file(path).frames == 2 * RATE
    np.testing.assert_allclose(read(cut_of(path, 1.0, 1.0), tmp_path), noise(2)[RATE:], atol=1e-4)


def test_a_flac_from_a_pipe_is_counted(tmp_path: Path):
    path = tmp_path / "a.flac"
    for seconds, channels in ((2.0, 1), (20.5, 2)):
        streamed_flac(path, noise(seconds, channels=channels))
        assert whole_file(path).frames == round(seconds * RATE)
    got = read(cut_of(path, 19.5, 1.0), tmp_path)
    np.testing.assert_allclose(got, noise(20.5, channels=2)[-RATE:].mean(axis=1), atol=1e-4)
    assert reason(cut_of(path, 20.0, 1.0), tmp_path, r"holds 20\.50 s, the cut ends at 21\.00 s") == "audio-too-short"
    break_off(path, 0.5)
    assert 9 * RATE < whole_file(path).frames < 11 * RATE
    (tmp_path / "b.flac").write_bytes(path.read_bytes()[:42])
    with pytest.raises(AudioError):
        whole_file(tmp_path / "b.flac")


def test_a_caf_that_lacks_its_last_bytes_is_damaged(tmp_path: Path):
    path = tmp_path / "a.caf"
    soundfile.write(path, noise(4), RATE)
    assert whole_file(path).frames == 4 * RATE
    break_off(path, 0.99)
    with pytest.raises(AudioError, match=r"a\.caf"):
        whole_file(path)
    soundfile.write(path, noise(4), RATE)
    break_off(path, 0.999)  # libsndfile reads 3.996 s
    with pytest.raises(AudioError, match=r"holds 3\.996 s, its header promises 4\.000 s"):
        whole_file(path)


@pytest.mark.parametrize("kinds", [("OGG", "VORBIS"), ("OGG", "OPUS"), ("OGG", "OPUS", 2)])
def test_an_ogg_without_its_last_page_is_damaged_from_where_it_broke(tmp_path: Path, kinds: tuple):
    path = tmp_path / "a.ogg"
    soundfile.write(path, noise(8, channels=kinds[2] if len(kinds) > 2 else 1), RATE, format="OGG", subtype=kinds[1])
    whole = path.read_bytes()
    assert whole_file(path).frames == 8 * RATE
    path.write_bytes(whole + b"behind the stream")
    assert len(read(cut_of(path, 7.5, 0.5), tmp_path)) == RATE // 2
    pages = [place for place in range(len(whole)) if whole.startswith(b"OggS\0", place)]
    for length in (len(whole) - 1, pages[-1], pages[-1] + 3, pages[-1] + 20, round(0.6 * len(whole))):
        path.write_bytes(whole[:length])
        with pytest.raises(AudioError, match=r"a\.ogg ends without the last page of its stream, after") as error:
            whole_file(path)
        assert error.value.reason == "audio-damaged"
        held = soundfile.info(str(path)).duration
        assert reason(cut_of(path, 1.0, held - 1), tmp_path, "the copy broke off") == "audio-damaged"
        assert len(read(cut_of(path, 0.5, 1.0), tmp_path)) == RATE  # what is there is itself


def test_an_unreadable_file_ends_the_job_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    waits: list[float] = []
    monkeypatch.setattr(audio_errors.time, "sleep", waits.append)
    path = tmp_path / "a.wav"
    path.symlink_to(UNREADABLE)
    with pytest.raises(UnreachableError, match=r"a\.wav is there but cannot be read \(Input/output error\)"):
        read(cut_of(path), tmp_path)
    assert waits == list(audio_errors.WAITS)
    assert waits == sorted(waits)
    with pytest.raises(UnreachableError, match=r"a\.wav"):
        whole_file(path)


def test_a_passing_error_costs_a_wait_and_no_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, good = tmp_path / "a.wav", tmp_path / "good.wav"
    soundfile.write(good, noise(1), RATE)
    path.symlink_to(UNREADABLE)
    waits: list[float] = []

    def mend(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            path.unlink()  # for a moment the server knows no such file
        else:
            path.symlink_to(good)

    monkeypatch.setattr(audio_errors.time, "sleep", mend)
    assert len(read(cut_of(path), tmp_path)) == RATE
    assert waits == list(audio_errors.WAITS[:2])


def test_damage_and_absence_are_known_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audio_errors.time, "sleep", lambda _: pytest.fail("waited for a file that is not unreachable"))
    (tmp_path / "text.wav").write_text("not audio")
    (tmp_path / "folder.wav").mkdir()
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    (tmp_path / "nowhere.wav").symlink_to("gone")
    (tmp_path / "file").touch()
    reasons = {
        name: reason(cut_of(tmp_path / f"{name}.wav"), tmp_path)
        for name in ("text", "folder", "pipe", "loop", "nowhere")
    }
    assert reasons == {
        "text": "audio-damaged",
        "folder": "audio-damaged",
        "pipe": "audio-damaged",
        "loop": "audio-missing",
        "nowhere": "audio-missing",
    }
    assert not exists(tmp_path / "file/below.wav")
    assert exists(tmp_path / "text.wav")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_file_ends_the_job(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", noise(1), RATE)
    (tmp_path / "a.wav").chmod(0)
    with pytest.raises(UnreachableError, match=os.strerror(errno.EACCES)):
        read(cut_of(tmp_path / "a.wav"), tmp_path)
