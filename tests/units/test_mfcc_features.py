"""MFCC have HuBERT's frames."""

import numpy as np
import pytest

from scripts.common.frames import frame_count
from scripts.units.mfcc_features import mfcc


@pytest.mark.parametrize("samples", [0, 399, 400, 560, 719, 720, 16_000, 16_079, 16_080])
def test_frame_counts(samples: int) -> None:
    wave = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    assert mfcc(wave).shape == (frame_count(samples), 39)


def test_same_wave_same_bytes_and_no_mean() -> None:
    wave = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    assert np.array_equal(mfcc(wave), mfcc(wave))
    np.testing.assert_allclose(mfcc(wave).mean(axis=0), 0, atol=1e-3)


def test_frame_sees_its_own_window() -> None:
    """A click changes only frames whose window, or whose deltas' windows (40 ms aside), hold it."""
    quiet = 0.01 * np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    loud = quiet.copy()
    loud[8_000] += 0.5
    changed = np.flatnonzero(np.abs(np.diff(mfcc(loud) - mfcc(quiet), axis=0)).max(axis=1) > 1e-3)
    assert changed.min() >= 20
    assert changed.max() <= 28
