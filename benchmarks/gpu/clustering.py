"""Stage 7: k-means at the paper's size, and its inertia on a part against another implementation's."""

import time
from functools import partial

import numpy as np
import torch

from benchmarks.gpu.record import Recorder
from scripts.units.clustering import k_means, nearest

SPREAD = 0.3  # of the clusters' centres, in standard deviations of the noise around them
EXPLAINED = 0.05  # largest relative difference in the variance that both explain on the part
FEW, MORE = 2, 12  # iterations; the difference of the two times is that of ten
REDO = 3  # random starts on the part, of both


def run(record: Recorder, device: torch.device, full: bool) -> None:
    """Time of an iteration, then the quality on a part."""
    frames, width, clusters, repeats = (1_000_000, 1024, 2048, 1) if full else (10_000, 32, 50, 3)
    part, few = (20_000, 64) if full else (2000, 8)
    record.run("time", partial(_time, record, device, frames, width, clusters, repeats), 12 if full else 1)
    record.run("quality", partial(_quality, record, device, part, width, few), 5 if full else 1)


def clustered(device: torch.device, count: int, width: int, clusters: int) -> np.ndarray:
    """Frames around random centres, float32 [count, width]."""
    centres = SPREAD * torch.randn(clusters, width, device=device)
    frames = np.empty((count, width), np.float32)
    for first in range(0, count, 100_000):
        rows = min(100_000, count - first)
        owners = torch.randint(clusters, (rows,), device=device)
        frames[first : first + rows] = (centres[owners] + torch.randn(rows, width, device=device)).cpu().numpy()
    return frames


def _fit(
    frames: np.ndarray, clusters: int, device: torch.device, iterations: int, redo: int = 1
) -> tuple[np.ndarray, list[float]]:
    return k_means(frames, clusters, seed=0, redo=redo, iterations=iterations, backend="torch", device=device.type)


def _time(record: Recorder, device: torch.device, count: int, width: int, clusters: int, repeats: int) -> None:
    frames = clustered(device, count, width, clusters)
    _fit(frames[: 10 * clusters], clusters, device, 1)
    seconds = {FEW: float("inf"), MORE: float("inf")}
    for _ in range(repeats):
        for iterations in seconds:
            began = time.perf_counter()
            objective = _fit(frames, clusters, device, iterations)[1]
            seconds[iterations] = min(seconds[iterations], time.perf_counter() - began)
    each = (seconds[MORE] - seconds[FEW]) / (MORE - FEW)
    note = f"{count:,} x {width}, K = {clusters}"
    record.add("time", f"of {MORE} iterations, copy and checks included", seconds[MORE], "s", note=note, headline=True)
    record.add("time", "of an iteration", each, "s", note=f"from {FEW} and {MORE} iterations", headline=True)
    record.add("time", "rate of the distances alone", 2.0 * count * clusters * width / each / 1e12, "TFLOP/s")
    first, last = objective[0], objective[-1]
    record.add("time", "mean squared distance, first iteration", first / count, "")
    record.check("time", "mean squared distance, last iteration", last / count, "", 0 < last < first)


def _quality(record: Recorder, device: torch.device, count: int, width: int, clusters: int) -> None:
    frames = clustered(device, count, width, clusters)
    ours, _ = _fit(frames, clusters, device, 25, REDO)
    name, reference = _reference(frames, clusters)
    total = float(((frames - frames.mean(axis=0)) ** 2).sum())
    mine, theirs = (1 - inertia(frames, centroids) / total for centroids in (ours, reference))
    note = f"{count:,} x {width}, K = {clusters}, best of {REDO} random starts"
    record.add("quality", "explained variance", mine, "", note=note)
    record.add("quality", "explained variance by the reference", theirs, "", note=f"{name}; {note}")
    difference = mine / theirs - 1
    passed = abs(difference) < EXPLAINED
    record.check("quality", "relative difference of explained variance", difference, "", passed, name)


def _reference(frames: np.ndarray, clusters: int) -> tuple[str, np.ndarray]:
    """The implementation's name, and its centroids, float [clusters, D]: scikit-learn's where it is installed."""
    try:
        from sklearn.cluster import KMeans
    except ImportError:
        return "numpy, since scikit-learn is not installed", lloyd(frames, clusters, 25, REDO)
    solver = KMeans(clusters, init="random", n_init=REDO, max_iter=25, tol=0, random_state=0).fit(frames)
    return "scikit-learn", solver.cluster_centers_


def lloyd(frames: np.ndarray, clusters: int, iterations: int, redo: int) -> np.ndarray:
    """Lloyd's k-means from random frames, the best of `redo` starts; an empty cluster keeps its centroid.

    Args:
        frames: float32 [N, D].
        clusters: K.
        iterations: of each start.
        redo: number of starts.

    Returns:
        Centroids, float32 [K, D].
    """
    rng = np.random.default_rng(0)
    results = []
    for _ in range(redo):
        centroids = frames[rng.choice(len(frames), clusters, replace=False)]
        for _ in range(iterations):
            squares = (centroids**2).sum(axis=1) - 2 * frames @ centroids.T  # [N, K], without the frames' own
            owners = squares.argmin(axis=1)
            members = np.eye(clusters, dtype=np.float32)[owners]  # [N, K]
            counts = members.sum(axis=0)[:, None]
            centroids = np.where(counts > 0, members.T @ frames / np.maximum(counts, 1), centroids)
        results.append((inertia(frames, centroids), centroids))
    return min(results, key=lambda result: result[0])[1]


def inertia(frames: np.ndarray, centroids: np.ndarray) -> float:
    """Sum of squared distances to the nearest centroids."""
    owners = nearest(frames, np.asarray(centroids, np.float32))
    return float(((frames - centroids[owners]) ** 2).sum())
