"""MFCC with deltas on HuBERT's clock: the targets it first learns to predict, and its baseline.

Cepstra are computed every 10 ms, so that the deltas see fine movement, and every second frame is
kept: frame t reads samples [320 t, 320 t + 400), exactly what HuBERT's convolutions read for frame t.
Source: HuBERT (Hsu et al. 2021), section IV-B (39 dimensions); deltas as in HTK.
"""

from functools import cache
from typing import Any

import numpy as np

from scripts.common.frames import SAMPLE_RATE

DIMENSIONS = 39


@cache
def _options() -> Any:
    """Kaldi's MFCC options, every one that matters set: the wheel's defaults are not Kaldi's."""
    import kaldi_native_fbank

    options = kaldi_native_fbank.MfccOptions()
    frame = options.frame_opts
    frame.samp_freq = SAMPLE_RATE
    frame.frame_length_ms, frame.frame_shift_ms = 25.0, 10.0
    frame.dither = 0.0  # dither is noise: the same waveform must give the same features
    frame.preemph_coeff, frame.remove_dc_offset = 0.97, True
    frame.window_type, frame.round_to_power_of_two, frame.snip_edges = "povey", True, True
    mel = options.mel_opts
    mel.num_bins, mel.low_freq, mel.high_freq = 40, 20.0, 7600.0
    mel.htk_mode, mel.is_librosa, mel.use_slaney_mel_scale, mel.norm = False, False, False, ""
    options.num_ceps, options.cepstral_lifter = 13, 22.0
    options.use_energy, options.raw_energy, options.energy_floor = True, True, 1.0
    return options


def _delta(features: np.ndarray, reach: int = 2) -> np.ndarray:
    """Slope of a least-squares line through 2 * reach + 1 frames; edges repeated. [T, D] -> [T, D]."""
    padded = np.pad(features, ((reach, reach), (0, 0)), mode="edge")
    count = len(features)
    slope = sum(k * (padded[reach + k : reach + k + count] - padded[reach - k : reach - k + count]) for k in (1, 2))
    return slope / (2 * sum(k * k for k in range(1, reach + 1)))


def mfcc(wave: np.ndarray) -> np.ndarray:
    """13 cepstra (energy first), deltas and double deltas, their mean over the utterance removed.

    Args:
        wave: float32 [N] at 16 kHz.

    Returns:
        float32 [frame_count(N), 39]; without rows if the waveform is shorter than 25 ms.
    """
    import kaldi_native_fbank

    extractor = kaldi_native_fbank.OnlineMfcc(_options())
    extractor.accept_waveform(SAMPLE_RATE, (wave * 32768.0).tolist())
    extractor.input_finished()
    count = extractor.num_frames_ready
    if count == 0:
        return np.zeros((0, DIMENSIONS), np.float32)
    cepstra = np.stack([extractor.get_frame(t) for t in range(count)])  # [2T, 13]
    first = _delta(cepstra)
    features = np.concatenate([cepstra, first, _delta(first)], axis=1)[::2]
    return (features - features.mean(axis=0)).astype(np.float32)
