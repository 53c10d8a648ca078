"""Concatenate utterances into one long FLAC, with cuts that point into it, as in LibriHeavy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cuts import Cut
from scripts.common.files import atomic_path
from scripts.common.frames import SAMPLE_RATE

GAP = (0.2, 0.5)  # seconds between two cuts; with their own margins 0.3 to 0.6 s of silence between words
EDGE = 0.3  # seconds before the first and after the last cut


@dataclass(frozen=True)
class Utterance:
    """One spoken utterance.

    Attributes:
        words: {word, phones, after} each.
        wave: float32 [N] at 16 kHz, without noise.
        shared: samples at the start that are those of the utterance before it in the recording, noise included.
    """

    id: str
    speaker: str
    text: str
    words: Sequence[Mapping[str, str]]
    wave: np.ndarray
    pronunciations: Mapping[str, str] = field(default_factory=dict)
    shared: int = 0


def spoken_words(words: Sequence[Mapping[str, str]]) -> str:
    """Upper-case words, what the aligner reads."""
    return " ".join(word["word"].upper() for word in words)


def write_recording(
    utterances: Sequence[Utterance], file: Path, source: str, noise: float | None, rng: np.random.Generator
) -> list[Cut]:
    """Write `file` (FLAC, 16 kHz, 16 bit, mono) and return one cut per utterance, in order.

    Args:
        utterances: at least one.
        file: where to write.
        source: what the cuts call it: its path below the audio root; without .flac it is the recording's id.
        noise: root mean square of white noise over the whole recording in decibels full scale, or None.
        rng: draws the gaps and the noise.
    """
    import soundfile

    gaps = [EDGE, *rng.uniform(*GAP, size=len(utterances) - 1), EDGE]
    pieces: list[np.ndarray] = []
    starts: list[int] = []
    position = 0
    for gap, utterance in zip(gaps, utterances, strict=False):
        silence = np.zeros(round(gap * SAMPLE_RATE), np.float32)
        starts.append(position + len(silence))
        pieces += [silence, utterance.wave]
        position = starts[-1] + len(utterance.wave)
    wave = np.concatenate([*pieces, np.zeros(round(EDGE * SAMPLE_RATE), np.float32)])
    if noise is not None:
        white = rng.standard_normal(len(wave), dtype=np.float32)
        for i, utterance in enumerate(utterances):
            if utterance.shared:
                before = starts[i - 1]
                white[starts[i] : starts[i] + utterance.shared] = white[before : before + utterance.shared]
        white *= np.float32(10 ** (noise / 20))
        wave += white
    np.clip(wave, -1.0, 1.0 - 2.0**-15, out=wave)
    with atomic_path(file) as aside:
        soundfile.write(aside, wave, SAMPLE_RATE, subtype="PCM_16")

    recording = {
        "id": source.removesuffix(".flac"),
        "sources": [{"type": "file", "channels": [0], "source": source}],
        "sampling_rate": SAMPLE_RATE,
        "num_samples": len(wave),
        "duration": len(wave) / SAMPLE_RATE,
        "channel_ids": [0],
    }
    return [_cut(utterance, start, recording) for utterance, start in zip(utterances, starts, strict=True)]


def _cut(utterance: Utterance, start: int, recording: dict[str, Any]) -> Cut:
    duration = len(utterance.wave) / SAMPLE_RATE
    custom: dict[str, Any] = {
        "texts": [utterance.text, spoken_words(utterance.words)],
        "pre_texts": ["", ""],
        "begin_byte": 0,
        "end_byte": 0,
    }
    if utterance.pronunciations:
        custom["pronunciations"] = dict(utterance.pronunciations)
    return {
        "id": utterance.id,
        "start": start / SAMPLE_RATE,
        "duration": duration,
        "channel": 0,
        "supervisions": [
            {
                "id": utterance.id,
                "recording_id": recording["id"],
                "start": 0.0,
                "duration": duration,
                "channel": 0,
                "language": "English",
                "speaker": utterance.speaker,
                "custom": custom,
            }
        ],
        "recording": recording,
        "type": "MonoCut",
    }
