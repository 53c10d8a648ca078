"""MFCC with deltas on HuBERT's clock: the targets it first learns to predict, and its baseline.

Cepstra are computed every 10 ms, so that the deltas see fine movement, and every second frame is
kept: frame t reads samples [320 t, 320 t + 400), exactly what HuBERT's convolutions read for frame t.
Source: HuBERT (Hsu et al. 2021), section IV-B (39 dimensions); deltas as in HTK.
"""

import numpy as np

from scripts.common.mfcc import Mfcc

DIMENSIONS = 39
HOP = 320  # samples between units


CEPSTRA = Mfcc(shift=HOP // 2, snip_edges=True, bins=40, high=7600.0, energy=True)


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
    cepstra = CEPSTRA(wave)  # [2T, 13]
    if len(cepstra) == 0:
        return np.zeros((0, DIMENSIONS), np.float32)
    first = _delta(cepstra)
    features = np.concatenate([cepstra, first, _delta(first)], axis=1)[::2]
    return (features - features.mean(axis=0)).astype(np.float32)
