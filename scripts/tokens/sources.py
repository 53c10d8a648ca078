"""Read the symbols of a modality from cuts: the only module that distinguishes sources.

Text is a sequence of characters, phones and units are sequences of names: all are `Sequence[str]`, which later code
does not distinguish.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.common.cuts import Cut, holds_items, num_samples, phone_alignment, read_cuts, supervision
from scripts.common.frames import SAMPLE_RATE, frame_centres, frame_count
from scripts.common.ragged import Ragged, load_npz
from scripts.tokens.modality import Modality

SILENCE = "SIL"


@dataclass(frozen=True)
class Utterance:
    """A cut's symbols in one modality.

    Attributes:
        id: of the cut.
        symbols: characters (a str) or names of phones or units.
        seconds: duration of the cut.
        words: spoken words.
        frames: length on the modality's frame clock, 0 without one.
        phones: phones of the alignment without SIL; 0 for sources that read no alignment.
        phones_lost: phones between two frame centres, which are in no frame.
    """

    id: str
    symbols: Sequence[str]
    seconds: float
    words: int
    frames: int
    phones: int = 0
    phones_lost: int = 0


Symbols = tuple[Sequence[str], int, int]  # symbols, phones, phones_lost


def alignment(cut: Cut) -> list[tuple[str, float, float]]:
    """(phone, start, duration) of a cut; ValueError naming the cut if it is not aligned."""
    if not (supervision(cut).get("alignment") or {}).get("phone"):
        raise ValueError(f"cut {cut['id']}: has no phone alignment; expected a cut from alignment/cuts")
    return phone_alignment(cut)


def _texts(cut: Cut) -> Sequence[str]:
    """[book text, spoken text] of a cut; ValueError naming the cut if it lacks one of them."""
    texts = supervision(cut).get("custom", {}).get("texts") or []
    if len(texts) < 2:
        raise ValueError(
            f"cut {cut['id']}: supervision.custom.texts holds {len(texts)} texts; expected book text and spoken text"
        )
    return texts


def text(cut: Cut, modality: Modality, stream: np.ndarray | None) -> Symbols:
    """The characters of the book text."""
    return _texts(cut)[0], 0, 0


def phones(cut: Cut, modality: Modality, stream: np.ndarray | None) -> Symbols:
    """The aligned phones in order, with or without SIL."""
    names = [name for name, _, _ in alignment(cut)]
    spoken = [name for name in names if name != SILENCE]
    return (names if modality.silence == "keep" else spoken), len(spoken), 0


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


def phone_frames(cut: Cut, modality: Modality, stream: np.ndarray | None) -> Symbols:
    """The phone at each frame's centre, SIL included, as many as the cut has units; errors of `phone_at_frames`."""
    aligned = alignment(cut)
    frames = phone_at_frames(cut, modality.frame_rate or 0.0)
    seen = set(frames.tolist())
    spoken = [index for index, (name, _, _) in enumerate(aligned) if name != SILENCE]
    lost = sum(index not in seen for index in spoken)
    return [aligned[index][0] for index in frames], len(spoken), lost


def units(cut: Cut, modality: Modality, stream: np.ndarray | None) -> Symbols:
    """The cut's units; ValueError naming the cut if their number is not that of its frames."""
    assert stream is not None
    expected = frame_count(num_samples(cut), modality.frame_rate or 0.0)
    if len(stream) != expected:
        raise ValueError(
            f"cut {cut['id']}: has {len(stream)} units; {cut['duration']} s at {modality.frame_rate} per second"
            f" make {expected}"
        )
    return [str(unit) for unit in stream.tolist()], 0, 0


def tokens(cut: Cut, modality: Modality, stream: np.ndarray | None) -> Symbols:
    """The cut's external tokens."""
    assert stream is not None
    return [str(token) for token in stream.tolist()], 0, 0


READERS: dict[tuple[str, bool], Callable[[Cut, Modality, np.ndarray | None], Symbols]] = {
    ("text", False): text,
    ("phones", False): phones,
    ("phones", True): phone_frames,
    ("units", True): units,
    ("tokens", False): tokens,
}


def read(cuts: str | Path, unit_file: str | Path | None, modality: Modality) -> Iterator[Utterance]:
    """The utterances of one file of cuts or task items, in order.

    Args:
        cuts: aligned cuts (or items, positive side first), one of the alignment stage's files.
        unit_file: units or external tokens of the same cuts; None for other sources.
        modality: the modality to read.

    Raises:
        ValueError: naming file and cut, if a cut lacks the data of the modality, or the unit file does not hold the
            same cuts in the same order.
    """
    reader, items = READERS[modality.source, modality.framed], holds_items(cuts)
    streams = load_npz(unit_file) if unit_file else None
    count = 0
    for count, cut in enumerate(read_cuts(cuts), start=1):
        stream = _units_of(cut, count - 1, streams, unit_file, cuts) if streams is not None else None
        try:
            # A side without external units or tokens is imported as an empty sequence.
            absent = items and stream is not None and not len(stream)
            symbols, spoken, lost = ([], 0, 0) if absent else reader(cut, modality, stream)
            yield Utterance(
                id=cut["id"],
                symbols=symbols,
                seconds=cut["duration"],
                words=len(_texts(cut)[1].split()),
                frames=frame_count(num_samples(cut), modality.frame_rate) if modality.frame_rate else 0,
                phones=spoken,
                phones_lost=lost,
            )
        except ValueError as error:
            raise ValueError(f"{cuts}: {error}") from None
    if streams is not None and count != len(streams):
        raise ValueError(f"{unit_file}: holds {len(streams)} utterances, {cuts} holds {count}; run the units again")


def _units_of(cut: Cut, index: int, streams: Ragged, unit_file: str | Path | None, cuts: str | Path) -> np.ndarray:
    """Sequence `index`, which must be the cut's; ValueError naming both files if it has another id."""
    name = str(streams.ids[index]) if index < len(streams) else "nothing"
    if name != cut["id"]:
        raise ValueError(
            f"{unit_file}: holds {name!r} at place {index + 1} where {cuts} holds {cut['id']!r}; run the units again"
        )
    return streams[index]
