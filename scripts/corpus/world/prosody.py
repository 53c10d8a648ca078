"""The prosody of one utterance: voice, rate, pitch and loudness, drawn around the speaker's means."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.common.config import parse
from scripts.common.seeds import derive, generator
from scripts.corpus.config import Pitch, Rate, Voices
from scripts.corpus.world.espeak import PITCHES, RATES, check_voice

LOUDEST = -0.5  # decibels full scale; a peak above it could clip
# A speaker who shares a voice with another has another base pitch and rate: relative steps per reuse.
PITCH_STEP, RATE_STEP = 0.2, 0.08


@dataclass(frozen=True)
class Prosody:
    """The prosody of one utterance: `settings` are keyword arguments of `espeak.speak`, `gain` is in dB full scale."""

    settings: Mapping[str, Any]
    gain: float

    def apply_gain(self, wave: np.ndarray, peak: float | None = None) -> np.ndarray:
        """The wave, scaled so that `peak` (by default its own) comes to `gain` decibels full scale."""
        loudest = float(np.abs(wave).max()) if peak is None else peak
        return wave * np.float32(10 ** (self.gain / 20) / max(loudest, 1e-9))


def parse_voices(text: str) -> Voices:
    """From JSON; ValueError naming a key that is wrong or an unknown voice."""
    voices = parse(Voices, text, "corpus.world")
    for voice in voices.voices:
        check_voice(voice)
    return voices


def draw_prosody(voices: Voices, seed: int, speaker: str, key: str) -> Prosody:
    """The prosody of `speaker` (such as "speaker-2") in utterance `key`, a function of the arguments alone.

    Raises:
        ValueError: there is no such speaker.
    """
    number = speaker.removeprefix("speaker-")
    if not number.isdecimal() or int(number) >= voices.speakers:
        raise ValueError(f"{key}: no speaker {speaker!r}; corpus.world.speakers is {voices.speakers}")
    reuse, voice = divmod(int(number), len(voices.voices))
    step = (reuse + 1) // 2 * (1 if reuse % 2 else -1)  # 0, 1, -1, 2, -2, ...
    draw = np.clip(generator(seed, "speak", speaker, key).normal(size=3), -2.5, 2.5)

    def draw_integer(spread: Rate | Pitch, shift: float, deviation: float, bounds: tuple[int, int]) -> int:
        return int(np.clip(round(spread.mean * (1 + shift) * (1 + spread.jitter * deviation)), *bounds))

    return Prosody(
        settings={
            "voice": voices.voices[voice],
            "rate": draw_integer(voices.rate, RATE_STEP * step, draw[0], RATES),
            "pitch": draw_integer(voices.pitch, PITCH_STEP * step, draw[1], PITCHES),
            "seed": derive(seed, "breath", speaker, key),
        },
        gain=min(voices.gain.mean + voices.gain.jitter * float(draw[2]), LOUDEST),
    )
