"""Lhotse's lazy transforms: supported ones give Lhotse's samples, others are refused."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from lhotse import MonoCut, Recording

from scripts.common import audio_transforms
from scripts.common.audio import AudioError, read

EDGE = 200  # samples at each end that depend on how far a resampler looks beyond the segment
CHAINS = {
    "faster": lambda recording: recording.perturb_speed(1.1),
    "slower": lambda recording: recording.perturb_speed(0.9),
    "louder": lambda recording: recording.perturb_volume(1.7),
    "quiet": lambda recording: recording.perturb_volume(0.01),
    "upside down": lambda recording: recording.perturb_volume(-0.5),
    "telephone": lambda recording: recording.resample(8000),
    "telephone and back": lambda recording: recording.resample(8000).resample(16_000),
    "all": lambda recording: recording.perturb_speed(0.9).resample(24_000).perturb_volume(0.4).perturb_speed(1.25),
}


@pytest.fixture(params=[16_000, 44_100])
def recording(tmp_path: Path, request: pytest.FixtureRequest) -> Recording:
    """Ten seconds whose frequency rises from 100 Hz to 3 kHz: every moment differs from every other."""
    rate = request.param
    time = np.arange(10 * rate) / rate
    soundfile.write(tmp_path / "chirp.flac", 0.3 * np.sin(2 * np.pi * (100 * time + 145 * time**2)), rate)
    return Recording.from_file(tmp_path / "chirp.flac", recording_id="chirp")


def cut_of(recording: Recording, start: float, duration: float) -> MonoCut:
    return MonoCut("c1", start, duration, 0, recording=recording)


@pytest.mark.parametrize("name", CHAINS)
def test_transformed_audio_is_lhotses(recording: Recording, name: str):
    changed = CHAINS[name](recording)
    for start, seconds in ((0.0, 2.0), (3.21, 1.5)):
        cut = cut_of(changed, start, seconds)
        want = cut.resample(16_000).load_audio()[0]
        got = read(cut.to_dict(), "/")
        assert len(got) == round(seconds * 16_000)
        assert got.dtype == np.float32
        scale = np.abs(want).max()
        plain = read(cut_of(recording, start, seconds).to_dict(), "/")
        inner = slice(EDGE, min(len(got), len(want)) - EDGE)
        assert np.abs(got[inner] - want[inner]).max() < 0.03 * scale
        if "telephone" not in name:  # whose band holds the whole chirp
            assert np.abs(plain[inner] - want[inner]).max() > 0.3 * scale


def test_the_band_of_a_telephone_stays_lost(tmp_path: Path):
    time = np.arange(16_000) / 16_000
    soundfile.write(tmp_path / "high.wav", 0.3 * np.sin(2 * np.pi * 6000 * time), 16_000)
    high = Recording.from_file(tmp_path / "high.wav").resample(8000).resample(16_000)
    assert np.abs(read(cut_of(high, 0.2, 0.5).to_dict(), "/")[EDGE:-EDGE]).max() < 1e-3


@pytest.mark.parametrize(
    "changed",
    [
        lambda recording: recording.perturb_tempo(0.9),
        lambda recording: recording.normalize_loudness(-20.0),
        lambda recording: recording.dereverb_wpe(),
        lambda recording: recording.reverb_rir(recording),
        lambda recording: recording.clip_amplitude(gain_db=3.0),
        lambda recording: recording.compress("opus"),
        lambda recording: recording.perturb_speed(1.1).perturb_tempo(0.9),
    ],
)
def test_what_cannot_be_computed_exactly_is_refused(recording: Recording, changed):
    with pytest.raises(AudioError, match=r"c1: its recording has the transform '\w+'; only Resample, Speed") as error:
        read(cut_of(changed(recording), 0.0, 1.0).to_dict(), "/")
    assert error.value.reason == "transform-unsupported"


@pytest.mark.parametrize(
    "given",
    ["Speed", {"name": "Speed"}, [3], [{"name": "Speed"}], [{"name": "Speed", "kwargs": {"factor": "fast"}}]]
    + [[{"name": "Speed", "kwargs": {"factor": value}}] for value in (0, -1, float("nan"), float("inf"), True, 10**400)]
    + [[{"kwargs": {}}], [{"name": "Resample", "kwargs": {"factor": 2}}], [{"name": ["Speed"]}]]
    + [[{"name": "Resample", "kwargs": {"target_sampling_rate": rate}}] for rate in (1e300, 0)]
    + [
        [{"name": "Resample", "kwargs": {"target_sampling_rate": 16_000, "source_sampling_rate": rate}}]
        for rate in (None, "x", 1e300)
    ],
)
def test_a_malformed_transform_is_refused(given: object):
    with pytest.raises(ValueError, match="transform"):
        audio_transforms.steps({"transforms": given})


def test_the_file_behind_a_transform(recording: Recording):
    changed = recording.resample(8000).perturb_speed(1.25).resample(16_000).to_dict()
    assert audio_transforms.file_rate(changed) == recording.sampling_rate
    assert audio_transforms.speed(audio_transforms.steps(changed)) == 1.25
    assert audio_transforms.file_rate(recording.to_dict()) == recording.sampling_rate
