"""Draw a sample of a corpus by hours of speech, balanced over speakers and independent of order and shards."""

from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.common.cuts import Cut, read_cuts, speaker
from scripts.common.seeds import derive


def draw_sample(paths: Sequence[str | Path], hours: float, seed: int) -> list[Cut]:
    """Cuts of about `hours`, with equal time per speaker as far as available, chosen by a hash of their ids.

    The choice does not depend on the order or sharding of the cuts. They are read twice: once to collect 20 bytes per
    cut, once to collect the chosen cuts.
    """
    speakers: dict[str, int] = {}
    speaker_ids, hashes, durations = array("I"), array("Q"), array("d")
    for path in paths:
        for cut in read_cuts(path):
            speaker_ids.append(speakers.setdefault(speaker(cut), len(speakers)))
            hashes.append(derive(seed, "alignment/sample", cut["id"]))
            durations.append(cut["duration"])
    chosen = _round_robin(sorted(speakers, key=speakers.__getitem__), speaker_ids, hashes, durations, hours * 3600)
    ranks = {index: rank for rank, index in enumerate(chosen.tolist())}
    sample: dict[int, Cut] = {}
    for index, cut in enumerate(cut for path in paths for cut in read_cuts(path)):
        if index in ranks:
            sample[ranks[index]] = cut
    return [sample[rank] for rank in range(len(ranks))]


def _round_robin(
    names: Sequence[str], speaker_ids: Sequence[int], hashes: Sequence[int], durations: Sequence[float], seconds: float
) -> np.ndarray:
    """Indices of the chosen cuts: round-robin over speakers by name, each speaker's cuts by their hashes."""
    by_name = np.argsort(np.argsort(np.array(names)))[np.array(speaker_ids, np.int64)]  # [cuts]
    order = np.lexsort((np.array(hashes, np.uint64), by_name))
    counts = np.bincount(by_name)
    rounds = np.empty_like(order)
    rounds[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.lexsort((by_name, rounds))
    cumulative = np.cumsum(np.array(durations)[order])
    return order[: np.searchsorted(cumulative, seconds) + 1]
