"""Information of units about phones and speakers, from counts of frames.

Sources: HuBERT (Hsu et al. 2021), section V-A, for phone purity, cluster purity and PNMI; the
ZeroSpeech 2019 challenge for the bitrate.
"""

import numpy as np


def joint_counts(phones: np.ndarray, units: np.ndarray, clusters: int) -> np.ndarray:
    """Frames per (phone, unit): int [T], int [T] -> int64 [phones, clusters]."""
    counts = np.zeros((int(phones.max(initial=-1)) + 1, clusters), np.int64)
    np.add.at(counts, (phones, units), 1)
    return counts


def _entropy(shares: np.ndarray) -> float:
    """Entropy in bits of a distribution of any shape."""
    present = shares[shares > 0]
    return float(-(present * np.log2(present)).sum())


def normalised_information(counts: np.ndarray) -> float:
    """Mutual information of row and column over the rows' entropy, 0 to 1: int [rows, columns] -> share.

    With phones as rows it is PNMI; with speakers as rows, the same share for the speaker.
    """
    joint = counts / counts.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    information = _entropy(rows) + _entropy(columns) - _entropy(joint)
    # One row only: its entropy is 0, all of which any unit explains.
    return information / _entropy(rows) if _entropy(rows) > 0 else 1.0


def measure(counts: np.ndarray, frame_rate: float) -> dict[str, float]:
    """Agreement of units with phones.

    Args:
        counts: int [phones, clusters], frames per pair.
        frame_rate: units per second.

    Returns:
        pnmi: mutual information of phone and unit over the phones' entropy, 0 to 1.
        phone_purity: accuracy of guessing the phone as its unit's most frequent one.
        cluster_purity: accuracy of guessing the unit as its phone's most frequent one.
        used_units: units that occur.
        bitrate: bits per second, entropy of the units times `frame_rate`.
        frames: frames counted.

    Raises:
        ValueError: no frame was counted.
    """
    total = int(counts.sum())
    if total == 0:
        raise ValueError("no frames to compare units with phones on")
    joint = counts / total
    units = joint.sum(axis=0)
    return {
        "pnmi": normalised_information(counts),
        "phone_purity": float(joint.max(axis=0).sum()),
        "cluster_purity": float(joint.max(axis=1).sum()),
        "used_units": int((units > 0).sum()),
        "bitrate": _entropy(units) * frame_rate,
        "frames": total,
    }
