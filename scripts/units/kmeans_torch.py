"""One start of k-means in torch, on a CPU or a GPU, as FAISS defines it.

Initial centroids are frames drawn without replacement; each iteration assigns all frames and takes the means; an empty
cluster gets half of a cluster that is drawn in proportion to its size, both moved apart by a 1024th. Products of fp32
without TF32 (scripts.units.encoder.place) and sums by matrix products, not by atomic additions: on one device the same
seed gives the same centroids. The random numbers are numpy's, so a start is not FAISS's start of the same seed.
Source: faiss/Clustering.cpp (Johnson et al., Billion-scale similarity search with GPUs, 2019).
"""

import numpy as np
import torch

BLOCK = 2**26  # distances that are held at a time: 256 MiB
PERTURBATION = 1 / 1024


def to_device(frames: np.ndarray, device: str) -> torch.Tensor:
    """The frames, float32 [N, D], where they are clustered."""
    return torch.from_numpy(frames).to(device)


@torch.inference_mode()
def lloyd(
    frames: torch.Tensor, clusters: int, *, seed: int, iterations: int, spherical: bool = False
) -> tuple[np.ndarray, list[float]]:
    """Centroids after `iterations` of Lloyd's algorithm from one random start.

    Args:
        frames: float32 [N, D], of length 1 if `spherical`.
        clusters: K, at most N.
        seed: a non-negative integer.
        iterations: at least 1; fewer are run if the centroids stop changing.
        spherical: bring centroids to length 1 after each iteration.

    Returns:
        Centroids float32 [K, D], and per iteration the sum of squared distances to the centroids it began with.
    """
    random = np.random.default_rng(seed)
    first = random.permutation(len(frames))[:clusters]
    centroids = _project(frames[torch.from_numpy(first).to(frames.device)], spherical)  # [K, D]
    objective = []
    for _ in range(iterations):
        sums, counts, total = _assign(frames, centroids)
        objective.append(total)
        means = (sums / counts.clamp(min=1)[:, None]).float()
        if bool((counts == 0).any()):
            means = torch.from_numpy(split_empty(means.cpu().numpy(), counts.cpu().numpy(), random)).to(frames.device)
        previous, centroids = centroids, _project(means, spherical)
        if torch.equal(previous, centroids):
            break  # converged
    return centroids.cpu().numpy(), objective


def _project(centroids: torch.Tensor, spherical: bool) -> torch.Tensor:
    """Centroids at length 1 if `spherical`."""
    return torch.nn.functional.normalize(centroids) if spherical else centroids


def _assign(frames: torch.Tensor, centroids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Sums [K, D] and counts [K] (float64) of the frames nearest to each centroid, and the sum of squared distances."""
    clusters = len(centroids)
    sums = torch.zeros(centroids.shape, dtype=torch.float64, device=frames.device)
    counts = torch.zeros(clusters, dtype=torch.float64, device=frames.device)
    total = torch.zeros((), dtype=torch.float64, device=frames.device)
    squares = (centroids**2).sum(dim=1)  # [K]
    for block in frames.split(max(1, BLOCK // clusters)):
        values, owners = torch.addmm(squares, block, centroids.T, alpha=-2).min(dim=1)  # |c|^2 - 2 x.c: [B] each
        total += (values + (block**2).sum(dim=1)).clamp(min=0).sum(dtype=torch.float64)
        members = torch.nn.functional.one_hot(owners, clusters).to(block.dtype)  # [B, K]
        sums += members.T @ block
        counts += members.sum(dim=0, dtype=torch.float64)
    return sums, counts, float(total)


def split_empty(centroids: np.ndarray, counts: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Centroids [K, D] in which every cluster without frames has taken half of a large one.

    Args:
        centroids: float32 [K, D], changed in place.
        counts: frames per cluster, [K], changed in place; some are above 1.
        random: draws the clusters that are split, in proportion to their frames less one.
    """
    signs = np.where(np.arange(centroids.shape[1]) % 2 == 0, PERTURBATION, -PERTURBATION).astype(np.float32)
    for empty in np.flatnonzero(counts == 0):
        weights = np.maximum(counts - 1, 0)
        large = int(random.choice(len(counts), p=weights / weights.sum()))
        centroids[empty] = centroids[large] * (1 + signs)
        centroids[large] *= 1 - signs
        counts[empty] = counts[large] // 2
        counts[large] -= counts[empty]
    return centroids
