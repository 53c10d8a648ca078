"""The frame clock that units and framed phones share.

HuBERT's convolutions read 400 samples (25 ms) and hop by 320 (20 ms) at 16 kHz without padding, so
N samples give (N - 80) // 320 frames and frame t is centred on sample 320 t + 200. Phone-Repeat samples its phones at
these centres, so that every utterance has as many phones as units.
Source: HuBERT (Hsu et al. 2021), section III-A; the same encoder as wav2vec 2.0.
"""

import numpy as np

SAMPLE_RATE = 16_000  # Hz, of every waveform inside the workflow
WINDOW = 0.025  # seconds that one frame sees


def frame_count(num_samples: int, frame_rate: float = 50.0) -> int:
    """Frames of a 16 kHz waveform of `num_samples` samples; 0 if it is shorter than one window."""
    hop = round(SAMPLE_RATE / frame_rate)
    window = round(SAMPLE_RATE * WINDOW)
    return max(0, (num_samples - window) // hop + 1)


def frame_centres(count: int, frame_rate: float = 50.0) -> np.ndarray:
    """Centre time of each frame in seconds, float64 [count]."""
    return np.arange(count) / frame_rate + WINDOW / 2
