"""Read the symbols of a modality from cuts: the only module that distinguishes sources.

Text is a sequence of characters, phones and units are sequences of names: all are `Sequence[str]`, which later code
does not distinguish. What a modality's line changes is applied in one order: stress or units' phones, errors per phone,
silence and word boundaries, durations, errors per frame, variants, repeats. Random draws of a cut are named by its id
where a reader is given no other name.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scripts.common.cuts import Cut, holds_items, is_item, num_samples, sides, speaker, supervision
from scripts.common.files import read_jsonl
from scripts.common.frames import frame_count
from scripts.common.ragged import Ragged, load_npz
from scripts.common.seeds import generator
from scripts.tokens.aligned import SILENCE, alignment, phone_at_frames, phone_words, without_stress
from scripts.tokens.config import LONGEST_RUN, RUN_LENGTHS, UNIT_RATE
from scripts.tokens.modality import Modality
from scripts.tokens.phone_durations import PhoneDurations, frames_of
from scripts.tokens.phone_errors import confuse, substitute
from scripts.tokens.phone_variants import with_variants
from scripts.tokens.tables import Tables
from scripts.tokens.text_form import text_form

BOUNDARY = "|"  # between words, as in the vocabularies of wav2vec 2.0
NOWHERE = -1  # place of a symbol that stands for nothing of the cut
NO_TABLES = Tables()


class Symbols(NamedTuple):
    """A cut's symbols.

    Attributes:
        names: characters (a str) or names of phones or units.
        places: what each stands for, int64 [len(names)]: the index of a character of the book text, of an aligned
            phone, of a frame of the units; NOWHERE for none of these.
        phones: phones of the alignment without SIL; 0 for sources that read no alignment.
        phones_lost: those of them that are in no frame.
    """

    names: Sequence[str]
    places: np.ndarray
    phones: int = 0
    phones_lost: int = 0


@dataclass(frozen=True)
class Utterance:
    """A cut's symbols in one modality.

    Attributes:
        id: of the cut.
        symbols: characters (a str) or names of phones or units.
        places: what each symbol stands for, as in `Symbols`.
        seconds: duration of the cut.
        words: spoken words.
        frames: length on the modality's frame clock, 0 without one.
        phones: phones of the alignment without SIL; 0 for sources that read no alignment.
        phones_lost: phones between two frame centres, which are in no frame.
    """

    id: str
    symbols: Sequence[str]
    places: np.ndarray
    seconds: float
    words: int
    frames: int
    phones: int = 0
    phones_lost: int = 0


def _texts(cut: Cut) -> Sequence[str]:
    """[book text, spoken text] of a cut; ValueError naming the cut if it lacks one of them."""
    texts = supervision(cut).get("custom", {}).get("texts") or []
    if len(texts) < 2:
        raise ValueError(
            f"cut {cut['id']}: supervision.custom.texts holds {len(texts)} texts; expected book text and spoken text"
        )
    return texts


def text(
    cut: Cut, modality: Modality, stream: np.ndarray | None = None, tables: Tables = NO_TABLES, draws: str = ""
) -> Symbols:
    """The characters of the book text."""
    return Symbols(*text_form(_texts(cut)[0], modality))


def phones(
    cut: Cut, modality: Modality, stream: np.ndarray | None = None, tables: Tables = NO_TABLES, draws: str = ""
) -> Symbols:
    """The aligned phones in order, with or without SIL, with or without boundaries between words."""
    aligned = [name for name, _, _ in alignment(cut)]
    names = _phone_names(cut, modality, tables, draws)
    places = np.arange(len(names))
    if modality.silence == "drop":
        places = places[names != SILENCE]
    found = names[places].tolist()
    if modality.word_boundaries == "keep":
        words = phone_words(cut)[places]
        before = np.maximum.accumulate(np.concatenate([[NOWHERE], words[:-1]]))
        at = np.flatnonzero(words > before)  # the first phone of every word
        at = at[at > 0]
        places = np.insert(places, at, NOWHERE)
        found = np.insert(np.array(found, object), at, BOUNDARY).tolist()
    return Symbols(found, places, sum(name != SILENCE for name in aligned))


def phone_frames(
    cut: Cut, modality: Modality, stream: np.ndarray | None = None, tables: Tables = NO_TABLES, draws: str = ""
) -> Symbols:
    """The phone at each frame's centre, or as many frames of each phone as the modality's durations say; with SIL.

    Aligned phones have as many frames as the cut has at the modality's rate; errors of `phone_at_frames`.
    """
    rate = modality.frame_rate or 0.0
    aligned, names = alignment(cut), _phone_names(cut, modality, tables, draws)
    if modality.durations == "aligned":
        places = phone_at_frames(cut, rate)
    else:
        places = np.repeat(np.arange(len(names)), _other_durations(cut, modality, tables.durations, draws or cut["id"]))
    spoken = [index for index, (name, _, _) in enumerate(aligned) if name != SILENCE]
    lost = len(spoken) - int(np.isin(spoken, places).sum())
    frames = names[places]
    if modality.noise and modality.noise_per == "frame":
        frames = _with_errors(frames, modality, tables, draws or cut["id"])
    if modality.variants:
        frames = with_variants(frames, names.tolist(), places, modality.variants, speaker(cut), tables.speakers)
    return Symbols(*_with_repeats(frames, places, modality), len(spoken), lost)


def units(
    cut: Cut, modality: Modality, stream: np.ndarray | None = None, tables: Tables = NO_TABLES, draws: str = ""
) -> Symbols:
    """The cut's units, by number or by phone; ValueError naming the cut if their number is not that of its frames."""
    assert stream is not None
    expected = frame_count(num_samples(cut), UNIT_RATE)
    if len(stream) != expected:
        raise ValueError(
            f"cut {cut['id']}: has {len(stream)} units; {cut['duration']} s at {UNIT_RATE} per second make {expected}"
        )
    # Frame t of a slower clock has the centre of frame step * t, so that there are as many as `frame_count` says.
    places = np.arange(0, len(stream), round(UNIT_RATE / (modality.frame_rate or UNIT_RATE)))
    chosen = stream[places]
    if tables.units is None:
        return Symbols(*_with_repeats(chosen.astype(np.str_), places, modality))
    phone_of = tables.units.majority
    if len(chosen) and int(chosen.max()) >= len(phone_of):
        raise ValueError(
            f"cut {cut['id']}: has unit {chosen.max()}; unit_phones.json has {len(phone_of)} units: it is of others"
        )
    return Symbols(*_with_repeats(phone_of[chosen], places, modality))


def tokens(
    cut: Cut, modality: Modality, stream: np.ndarray | None = None, tables: Tables = NO_TABLES, draws: str = ""
) -> Symbols:
    """The cut's external tokens."""
    assert stream is not None
    return Symbols([str(token) for token in stream.tolist()], np.full(len(stream), NOWHERE))


def _phone_names(cut: Cut, modality: Modality, tables: Tables, draws: str) -> np.ndarray:
    """The aligned phones, str [P], with their stress and errors as the modality has them."""
    names = [name for name, _, _ in alignment(cut)]
    if modality.stress == "drop":
        names = [without_stress(name) for name in names]
    found = np.array(names, dtype=np.str_)
    if modality.noise and modality.noise_per == "phone":
        return _with_errors(found, modality, tables, draws or cut["id"])
    return found


def _with_errors(names: np.ndarray, modality: Modality, tables: Tables, draws: str) -> np.ndarray:
    rng = generator(modality.seed or 0, "tokens", "noise", draws)
    if modality.noise == "units":
        assert tables.units is not None
        return confuse(names, tables.units.confusion, rng)
    assert isinstance(modality.noise, float)
    assert tables.durations is not None
    return substitute(names, modality.noise, tables.durations.phones, rng)


def _other_durations(cut: Cut, modality: Modality, durations: PhoneDurations | None, draws: str) -> np.ndarray:
    """Frames of each phone that does not last as aligned, int64 [P]."""
    names = [name for name, _, _ in alignment(cut)]
    if modality.stress == "drop":
        names = [without_stress(name) for name in names]
    if isinstance(modality.durations, int):
        return np.full(len(names), modality.durations)
    assert durations is not None
    if modality.durations == "mean":
        samples = [durations.mean(name) for name in names]
    else:
        uniform = generator(modality.seed or 0, "tokens", "durations", draws).random(len(names))
        samples = [durations.draw(name, u) for name, u in zip(names, uniform.tolist(), strict=True)]
    return frames_of(np.array(samples), modality.frame_rate or 0.0)


def _with_repeats(names: np.ndarray, places: np.ndarray, modality: Modality) -> tuple[list[str], np.ndarray]:
    """Names and places as the modality's `repeats` says: all, the first of every run, or each run with its length."""
    if modality.repeats == "keep" or not len(names):
        return names.tolist(), places
    first = np.flatnonzero(np.concatenate([[True], names[1:] != names[:-1]]))
    if modality.repeats == "drop":
        return names[first].tolist(), places[first]
    lengths = np.diff(np.append(first, len(names)))
    parts = -(-lengths // LONGEST_RUN)  # a longer run is several
    before = np.arange(parts.sum()) - np.repeat(
        np.cumsum(parts) - parts, parts
    )  # parts of the same run before this one
    starts = np.repeat(first, parts) + LONGEST_RUN * before
    counts = np.minimum(np.repeat(lengths, parts) - LONGEST_RUN * before, LONGEST_RUN)
    pairs = zip(names[starts].tolist(), [RUN_LENGTHS[count - 1] for count in counts.tolist()], strict=True)
    return [name for pair in pairs for name in pair], np.repeat(places[starts], 2)


READERS: dict[tuple[str, bool], Callable[[Cut, Modality, np.ndarray | None, Tables, str], Symbols]] = {
    ("text", False): text,
    ("phones", False): phones,
    ("phones", True): phone_frames,
    ("units", True): units,
    ("tokens", False): tokens,
}


def read(
    cuts: str | Path, unit_file: str | Path | None, modality: Modality, tables: Tables = NO_TABLES
) -> Iterator[Utterance]:
    """The utterances of one file of cuts or task items, in order.

    Args:
        cuts: aligned cuts (or items, positive side first), one of the alignment stage's files.
        unit_file: units or external tokens of the same cuts; None for other sources.
        modality: the modality to read.
        tables: what it needs of train.

    Raises:
        ValueError: naming file and cut, if a cut lacks the data of the modality, or the unit file does not hold the
            same cuts in the same order.
    """
    reader, items = READERS[modality.source, modality.framed], holds_items(cuts)
    streams = load_npz(unit_file) if unit_file else None
    count = 0
    for count, (cut, draws) in enumerate(_with_draws(cuts), start=1):
        stream = _units_of(cut, count - 1, streams, unit_file, cuts) if streams is not None else None
        try:
            # A side without external units or tokens is imported as an empty sequence.
            absent = items and stream is not None and not len(stream)
            found = Symbols([], np.zeros(0, np.int64)) if absent else reader(cut, modality, stream, tables, draws)
            yield Utterance(
                id=cut["id"],
                symbols=found.names,
                places=found.places,
                seconds=cut["duration"],
                words=len(_texts(cut)[1].split()),
                frames=frame_count(num_samples(cut), modality.frame_rate) if modality.frame_rate else 0,
                phones=found.phones,
                phones_lost=found.phones_lost,
            )
        except ValueError as error:
            raise ValueError(f"{cuts}: {error}") from None
    if streams is not None and count != len(streams):
        raise ValueError(f"{unit_file}: holds {len(streams)} utterances, {cuts} holds {count}; run the units again")


def _with_draws(path: str | Path) -> Iterator[tuple[Cut, str]]:
    """(cut, name of its random draws) of a file: the sides of an item have the same draws.

    Sides that begin with the same sound, such as the two stories of one context, then begin with the same symbols.
    """
    for line in read_jsonl(path):
        if is_item(line):
            yield from ((cut, f"{line['id']}/{speaker(line['positive'])}") for cut in sides(line))
        else:
            yield line, line["id"]


def _units_of(cut: Cut, index: int, streams: Ragged, unit_file: str | Path | None, cuts: str | Path) -> np.ndarray:
    """Sequence `index`, which must be the cut's; ValueError naming both files if it has another id."""
    name = str(streams.ids[index]) if index < len(streams) else "nothing"
    if name != cut["id"]:
        raise ValueError(
            f"{unit_file}: holds {name!r} at place {index + 1} where {cuts} holds {cut['id']!r}; run the units again"
        )
    return streams[index]
