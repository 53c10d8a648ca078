"""Training data of the speech models: utterances of train with their symbols and mel frames."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from scripts.common import audio
from scripts.common.cuts import Cut, read_cuts, speaker
from scripts.common.progress import Progress
from scripts.common.ragged import load_npz
from scripts.common.sample import draw_sample
from scripts.continuation.mel import log_mel, symbol_indices
from scripts.tokens.modality import Modality
from scripts.tokens.sources import NO_TABLES, READERS

FRAME_RATE: Literal[50] = 50


@dataclass(frozen=True)
class Utterance:
    """A training utterance.

    Attributes:
        speaker: id of the speaker.
        ids: int64 [T], the symbol of each frame of 20 ms.
        mel: float32 [F, BANDS].
        symbol_index: int64 [F], the index of the symbol (of T) of each mel frame.
    """

    speaker: str
    ids: np.ndarray
    mel: np.ndarray
    symbol_index: np.ndarray


def sample(
    cuts: Sequence[Path],
    units: Sequence[Path],
    root: str,
    source: Literal["phones", "units"],
    inventory: list[str],
    hours: float,
    seed: int,
) -> Iterator[Utterance]:
    """Utterances of about `hours`, evenly over speakers.

    Args:
        cuts: aligned train shards.
        units: their unit files, for source units; otherwise empty.
        root: folder of the audio.
        source: phones or units.
        inventory: names of the symbols; an id is an index into it.
        hours: of speech.
        seed: draws the sample.

    Raises:
        ValueError: a symbol is not in the inventory.
    """
    modality = Modality(source, "symbol", name=source, frame_rate=FRAME_RATE)
    reader = READERS[source, True]
    index = {name: number for number, name in enumerate(inventory)}
    chosen = {cut["id"]: cut for cut in draw_sample(cuts, hours, seed)}
    progress, done = Progress(f"speech/{source}", len(chosen), "utterances"), 0
    for number, shard in enumerate(cuts):
        streams = load_npz(units[number]).by_id() if units else {}
        for cut in read_cuts(shard):
            if cut["id"] not in chosen:
                continue
            done += 1
            progress.update(done)
            names, *_ = reader(cut, modality, streams.get(cut["id"]), NO_TABLES, cut["id"])
            unknown = set(names) - set(index)
            if unknown:
                raise ValueError(f"{shard}: cut {cut['id']}: symbol {min(unknown)!r} is not in the inventory")
            if names:
                yield _utterance(cut, np.array([index[name] for name in names]), audio.read(cut, root))


def _utterance(cut: Cut, ids: np.ndarray, wave: np.ndarray) -> Utterance:
    mel = log_mel(wave)
    return Utterance(speaker(cut), ids, mel, symbol_indices(len(ids), len(mel), FRAME_RATE))


def reference_speaker(utterances: Sequence[Utterance], wanted: str | None) -> tuple[list[str], int]:
    """(speakers sorted by name, index of the reference speaker): `wanted`, or the speaker with the most frames.

    Raises:
        ValueError: there are no utterances, or `wanted` is not among the speakers.
    """
    frames: dict[str, int] = {}
    for utterance in utterances:
        frames[utterance.speaker] = frames.get(utterance.speaker, 0) + len(utterance.ids)
    if not frames:
        raise ValueError("no utterance to train a speech model on; raise continuation.speech.sample_hours")
    names = sorted(frames)
    if wanted is not None and wanted not in frames:
        raise ValueError(
            f"config: continuation.speech.reference_speaker is {wanted!r}; speakers of the sample are"
            f" {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
        )
    return names, names.index(wanted if wanted is not None else max(names, key=lambda name: frames[name]))
