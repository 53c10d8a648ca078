"""A seeded sample of the corpus' utterances and frames, spread evenly over its speakers.

Manifests can hold millions of cuts, so they are read twice: once keeping a few numbers per cut, once
picking out the sampled ones.
"""

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from scripts.common.cuts import Cut, num_samples, read_cuts, speaker
from scripts.common.frames import frame_count
from scripts.common.seeds import generator


def drop_supervisions(cut: Cut) -> Cut:
    """The cut with what is needed to read its audio, without transcript and alignment (most of its size)."""
    return {key: cut[key] for key in ("id", "start", "duration", "channel", "recording") if key in cut}


def sample_utterances(manifests: Sequence[str | Path], frames: int, seed: int) -> list[Cut]:
    """Utterances that together hold at least `frames` frames, or all utterances if they hold fewer.

    Speakers take turns; each speaker's utterances come in a seeded order. So no speaker gives more
    than an equal share as long as the others have speech left.

    Returns:
        Cuts of `drop_supervisions`, with the key `speaker` added, in the manifests' order.
    """
    speakers: dict[str, int] = {}
    owners, lengths = array("i"), array("i")
    for manifest in manifests:
        for cut in read_cuts(manifest):
            owners.append(speakers.setdefault(speaker(cut), len(speakers)))
            lengths.append(frame_count(num_samples(cut)))
    if not lengths:
        raise ValueError(f"{', '.join(map(str, manifests))}: no cuts; nothing to learn units from")
    sampled = np.zeros(len(lengths), bool)
    order = _turns(np.array(owners), generator(seed, "units", "sample"))
    total = np.cumsum(np.array(lengths)[order])
    sampled[order[: np.searchsorted(total, frames) + 1]] = True
    cuts = (cut for manifest in manifests for cut in read_cuts(manifest))
    return [drop_supervisions(cut) | {"speaker": speaker(cut)} for cut, keep in zip(cuts, sampled, strict=True) if keep]


def _turns(owners: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Order of utterances in which speakers take turns: first each one's first, then each one's second..."""
    shuffled = random.permutation(len(owners))
    turn = np.empty(len(owners), np.int64)
    next_turn: dict[int, int] = {}
    for index in shuffled:
        turn[index] = next_turn.get(int(owners[index]), 0)
        next_turn[int(owners[index])] = int(turn[index]) + 1
    return shuffled[np.argsort(turn[shuffled], kind="stable")]


def sample_frames(lengths: Sequence[int], frames: int, seed: int) -> Iterator[np.ndarray]:
    """Sorted indices of the sampled frames of each utterance; min(frames, all) frames together.

    The same share of every utterance's frames is drawn at random without replacement.
    """
    ends = np.cumsum([0, *lengths])
    total = min(frames, int(ends[-1]))
    # Rounding the running total rather than each share makes the sum exact.
    quota = np.diff(ends * total // max(1, int(ends[-1])))
    random = generator(seed, "units", "frames")
    for length, count in zip(lengths, quota, strict=True):
        yield np.sort(random.choice(length, int(count), replace=False))
