"""Which utterances go through the encoder together."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

MAX_PADDING = 0.05  # share of a batch's samples that may be padding
MIN_WINDOW = 256  # utterances
WINDOW_PER_SECOND = 4  # utterances in a window per second of a batch

T = TypeVar("T")


def window_size(batch_seconds: float) -> int:
    """Utterances that are sorted by length together.

    A batch fills up only if the window has enough utterances of nearly one length, so a larger batch needs a larger
    window. What is held is the utterances' manifests and units, not their audio. `python -m benchmarks.units
    --windows` has the effect on lengths like LibriHeavy's.
    """
    return max(MIN_WINDOW, round(WINDOW_PER_SECOND * batch_seconds))


def windows(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Consecutive lists of `size` items; the last one may be shorter."""
    stream = iter(items)
    while window := list(islice(stream, size)):
        yield window


def batches(lengths: Sequence[int], batch_samples: int) -> Iterator[list[int]]:
    """Group utterances, shortest first, so that padding is at most `MAX_PADDING` of a batch.

    Args:
        lengths: samples per utterance.
        batch_samples: largest padded batch; a longer utterance goes alone.

    Yields:
        Indices into `lengths`.
    """
    batch: list[int] = []
    total = 0
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        padded = lengths[index] * (len(batch) + 1)
        if batch and (padded > batch_samples or padded - total - lengths[index] > MAX_PADDING * padded):
            yield batch
            batch, total = [], 0
        batch.append(index)
        total += lengths[index]
    if batch:
        yield batch
