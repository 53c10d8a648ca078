"""MP3 files that do not state their length: what they hold is counted, and where they broke off is seen."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.common.audio import PADDED, AudioError, read
from scripts.common.mp3_frames import LongerFile, count_frames
from scripts.common.sound_file import open_sound, whole_file
from tests.common.test_sound_file import cut_of, reason
from tests.factories.sounds import RATE, break_off, headerless_mp3, noise


def fading(seconds: float, rate: int, *, out: bool) -> np.ndarray:
    """Noise of which a third is loud, the first or the last: its bit rate varies."""
    wave = noise(seconds, rate)
    wave[len(wave) // 3 :] *= 0.005
    return wave if out else wave[::-1]


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE", "AVERAGE"])
@pytest.mark.parametrize("out", [True, False])
def test_all_of_it_is_read_whatever_the_first_frame_s_bit_rate(tmp_path: Path, rate: int, mode: str, out: bool):
    path = tmp_path / "a.mp3"
    headerless_mp3(path, fading(8, rate, out=out), rate, mode, 0.8)
    found = whole_file(path)
    assert 8 * rate < found.frames < 8 * rate + 4 * 1152  # the encoder's delay and padding
    with open_sound(path) as sound:
        whole = sound.read(0, found.frames)
        assert len(whole) == found.frames
        assert len(sound.read(found.frames // 2, found.frames)) == found.frames - found.frames // 2
    plain = soundfile.read(path, always_2d=True, dtype="float32")[0]
    np.testing.assert_array_equal(whole[: len(plain)], plain[: len(whole)])
    loud = np.abs(whole[: len(whole) // 4]).mean() / np.abs(whole[-len(whole) // 4 :]).mean()
    assert loud > 20 if out else loud < 1 / 20


def test_a_variable_rate_without_header_is_not_what_libsndfile_estimates(tmp_path: Path):
    estimates = []
    for out in (True, False):
        headerless_mp3(tmp_path / "a.mp3", fading(8, RATE, out=out), RATE, "VARIABLE", 0.8)
        estimates.append(soundfile.info(str(tmp_path / "a.mp3")).duration)
    assert estimates[0] < 4
    assert estimates[1] > 9


@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_a_copy_that_ends_within_a_frame_is_damaged(tmp_path: Path, mode: str):
    path = tmp_path / "a.mp3"
    headerless_mp3(path, fading(8, RATE, out=True), RATE, mode)
    whole, seconds = path.read_bytes(), whole_file(path).frames / RATE
    for share in (0.999, 0.9, 0.5, 0.25):
        path.write_bytes(whole)
        break_off(path, share)
        with pytest.raises(
            AudioError, match=r"a\.mp3 ends within a frame, after \d\.\d+ s: the copy broke off"
        ) as error:
            whole_file(path)
        assert error.value.reason == "audio-damaged"
        assert reason(cut_of(path, 0.0, seconds), tmp_path, "broke off") == "audio-damaged"
    assert len(read(cut_of(path, 0.1, 0.5), tmp_path)) == RATE // 2  # what is there is itself
    path.write_bytes(whole[:-1])
    with pytest.raises(AudioError, match="ends within a frame"):
        whole_file(path)


def test_tags_around_the_frames_are_none(tmp_path: Path):
    path = tmp_path / "a.mp3"
    headerless_mp3(path, noise(2, RATE), RATE)
    frames, whole = whole_file(path).frames, path.read_bytes()
    before = b"ID3\4\0\0" + bytes([0, 0, 2, 0]) + b"\xff\xfb" * 128
    for content in (before + whole, whole + b"TAG" + bytes(125), whole + b"APETAGEX" + bytes(99), whole + bytes(500)):
        path.write_bytes(content)
        assert whole_file(path).frames == frames
    path.write_bytes(whole[:999] + b"something else" + whole[999:])
    handle = os.open(path, os.O_RDONLY)
    try:
        assert count_frames(handle) is None
    finally:
        os.close(handle)


def test_the_estimated_end_of_an_mp3_is_padded_and_counted(tmp_path: Path):
    path, rate = tmp_path / "a.mp3", 44_100
    headerless_mp3(path, noise(10, rate), rate)
    estimate = soundfile.info(str(path)).frames
    decoded = len(soundfile.read(path)[0])
    assert 300 < estimate - decoded < 2304
    notes: Counter[str] = Counter()
    wave = read(cut_of(path, 0.0, estimate / rate), tmp_path, notes)
    assert len(wave) == round(estimate / rate * RATE)
    assert not wave[-(estimate - decoded) * RATE // rate + 2 :].any()
    assert notes == {PADDED: 1}
    read(cut_of(path, 2.0, 5.0), tmp_path, notes)
    assert notes == {PADDED: 1}
    # More than the encoder's delay is missing.
    assert reason(cut_of(path, 0.0, estimate / rate + 0.1), tmp_path) == "audio-too-short"
    soundfile.write(path, noise(10, rate), rate)  # with LAME's header: exact
    assert whole_file(path).frames == 10 * rate
    break_off(path, 0.98)
    assert reason(cut_of(path, 0.0, 10.0), tmp_path, "stops decoding") == "audio-damaged"


def test_the_tolerated_end_does_not_grow_with_the_length(tmp_path: Path):
    path, rate = tmp_path / "a.mp3", 44_100
    slack = []
    for seconds in (2, 20, 60):
        headerless_mp3(path, noise(seconds, rate), rate)
        with open_sound(path) as sound:
            slack.append(sound.slack / rate)
    assert slack == pytest.approx([2304 / rate, 0.1, 0.25], abs=1e-3)


def test_an_error_of_the_disk_is_told_though_libsndfile_does_not_tell_it(tmp_path: Path):
    path = tmp_path / "a.mp3"
    path.write_bytes(bytes(100))
    handle = os.open(path, os.O_WRONLY)
    try:
        file = LongerFile(handle, 10_000)
        assert file.readinto(bytearray(9)) == 0
        assert isinstance(file.error, OSError)
    finally:
        os.close(handle)
