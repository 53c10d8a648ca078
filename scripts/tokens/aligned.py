"""Phones of an aligned cut: in order, at frames, and by word."""

import numpy as np

from scripts.common.cuts import Cut, num_samples, phone_alignment, supervision, word_alignment
from scripts.common.frames import SAMPLE_RATE, frame_centres, frame_count

SILENCE = "SIL"


def alignment(cut: Cut) -> list[tuple[str, float, float]]:
    """(phone, start, duration) of a cut; ValueError naming the cut if it is not aligned."""
    if not (supervision(cut).get("alignment") or {}).get("phone"):
        raise ValueError(f"cut {cut['id']}: has no phone alignment; expected a cut from alignment/cuts")
    return phone_alignment(cut)


def phone_at_frames(cut: Cut, rate: float) -> np.ndarray:
    """Index of the aligned phone at each frame's centre, int64 [T].

    Boundaries and centres are rounded to samples; a phone covers [start, end).

    Raises:
        ValueError: naming the cut, if its alignment does not reach from the first centre to the last.
    """
    aligned = alignment(cut)
    starts = np.rint(np.array([start for _, start, _ in aligned]) * SAMPLE_RATE).astype(np.int64)  # [P]
    end = round((aligned[-1][1] + aligned[-1][2]) * SAMPLE_RATE)
    count = frame_count(num_samples(cut), rate)
    centres = np.rint(frame_centres(count, rate) * SAMPLE_RATE).astype(np.int64)  # [T]
    if np.any(np.diff(starts) < 0):
        raise ValueError(f"cut {cut['id']}: its phones are not in order of time")
    if count and not (starts[0] <= centres[0] and centres[-1] < end):
        raise ValueError(
            f"cut {cut['id']}: its phones reach from {aligned[0][1]} to {aligned[-1][1] + aligned[-1][2]:.4f} s;"
            f" they must cover the cut's {cut['duration']} s"
        )
    return np.searchsorted(starts, centres, side="right") - 1


def phone_words(cut: Cut) -> np.ndarray:
    """Index of the aligned word around the centre of every aligned phone, int64 [P]; -1 of SIL and outside words."""
    words, phones = word_alignment(cut), phone_alignment(cut)
    if not words:
        return np.full(len(phones), -1)
    starts = np.array([start for _, start, _ in words])
    ends = np.array([start + duration for _, start, duration in words])
    middles = np.array([start + duration / 2 for _, start, duration in phones])
    word = np.searchsorted(starts, middles, side="right") - 1  # [P], the last word that starts before
    inside = (word >= 0) & (np.array([name for name, *_ in phones]) != SILENCE)
    inside &= middles < ends[np.maximum(word, 0)]
    return np.where(inside, word, -1)


def without_stress(phone: str) -> str:
    """An ARPAbet phone without the digit of its stress."""
    return phone.rstrip("012")
