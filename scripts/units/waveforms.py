"""Normalising waveforms and padding them to one array. Imports numpy only: decoding processes use it."""

from collections.abc import Sequence

import numpy as np


def normalise(wave: np.ndarray) -> np.ndarray:
    """Zero mean and unit variance over the utterance, as transformers' Wav2Vec2FeatureExtractor does it."""
    return ((wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)).astype(np.float32)


def pad(waves: Sequence[np.ndarray]) -> np.ndarray:
    """Waveforms [N_b] as one array, float32 [B, max N_b], with zeros behind the shorter ones."""
    batch = np.zeros((len(waves), max(map(len, waves), default=0)), np.float32)
    for row, wave in zip(batch, waves, strict=True):
        row[: len(wave)] = wave
    return batch
