"""The log10 mel spectrum of the speech models, as read by the public HiFi-GAN of SpeechT5.

80 bands from 80 to 7600 Hz (Slaney's scale and norm) of the magnitude spectrum, windows of 64 ms every 16 ms,
centred, at 16 kHz. tests/continuation/test_mel.py compares it with transformers' SpeechT5FeatureExtractor. Symbols
have a rate of 50 per second and mel frames of 62.5: each frame gets the symbol whose centre is nearest in time.
"""

import numpy as np

from scripts.common.frames import SAMPLE_RATE, WINDOW

BANDS = 80
WINDOW_SAMPLES, HOP = 1024, 256
FLOOR = 1e-10
LOWEST, HIGHEST = 80.0, 7600.0  # Hz


def log_mel(wave: np.ndarray) -> np.ndarray:
    """log10 mel, float32 [samples // HOP + 1, BANDS], of a float32 waveform at 16 kHz."""
    import librosa

    frames = len(wave) // HOP + 1
    if len(wave) <= WINDOW_SAMPLES // 2:  # too short for reflection padding: append silence
        wave = np.pad(wave, (0, WINDOW_SAMPLES // 2 + 1 - len(wave)))
    mel = librosa.feature.melspectrogram(
        y=wave,
        sr=SAMPLE_RATE,
        n_fft=WINDOW_SAMPLES,
        hop_length=HOP,
        power=1.0,
        n_mels=BANDS,
        fmin=LOWEST,
        fmax=HIGHEST,
        pad_mode="reflect",
    )
    return np.log10(np.maximum(mel[:, :frames], FLOOR)).T.astype(np.float32)


def griffin_lim(mel: np.ndarray, iterations: int) -> np.ndarray:
    """A waveform, float32 [HOP * (frames - 1)], that approximates the log-mel [frames, BANDS].

    Magnitudes are the least-squares inverse of the mel filters; phases are estimated by Griffin and Lim's method
    with momentum (Perraudin et al. 2013), from zero phases: the same mel gives the same bytes.
    """
    import librosa

    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=WINDOW_SAMPLES, n_mels=BANDS, fmin=LOWEST, fmax=HIGHEST)
    magnitude = np.maximum(0.0, np.linalg.pinv(filters) @ 10.0 ** mel.T.astype(np.float64)).astype(np.float32)
    return librosa.griffinlim(
        magnitude, n_iter=iterations, hop_length=HOP, win_length=WINDOW_SAMPLES, n_fft=WINDOW_SAMPLES, init=None
    ).astype(np.float32)


def symbol_indices(symbols: int, frames: int, frame_rate: float) -> np.ndarray:
    """Index of the symbol (of `symbols`) of each of `frames` mel frames; int64 [frames]."""
    centres = np.arange(frames) * HOP / SAMPLE_RATE
    nearest = np.rint((centres - WINDOW / 2) * frame_rate).astype(np.int64)
    return np.clip(nearest, 0, max(0, symbols - 1))


def num_mel_frames(symbols: int, frame_rate: float) -> int:
    """Number of mel frames of the waveform of `symbols` symbols."""
    samples = round((symbols - 1) / frame_rate * SAMPLE_RATE + WINDOW * SAMPLE_RATE)
    return samples // HOP + 1
