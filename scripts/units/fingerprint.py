"""Which k-means a file of units belongs to."""

import hashlib

import numpy as np


def kmeans_fingerprint(encoder: str, layer: int, centroids: np.ndarray) -> str:
    """Hash of all that units depend on: the encoder's own fingerprint, the layer and the centroids."""
    digest = hashlib.sha256(f"{encoder} {layer} {centroids.shape}\n".encode())
    digest.update(np.ascontiguousarray(centroids, "<f4").tobytes())
    return digest.hexdigest()
