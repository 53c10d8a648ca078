"""k-means by FAISS or by torch, and the nearest centroid of a frame."""

import numpy as np


def choose_backend(backend: str, device: str) -> tuple[str, str]:
    """What clusters, and where.

    Args:
        backend: faiss, torch, or auto: torch on a GPU, FAISS on a CPU.
        device: cpu or cuda, where the encoder runs.

    Returns:
        (faiss or torch, cpu or cuda); FAISS runs on a GPU only if it was built for one (faiss-gpu).
    """
    if backend == "auto":
        backend = "torch" if device == "cuda" else "faiss"
    if backend == "faiss" and device == "cuda":
        import faiss

        return backend, "cuda" if getattr(faiss, "get_num_gpus", lambda: 0)() > 0 else "cpu"
    return backend, device


def k_means(
    frames: np.ndarray,
    clusters: int,
    *,
    seed: int,
    redo: int,
    iterations: int,
    threads: int = 1,
    spherical: bool = False,
    backend: str = "faiss",
    device: str = "cpu",
) -> tuple[np.ndarray, list[float]]:
    """Cluster frames; of `redo` random starts the one with the lowest objective is kept.

    Args:
        frames: float32 [N, D]; with `spherical` brought to length 1 in place.
        clusters: K.
        seed: any non-negative integer; the result is a function of it, the frames, the backend, the device and, on a
            CPU, `threads`.
        redo: random starts.
        iterations: of Lloyd's algorithm per start.
        threads: CPU threads of FAISS; torch has its own number.
        spherical: cluster directions: centroids have length 1, and the nearest is the one of the largest cosine.
        backend: faiss or torch, as `choose_backend` says.
        device: cpu or cuda.

    Returns:
        Centroids float32 [K, D] and the kept start's objective (sum of squared distances) after
        each iteration.

    Raises:
        ValueError: there are fewer frames than clusters, or a frame is not finite.
    """
    if len(frames) < clusters:
        raise ValueError(
            f"units.clusters is {clusters} but the sample holds only {len(frames)} frames; fewer clusters,"
            " more speech or a larger units.sample_frames is needed"
        )
    if not np.isfinite(frames).all():
        raise ValueError("k-means: features hold NaN or infinite values; the encoder is damaged")
    if spherical:
        frames /= np.maximum(np.linalg.norm(frames, axis=1, keepdims=True), 1e-12)
    if backend == "torch":
        from scripts.units.kmeans_torch import lloyd, to_device

        on_device = to_device(frames, device)
        starts = (
            lloyd(on_device, clusters, seed=seed + start, iterations=iterations, spherical=spherical)
            for start in range(redo)
        )
    else:
        starts = (
            _faiss(frames, clusters, seed + start, iterations, threads, spherical, device) for start in range(redo)
        )
    return min(starts, key=lambda start: start[1][-1])


def _faiss(
    frames: np.ndarray, clusters: int, seed: int, iterations: int, threads: int, spherical: bool, device: str
) -> tuple[np.ndarray, list[float]]:
    """One start of FAISS: centroids and objective."""
    import faiss

    faiss.omp_set_num_threads(threads)
    solver = faiss.Kmeans(
        frames.shape[1],
        clusters,
        niter=iterations,
        seed=seed % 2**31,
        verbose=False,
        spherical=spherical,
        gpu=device == "cuda",
        # Without these limits FAISS would subsample the frames and print warnings.
        min_points_per_centroid=1,
        max_points_per_centroid=len(frames),
    )
    solver.train(frames)
    objective = np.asarray(solver.obj, np.float64)
    if spherical:  # FAISS sums cosines; of vectors of length 1, |x - c|^2 = 2 - 2 x.c
        objective = 2 * (len(frames) - objective)
    return np.array(solver.centroids, np.float32), objective.tolist()


def nearest(frames: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Index of the nearest centroid (Euclidean) of each frame: [N, D], [K, D] -> uint16 [N].

    Of centroids of length 1 it is the one of the largest cosine, whatever the frame's length.
    """
    # |x - c|^2 = |x|^2 - 2 x.c + |c|^2, and |x|^2 is the same for all centroids.
    distances = (centroids**2).sum(axis=1) - 2.0 * (frames @ centroids.T)  # [N, K]
    return distances.argmin(axis=1).astype(np.uint16)
