"""Audio read ahead by worker processes while the encoder works on what was read before."""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor

import numpy as np

from scripts.common import audio
from scripts.common.cuts import Cut

AHEAD = 2  # batches per worker that are read or waiting; what is held is bounded by it


def read_batch(cuts: Sequence[Cut], root: str) -> list[np.ndarray]:
    """Waveforms of a batch, float32 [N] at 16 kHz each; AudioError naming the cut that cannot be read."""
    return [audio.read(cut, root) for cut in cuts]


def read_ahead(batches: Iterable[Sequence[Cut]], root: str, workers: int) -> Iterator[list[np.ndarray]]:
    """Waveforms of each batch in order; with no workers read when asked for, in this process.

    Workers are started by spawning: a forked child would inherit the encoder's threads and locks.
    """
    if workers == 0:
        for batch in batches:
            yield read_batch(batch, root)
        return
    context = multiprocessing.get_context("spawn")
    waiting: deque[Future[list[np.ndarray]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        try:
            for batch in batches:
                waiting.append(pool.submit(read_batch, batch, root))
                if len(waiting) > AHEAD * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
