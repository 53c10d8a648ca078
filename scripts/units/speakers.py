"""Directions in which speakers differ, taken out of features before they are clustered.

A frame's feature says who speaks as well as what is said, and k-means spends units on both. Speakers' mean features
differ in few directions; without them units say more of phones (docs/units.md has the figures). Notable: centroids of
projected frames lie in the projected space, where |Px - c|^2 and |x - c|^2 differ by the same number for all c. So the
nearest centroid of a frame is that of its projection: whoever assigns units need not know that there was one.
"""

import numpy as np


def speaker_directions(frames: np.ndarray, speakers: np.ndarray, count: int) -> np.ndarray:
    """Orthonormal directions, those of the largest differences between speakers' means first.

    Args:
        frames: float32 [N, D].
        speakers: int [N], whose frame it is; every speaker weighs the same.
        count: wanted; speakers less one is all there are.

    Returns:
        float32 [min(count, speakers - 1, D), D].
    """
    names, owner = np.unique(speakers, return_inverse=True)
    means = np.zeros((len(names), frames.shape[1]))
    np.add.at(means, owner, frames)
    means /= np.bincount(owner)[:, None]
    found = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)[2]
    return found[: min(count, len(names) - 1)].astype(np.float32)


def take_out(frames: np.ndarray, directions: np.ndarray) -> None:
    """Remove what frames [N, D] have in the directions [r, D], in place."""
    frames -= (frames @ directions.T) @ directions
