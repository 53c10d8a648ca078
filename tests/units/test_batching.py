"""Batches are full and hardly padded, and windows follow them."""

import numpy as np
import pytest

from scripts.units.batching import MAX_PADDING, batches, window_size, windows


def test_batches_hold_every_utterance_once_and_little_padding() -> None:
    lengths = [*np.random.default_rng(0).integers(400, 500_000, 300).tolist(), 10_000_000]
    found = list(batches(lengths, 960_000))
    assert sorted(index for batch in found for index in batch) == list(range(301))
    for batch in found:
        padded = max(lengths[i] for i in batch) * len(batch)
        assert len(batch) == 1 or padded <= 960_000
        assert padded - sum(lengths[i] for i in batch) <= MAX_PADDING * padded
    assert any(len(batch) > 3 for batch in found)
    assert list(batches([], 10)) == []


def test_windows_are_consecutive() -> None:
    assert list(windows(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(windows([], 2)) == []


@pytest.mark.parametrize(("batch_seconds", "share"), [(60, 0.75), (400, 0.8)])
def test_a_window_fills_batches(batch_seconds: int, share: float) -> None:
    """Of utterances like LibriHeavy's (mean 14.8 s); with windows of 256 batches of 400 s held 46%."""
    seconds = np.random.default_rng(0).gamma(6.0, 14.8 / 6.0, 20_000)
    held = [
        sum(window[i] for i in batch) / 16_000
        for window in windows((seconds * 16_000).astype(int).tolist(), window_size(batch_seconds))
        for batch in batches(window, batch_seconds * 16_000)
    ]
    assert np.mean(held) > share * batch_seconds
