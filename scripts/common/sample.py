"""A sample of a corpus in hours of speech, even over speakers, whatever the order and the shards of its cuts."""

from array import array
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.common.cuts import Cut, read_cuts, speaker
from scripts.common.seeds import derive


def draw_sample(paths: Sequence[str | Path], hours: float, seed: int) -> list[Cut]:
    """Cuts of about `hours`, the same time per speaker as far as there is, by hash of their ids.

    The choice does not depend on the order or sharding of the cuts. They are read twice: once for 20 bytes of each,
    once for those that are chosen.
    """
    speakers: dict[str, int] = {}
    spoken_by, hashes, durations = array("I"), array("Q"), array("d")
    for path in paths:
        for cut in read_cuts(path):
            spoken_by.append(speakers.setdefault(speaker(cut), len(speakers)))
            hashes.append(derive(seed, "alignment/sample", cut["id"]))
            durations.append(cut["duration"])
    chosen = _in_turns(sorted(speakers, key=speakers.__getitem__), spoken_by, hashes, durations, hours * 3600)
    places = {at: place for place, at in enumerate(chosen.tolist())}
    found: dict[int, Cut] = {}
    for at, cut in enumerate(cut for path in paths for cut in read_cuts(path)):
        if at in places:
            found[places[at]] = cut
    return [found[place] for place in range(len(places))]


def _in_turns(
    names: Sequence[str], spoken_by: Sequence[int], hashes: Sequence[int], durations: Sequence[float], seconds: float
) -> np.ndarray:
    """Numbers of the cuts that are chosen, in order: speakers by name take turns, each with its smallest hash next."""
    by_name = np.argsort(np.argsort(np.array(names)))[np.array(spoken_by, np.int64)]  # [cuts]
    order = np.lexsort((np.array(hashes, np.uint64), by_name))
    counts = np.bincount(by_name)
    turns = np.empty_like(order)
    turns[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.lexsort((by_name, turns))
    so_far = np.cumsum(np.array(durations)[order])
    return order[: np.searchsorted(so_far, seconds) + 1]
