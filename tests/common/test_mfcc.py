"""Our MFCC equal kaldi-native-fbank's, for both sets of options of the workflow."""

import kaldi_native_fbank
import numpy as np
import pytest

from scripts.common.frames import SAMPLE_RATE
from scripts.common.mfcc import BLOCK, Mfcc

ALIGNER = Mfcc(shift=160, snip_edges=False, bins=23, high=8000.0, energy=False)
TARGETS = Mfcc(shift=160, snip_edges=True, bins=40, high=7600.0, energy=True)
FINE = Mfcc(shift=80, snip_edges=False, bins=23, high=8000.0, energy=False)


def theirs(ours: Mfcc, wave: np.ndarray) -> np.ndarray:
    """The same options given to kaldi-native-fbank, whose defaults are not all Kaldi's."""
    options = kaldi_native_fbank.MfccOptions()
    frame = options.frame_opts
    frame.samp_freq = SAMPLE_RATE
    frame.frame_length_ms, frame.frame_shift_ms = 25.0, 1000 * ours.shift / SAMPLE_RATE
    frame.dither = 0.0
    frame.preemph_coeff, frame.remove_dc_offset = 0.97, True
    frame.window_type, frame.round_to_power_of_two, frame.snip_edges = "povey", True, ours.snip_edges
    mel = options.mel_opts
    mel.num_bins, mel.low_freq, mel.high_freq = ours.bins, 20.0, ours.high
    mel.htk_mode, mel.is_librosa, mel.use_slaney_mel_scale, mel.norm = False, False, False, ""
    options.num_ceps, options.cepstral_lifter, options.htk_compat = 13, 22.0, False
    options.use_energy, options.raw_energy, options.energy_floor = ours.energy, True, float(ours.energy)
    computer = kaldi_native_fbank.OnlineMfcc(options)
    computer.accept_waveform(SAMPLE_RATE, wave * 32768.0)
    computer.input_finished()
    frames = [computer.get_frame(t) for t in range(computer.num_frames_ready)]
    return np.array(frames, np.float32).reshape(-1, 13)


def voice(samples: int) -> np.ndarray:
    """Something with pitch, noise, an offset and a pause."""
    time = np.arange(samples) / SAMPLE_RATE
    loud = (np.arange(samples) < samples // 3) | (np.arange(samples) > samples // 2)
    noise = np.random.default_rng(0).standard_normal(samples)
    return (0.02 + loud * 0.2 * np.sin(2 * np.pi * 120 * time) ** 9 + 0.001 * noise).astype(np.float32)


@pytest.mark.parametrize("options", [ALIGNER, TARGETS, FINE], ids=["aligner", "targets", "5 ms"])
@pytest.mark.parametrize("samples", [0, 1, 79, 80, 240, 399, 400, 559, 560, 16_000, 160 * (BLOCK + 2) + 77])
def test_they_are_kaldis(options: Mfcc, samples: int) -> None:
    wave = voice(samples)
    expected, found = theirs(options, wave), options(wave)
    assert found.shape == expected.shape
    assert found.dtype == np.float32
    # Coefficients are of the order of 10 to 100.
    np.testing.assert_allclose(found, expected, atol=5e-3)


def test_digital_silence_is_finite() -> None:
    assert np.isfinite(ALIGNER(np.zeros(1600, np.float32))).all()
    np.testing.assert_allclose(
        TARGETS(np.zeros(1600, np.float32)), theirs(TARGETS, np.zeros(1600, np.float32)), atol=1e-3
    )
