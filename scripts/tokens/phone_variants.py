"""Several symbols per phone that the phone, its place and the speaker determine: oracles of what units distinguish.

A variant is named by its phone and one part for each entry of the modality's `variants`, joined by "/": "AH0/2/middle"
is AH0 of the third speaker of train, in the middle of the phone. A speaker whom train lacks has the part `?`.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from scripts.tokens.aligned import SILENCE, without_stress
from scripts.tokens.speakers import Speakers

SEPARATOR = "/"
THIRDS = ("begin", "middle", "end")
OTHER = "other"
MANNERS = {
    "vowel": "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW",
    "stop": "B CH D G JH K P T",
    "fricative": "DH F HH S SH TH V Z ZH",
    "nasal": "M N NG",
    "approximant": "L R W Y",
    "silence": SILENCE,
}
MANNER = {phone: manner for manner, phones in MANNERS.items() for phone in phones.split()}


def thirds(places: np.ndarray) -> np.ndarray:
    """The third of its phone that each frame lies in, int64 [T], 0 to 2; a phone of one frame has its middle only.

    Args:
        places: int64 [T], the phone of each frame, not descending.
    """
    _, first, counts = np.unique(places, return_index=True, return_counts=True)
    frame = np.arange(len(places)) - np.repeat(first, counts)
    return (6 * frame + 3) // (2 * np.repeat(counts, counts))


def neighbours(phones: Sequence[str], places: np.ndarray) -> list[str]:
    """The manner of articulation of each frame's nearer neighbouring phone, [T]; silence outside the utterance.

    It is that of the previous phone in the first half of a phone, of the next phone from its middle on.

    Args:
        phones: [P].
        places: int64 [T], indices of `phones`, not descending.
    """
    around = ["silence", *(MANNER.get(without_stress(phone), OTHER) for phone in phones), "silence"]
    _, first, counts = np.unique(places, return_index=True, return_counts=True)
    frame = np.arange(len(places)) - np.repeat(first, counts)
    later = 2 * frame + 1 >= np.repeat(counts, counts)
    return [around[place + (2 if after else 0)] for place, after in zip(places.tolist(), later.tolist(), strict=True)]


def with_variants(
    names: np.ndarray,
    phones: Sequence[str],
    places: np.ndarray,
    variants: Sequence[str],
    speaker: str,
    speakers: Speakers | None,
) -> np.ndarray:
    """The names of frames with a part for each of `variants`, str [T].

    Args:
        names: str [T], phones of frames.
        phones: [P], the aligned phones.
        places: int64 [T], indices of `phones`, not descending.
        variants: of `speaker`, `third` and `neighbour`, in the order of the parts.
        speaker: of the cut.
        speakers: those of train, for the variant `speaker`.
    """
    parts: list[Sequence[str]] = [names.tolist()]
    for variant in variants:
        if variant == "speaker":
            assert speakers is not None
            parts.append([speakers.part(speaker)] * len(names))
        elif variant == "third":
            parts.append([THIRDS[third] for third in thirds(places).tolist()])
        else:
            parts.append(neighbours(phones, places))
    return np.array([SEPARATOR.join(symbol) for symbol in zip(*parts, strict=True)], dtype=np.str_)


def inventory(phones: Sequence[str], variants: Sequence[str], speakers: Speakers | None) -> list[str]:
    """All variants of phones that can occur, those of the first phone first."""
    possible = {
        "speaker": speakers.parts if speakers is not None else [],
        "third": THIRDS,
        "neighbour": [*MANNERS, OTHER],
    }
    return [SEPARATOR.join(parts) for parts in product(phones, *(possible[variant] for variant in variants))]
