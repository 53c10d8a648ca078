"""Which utterances stand for the corpus: a seeded sample spread evenly over its speakers.

Manifests can hold millions of cuts, so they are read twice: once keeping a few numbers per cut, once
picking out the chosen ones.
"""

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from scripts.common.cuts import Cut, num_samples, read_cuts, speaker
from scripts.common.frames import frame_count
from scripts.common.seeds import generator


def without_text(cut: Cut) -> Cut:
    """What is needed to read the cut's audio, without transcript and alignment (most of its size)."""
    return {"id": cut["id"], "start": cut["start"], "duration": cut["duration"], "recording": cut["recording"]}


def choose(manifests: Sequence[str | Path], frames: int, seed: int) -> list[Cut]:
    """Utterances that together hold at least `frames` frames, or all utterances if they hold fewer.

    Speakers take turns; each speaker's utterances come in a seeded order. So no speaker gives more
    than his share as long as the others have speech left.

    Returns:
        Cuts `without_text` but with `speaker`, in the manifests' order.
    """
    speakers: dict[str, int] = {}
    owner, lengths = array("i"), array("i")
    for manifest in manifests:
        for cut in read_cuts(manifest):
            owner.append(speakers.setdefault(speaker(cut), len(speakers)))
            lengths.append(frame_count(num_samples(cut)))
    if not lengths:
        raise ValueError(f"{', '.join(map(str, manifests))}: no cuts; nothing to learn units from")
    chosen = np.zeros(len(lengths), bool)
    order = _turns(np.array(owner), generator(seed, "units", "sample"))
    total = np.cumsum(np.array(lengths)[order])
    chosen[order[: np.searchsorted(total, frames) + 1]] = True
    every = (cut for manifest in manifests for cut in read_cuts(manifest))
    return [without_text(cut) | {"speaker": speaker(cut)} for cut, wanted in zip(every, chosen, strict=True) if wanted]


def _turns(owner: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Order of utterances in which speakers take turns: first each one's first, then each one's second..."""
    shuffled = random.permutation(len(owner))
    turn = np.empty(len(owner), np.int64)
    seen: dict[int, int] = {}
    for index in shuffled:
        turn[index] = seen.get(int(owner[index]), 0)
        seen[int(owner[index])] = int(turn[index]) + 1
    return shuffled[np.argsort(turn[shuffled], kind="stable")]


def shares(lengths: Sequence[int], frames: int, seed: int) -> Iterator[np.ndarray]:
    """Per utterance, the sorted indices of the frames it gives so that the sum is min(frames, all).

    Every utterance gives the same share of its frames, drawn at random without replacement.
    """
    ends = np.cumsum([0, *lengths])
    wanted = min(frames, int(ends[-1]))
    # Rounding the running total rather than each share makes the sum exact.
    quota = np.diff(ends * wanted // max(1, int(ends[-1])))
    random = generator(seed, "units", "frames")
    for length, count in zip(lengths, quota, strict=True):
        yield np.sort(random.choice(length, int(count), replace=False))
