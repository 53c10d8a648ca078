"""The spectrum equals SpeechT5's, and a waveform can be reconstructed from it."""

import numpy as np
import pytest
from transformers import SpeechT5FeatureExtractor

from scripts.common.frames import frame_count
from scripts.continuation.mel import BANDS, HOP, griffin_lim, log_mel, num_mel_frames, symbol_indices


def tone(seconds: float = 0.5) -> np.ndarray:
    """A chord that glides, float32 at 16 kHz."""
    at = np.arange(round(16000 * seconds)) / 16000
    wave = sum(np.sin(2 * np.pi * f * at * (1 + 0.2 * at)) / n for n, f in enumerate((220, 510, 1700), start=1))
    return (0.3 * wave).astype(np.float32)


@pytest.mark.parametrize("samples", [8000, 8001, 700, 5120])
def test_log_mel_is_what_the_public_hifigan_was_trained_on(samples: int):
    wave = tone()[:samples]
    expected = SpeechT5FeatureExtractor()(audio_target=wave, sampling_rate=16000, return_tensors="np")
    ours = log_mel(wave)
    assert ours.shape == (samples // HOP + 1, BANDS)
    np.testing.assert_allclose(ours, expected["input_values"][0], atol=2e-3)


def test_a_waveform_comes_back_with_nearly_the_same_spectrum_and_the_same_bytes():
    mel = log_mel(tone())
    wave = griffin_lim(mel, 32)
    assert wave.dtype == np.float32
    assert len(wave) == HOP * (len(mel) - 1)
    loud = mel > mel.max() - 2
    assert np.abs(log_mel(wave) - mel)[loud].mean() < 0.2
    assert griffin_lim(mel, 32).tobytes() == wave.tobytes()


def test_very_short_sound_has_a_spectrum():
    assert log_mel(tone()[:300]).shape == (2, BANDS)


def test_frames_sound_the_nearest_symbol():
    count = frame_count(16000)
    frames = 16000 // HOP + 1
    symbol_index = symbol_indices(count, frames, 50.0)
    assert num_mel_frames(count, 50.0) == (320 * (count - 1) + 400) // HOP + 1
    assert symbol_index[0] == 0
    assert symbol_index[-1] == count - 1
    for frame in (10, 31, 50):
        centres = np.abs((320 * np.arange(count) + 200) - frame * HOP)
        assert centres[symbol_index[frame]] == centres.min()
