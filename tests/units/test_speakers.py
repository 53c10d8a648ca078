"""Units of features without the speakers' directions: a phone has the same unit for every speaker."""

import numpy as np

from scripts.units.clustering import k_means, nearest
from scripts.units.speakers import project_out, speaker_directions


def spoken(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames of 4 phones by 3 speakers whose offsets outweigh the phones; phones and speakers."""
    random = np.random.default_rng(0)
    phone, speaker = random.integers(4, size=count), random.integers(3, size=count)
    offsets = np.zeros((3, 8))
    offsets[1, 0], offsets[2, 1] = 20, 20
    places = np.zeros((4, 8))
    places[1, 2], places[2, 3], places[3, 4] = 5, 5, 5
    frames = places[phone] + offsets[speaker] + 0.1 * random.standard_normal((count, 8))
    return frames.astype(np.float32), phone, speaker


def test_units_follow_phones_and_not_speakers() -> None:
    frames, phone, speaker = spoken(3000)
    plain, _ = k_means(frames.copy(), 4, seed=1, redo=5, iterations=20)
    assert any(len(set(nearest(frames, plain)[phone == p])) > 1 for p in range(4))
    directions = speaker_directions(frames, speaker, 10)
    assert directions.shape == (2, 8)  # three speakers differ in two
    projected = frames.copy()
    project_out(projected, directions)
    centroids, _ = k_means(projected, 4, seed=1, redo=5, iterations=20)
    units = nearest(frames, centroids)
    assert all(len(set(units[phone == p])) == 1 for p in range(4))
    assert len(set(units)) == 4
    assert np.array_equal(units, nearest(projected, centroids))


def test_none_are_wanted_or_there() -> None:
    frames, _, speaker = spoken(50)
    assert speaker_directions(frames, speaker, 0).shape == (0, 8)
    assert speaker_directions(frames, np.zeros(50, int), 3).shape == (0, 8)
    same = frames.copy()
    project_out(same, speaker_directions(frames, speaker, 0))
    assert np.array_equal(same, frames)
