"""Read the segment of a recording that a cut refers to."""

from collections import Counter
from pathlib import Path

import numpy as np

from scripts.common import audio_transforms
from scripts.common.audio_errors import AudioError, UnreachableError, reach
from scripts.common.cuts import ROUNDING, Cut, audio_source, num_samples
from scripts.common.frames import SAMPLE_RATE
from scripts.common.sound_file import SoundFile, broken_off, open_sound

__all__ = ["AudioError", "UnreachableError", "read"]

SILENCE = 1e-4  # a waveform with a lower peak (-80 dBFS) holds no speech
PADDED = "ends in zeros where an MP3 without a stated length decodes to less than was estimated"


def read(cut: Cut, root: str | Path, notes: Counter[str] | None = None) -> np.ndarray:
    """The cut's waveform, float32 [num_samples(cut)], mono at 16 kHz.

    Only the cut's own segment is decoded, of its own channel; a cut of several channels is their average. Lhotse's
    lazy transforms are applied (`audio_transforms`). Another sampling rate is resampled with soxr. A cut that ends a
    millisecond or less after its file (rounding) ends in zeros, and so does the end of an MP3 whose length is an
    estimate.

    Args:
        cut: whose audio is read.
        root: folder that audio paths are relative to.
        notes: counts what was done to the audio that its user should know (PADDED).

    Raises:
        AudioError: with reason `audio-missing`, `audio-damaged` (also where the file broke off before the cut ends),
            `audio-too-short` (the file ends before the cut does), `audio-nan`, `audio-silent` or
            `transform-unsupported`; the message names cut and file.
        UnreachableError: the file cannot be read; the message names it.
    """
    name, channels = audio_source(cut)
    path = Path(root) / name
    try:
        chain = audio_transforms.steps(cut["recording"])
    except ValueError as error:
        raise AudioError("transform-unsupported", f"{cut['id']}: {error}") from None
    speed = audio_transforms.speed(chain) if chain else 1.0

    def segment() -> tuple[np.ndarray, int, bool]:
        with open_sound(path) as sound:
            first, count = round(cut["start"] * speed * sound.rate), round(cut["duration"] * speed * sound.rate)
            if channels and max(channels) >= sound.channels:
                raise AudioError(
                    "audio-damaged", f"{path} has {sound.channels} channels, the cut is of number {max(channels) + 1}"
                )
            samples, padded = _samples(sound, first, count)
            return samples[:, channels or slice(None)].mean(axis=1), sound.rate, padded

    try:
        wave, rate, padded = reach(path, segment)
    except AudioError as error:
        raise AudioError(error.reason, f"{cut['id']}: {error}") from None
    if not np.isfinite(wave).all():
        raise AudioError("audio-nan", f"{cut['id']}: {path} holds NaN or infinite samples")
    wave = audio_transforms.resample(*audio_transforms.apply(chain, wave, rate), SAMPLE_RATE)
    wave = np.pad(wave, (0, max(0, num_samples(cut) - len(wave))))[: num_samples(cut)]
    if len(wave) == 0 or np.abs(wave).max() < SILENCE:
        raise AudioError("audio-silent", f"{cut['id']}: {path} is silent in this cut")
    if padded and notes is not None:
        notes[PADDED] += 1
    return wave


def _samples(sound: SoundFile, first: int, count: int) -> tuple[np.ndarray, bool]:
    """The frames of a segment, float32 [about count, channels], and whether more than rounding is missing at its end.

    Raises:
        AudioError: they are not there.
    """
    rounding = round(ROUNDING * sound.rate)
    beyond = 0 if sound.stated is None else max(0, first + count - sound.stated)
    if sound.broken_off and sound.stated is not None and first + count > sound.stated - rounding:
        raise broken_off(sound)
    if beyond > max(rounding, sound.slack):
        raise _too_short(sound, sound.stated or 0, first + count)
    samples = sound.read(first, count - beyond) if count > beyond else np.zeros((0, sound.channels), np.float32)
    lacking = count - len(samples)
    if sound.stated is None:
        if lacking > rounding:
            raise _too_short(sound, first + len(samples), first + count)
    elif len(samples) < count - beyond and lacking > sound.slack:
        raise AudioError(
            "audio-damaged", f"{sound.path} stops decoding after {len(samples)} of {count - beyond} samples"
        )
    return samples, lacking > rounding


def _too_short(sound: SoundFile, frames: int, end: int) -> AudioError:
    return AudioError(
        "audio-too-short",
        f"{sound.path} holds {frames / sound.rate:.2f} s, the cut ends at {end / sound.rate:.2f} s",
    )
