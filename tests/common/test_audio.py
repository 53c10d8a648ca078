"""Audio: the samples of the cut from every kind of file, or one clear reason for a drop."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from scripts.common.audio import AudioError, read
from tests.factories.cuts import make_cut

RATE = 16_000


def tone(seconds: float, rate: int = RATE) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate)


def reason(cut: dict, root: Path) -> str:
    with pytest.raises(AudioError, match="c1") as error:
        read(cut, root)
    return error.value.reason


def test_only_the_segment_is_read(tmp_path: Path):
    wave = tone(3)
    soundfile.write(tmp_path / "a.flac", wave, RATE)
    got = read(make_cut("c1", source="a.flac", start=1.5, duration=0.25), tmp_path)
    assert got.dtype == np.float32
    assert got.shape == (4000,)
    np.testing.assert_allclose(got, wave[24000:28000], atol=1e-4)


def test_a_cut_that_ends_after_its_file_by_rounding_ends_in_zeros(tmp_path: Path):
    soundfile.write(tmp_path / "a.wav", tone(1)[:-6], RATE)  # 0.999625 s, rounded to a millisecond by its manifest
    got = read(make_cut("c1", source="a.wav"), tmp_path)
    assert got.shape == (RATE,)
    assert not got[-6:].any()
    soundfile.write(tmp_path / "b.wav", tone(1, 44_100)[:-1], 44_100)
    assert read(make_cut("c1", source="b.wav"), tmp_path).shape == (RATE,)
    soundfile.write(tmp_path / "c.wav", tone(1)[:-17], RATE)
    assert reason(make_cut("c1", source="c.wav"), tmp_path) == "audio-too-short"


def test_a_cut_of_one_channel_holds_no_other(tmp_path: Path):
    sides = np.stack([np.full(RATE, 0.1), np.full(RATE, -0.3)], axis=1)
    soundfile.write(tmp_path / "call.wav", sides, RATE)
    cut = make_cut("c1", source="call.wav")
    cut["recording"]["sources"][0]["channels"] = [0, 1]
    for channel, value in ((0, 0.1), (1, -0.3), ([0, 1], -0.1)):
        np.testing.assert_allclose(read({**cut, "channel": channel}, tmp_path), value, atol=1e-4)
    soundfile.write(tmp_path / "one.wav", sides[:, 0], RATE)
    cut["recording"]["sources"][0]["source"] = "one.wav"
    assert reason({**cut, "channel": 1}, tmp_path) == "audio-damaged"
    # A file for each channel.
    cut["recording"]["sources"] = [{"source": "one.wav", "channels": [0]}, {"source": "call.wav", "channels": [1, 2]}]
    np.testing.assert_allclose(read({**cut, "channel": 2}, tmp_path), -0.3, atol=1e-4)


def test_stereo_is_averaged_and_another_rate_is_resampled(tmp_path: Path):
    wave = tone(2)
    soundfile.write(tmp_path / "s.wav", np.stack([wave, np.zeros_like(wave)], axis=1), RATE)
    whole = make_cut("c1", source="s.wav")
    del whole["channel"], whole["recording"]["sources"][0]["channels"]
    np.testing.assert_allclose(read(whole, tmp_path), wave[:RATE] / 2, atol=1e-4)
    soundfile.write(tmp_path / "r.wav", tone(2, 22_050), 22_050)
    got = read(make_cut("c1", source="r.wav"), tmp_path)
    assert got.shape == (RATE,)
    np.testing.assert_allclose(got[800:-800], wave[:RATE][800:-800], atol=5e-3)


def test_every_fault_has_its_reason(tmp_path: Path):
    soundfile.write(tmp_path / "short.flac", tone(0.5), RATE)
    soundfile.write(tmp_path / "silent.flac", np.zeros(RATE), RATE)
    bad = tone(1).astype(np.float32)
    bad[100] = np.nan
    soundfile.write(tmp_path / "nan.wav", bad, RATE, subtype="FLOAT")
    (tmp_path / "text.flac").write_text("not audio")
    assert reason(make_cut("c1", source="none.flac"), tmp_path) == "audio-missing"
    assert reason(make_cut("c1", source="short.flac"), tmp_path) == "audio-too-short"
    assert reason(make_cut("c1", source="silent.flac"), tmp_path) == "audio-silent"
    assert reason(make_cut("c1", source="nan.wav"), tmp_path) == "audio-nan"
    assert reason(make_cut("c1", source="text.flac"), tmp_path) == "audio-damaged"


def test_a_flac_damaged_in_the_middle(tmp_path: Path):
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "d.flac", 0.1 * rng.standard_normal(10 * RATE), RATE)
    data = bytearray((tmp_path / "d.flac").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 5000] = bytes(5000)
    (tmp_path / "d.flac").write_bytes(bytes(data))
    assert reason(make_cut("c1", source="d.flac", duration=10.0), tmp_path) == "audio-damaged"
    assert len(read(make_cut("c1", source="d.flac", start=0.0, duration=1.0), tmp_path)) == RATE


def test_a_flac_that_breaks_off(tmp_path: Path):
    """Its header states ten seconds; what there is of them can be used, a cut of the whole cannot."""
    soundfile.write(tmp_path / "d.flac", 0.1 * np.random.default_rng(0).standard_normal(10 * RATE), RATE)
    data = (tmp_path / "d.flac").read_bytes()
    (tmp_path / "d.flac").write_bytes(data[: len(data) // 2])
    assert reason(make_cut("c1", source="d.flac", duration=10.0), tmp_path) == "audio-damaged"
    assert len(read(make_cut("c1", source="d.flac", start=0.0, duration=1.0), tmp_path)) == RATE
