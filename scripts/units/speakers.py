"""Directions in which speakers differ, removed from features before they are clustered.

A frame's features depend on the speaker as well as on the phone, and k-means spends units on both. Speakers' mean
features differ in few directions; without these, units have more information about phones (docs/units.md has the
figures). Notable: centroids of projected frames lie in the projected space, where |Px - c|^2 and |x - c|^2 differ by
the same number for all c. So the nearest centroid of a frame is that of its projection:
extraction need not project.
"""

import numpy as np


def speaker_directions(frames: np.ndarray, speakers: np.ndarray, count: int) -> np.ndarray:
    """Orthonormal directions, those of the largest differences between speakers' means first.

    Args:
        frames: float32 [N, D].
        speakers: int [N], the speaker of each frame; every speaker weighs the same.
        count: directions asked for; there are at most as many as speakers less one.

    Returns:
        float32 [min(count, speakers - 1, D), D].
    """
    names, owners = np.unique(speakers, return_inverse=True)
    means = np.zeros((len(names), frames.shape[1]))
    np.add.at(means, owners, frames)
    means /= np.bincount(owners)[:, None]
    directions = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)[2]
    return directions[: min(count, len(names) - 1)].astype(np.float32)


def project_out(frames: np.ndarray, directions: np.ndarray) -> None:
    """Remove the components of frames [N, D] along the directions [r, D], in place."""
    frames -= (frames @ directions.T) @ directions
