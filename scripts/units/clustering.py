"""k-means by FAISS, and the nearest centroid of a frame."""

import numpy as np


def k_means(
    frames: np.ndarray,
    clusters: int,
    *,
    seed: int,
    redo: int,
    iterations: int,
    threads: int = 1,
    spherical: bool = False,
    gpu: bool = False,
) -> tuple[np.ndarray, list[float]]:
    """Cluster frames; of `redo` random starts the one with the lowest objective is kept.

    Args:
        frames: float32 [N, D]; with `spherical` brought to length 1 in place.
        clusters: K.
        seed: any non-negative integer; the result is a function of it, the frames and `threads`.
        redo: random starts.
        iterations: of Lloyd's algorithm per start.
        threads: CPU threads.
        spherical: cluster directions: centroids have length 1, and the nearest is the one of the largest cosine.
        gpu: use every GPU, if this FAISS was built for them (faiss-gpu); otherwise the CPU.

    Returns:
        Centroids float32 [K, D] and the kept start's objective (sum of squared distances) after
        each iteration.

    Raises:
        ValueError: there are fewer frames than clusters, or a frame is not finite.
    """
    import faiss

    if len(frames) < clusters:
        raise ValueError(
            f"units.clusters is {clusters} but the sample holds only {len(frames)} frames; fewer clusters,"
            " more speech or a larger units.sample_frames is needed"
        )
    if not np.isfinite(frames).all():
        raise ValueError("k-means: features hold NaN or infinite values; the encoder is damaged")
    faiss.omp_set_num_threads(threads)
    if spherical:
        frames /= np.maximum(np.linalg.norm(frames, axis=1, keepdims=True), 1e-12)
    # FAISS subsamples and warns by its own rules unless told that every frame counts.
    options = {"min_points_per_centroid": 1, "max_points_per_centroid": len(frames)}
    best: tuple[float, np.ndarray, list[float]] | None = None
    for start in range(redo):
        solver = faiss.Kmeans(
            frames.shape[1],
            clusters,
            niter=iterations,
            seed=(seed + start) % 2**31,
            verbose=False,
            spherical=spherical,
            gpu=gpu and getattr(faiss, "get_num_gpus", lambda: 0)() > 0,
            **options,
        )
        solver.train(frames)
        objective = np.asarray(solver.obj, np.float64)
        if spherical:  # FAISS sums cosines; of vectors of length 1, |x - c|^2 = 2 - 2 x.c
            objective = 2 * (len(frames) - objective)
        if best is None or objective[-1] < best[0]:
            best = float(objective[-1]), np.array(solver.centroids, np.float32), objective.tolist()
    assert best is not None, "redo is at least 1"
    return best[1], best[2]


def nearest(frames: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Index of the nearest centroid (Euclidean) of each frame: [N, D], [K, D] -> uint16 [N].

    Of centroids of length 1 it is the one of the largest cosine, whatever the frame's length.
    """
    # |x - c|^2 = |x|^2 - 2 x.c + |c|^2, and |x|^2 is the same for all centroids.
    distances = (centroids**2).sum(axis=1) - 2.0 * (frames @ centroids.T)  # [N, K]
    return distances.argmin(axis=1).astype(np.uint16)
