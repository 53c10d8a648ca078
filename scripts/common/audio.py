"""Read the segment of a recording that a cut refers to."""

from pathlib import Path

import numpy as np

from scripts.common.cuts import ROUNDING, Cut, audio_source, num_samples
from scripts.common.frames import SAMPLE_RATE

SILENCE = 1e-4  # a waveform with a lower peak (-80 dBFS) holds no speech


class AudioError(ValueError):
    """Audio that cannot be used; `reason` is its key in the tables of dropped cuts."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        # Exceptions are pickled by their args, which lack the reason.
        return type(self), (self.reason, str(self))


def read(cut: Cut, root: str | Path) -> np.ndarray:
    """The cut's waveform, float32 [num_samples(cut)], mono at 16 kHz.

    Only the cut's own segment is decoded, of its own channel; a cut of several channels is their average. Another
    sampling rate is resampled with soxr. A cut that ends a millisecond or less after its file (rounding) ends in zeros.

    Raises:
        AudioError: with reason `audio-missing`, `audio-damaged`, `audio-too-short` (the file ends
            before the cut does), `audio-nan` or `audio-silent`; the message names cut and file.
    """
    import soundfile

    name, channels = audio_source(cut)
    path = Path(root) / name
    if not path.exists():
        raise AudioError("audio-missing", f"{cut['id']}: {path} does not exist")
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            first = round(cut["start"] * rate)
            requested = round(cut["duration"] * rate)
            if channels and max(channels) >= file.channels:
                raise AudioError(
                    "audio-damaged",
                    f"{cut['id']}: {path} has {file.channels} channels, the cut is of number {max(channels) + 1}",
                )
            beyond = max(0, first + requested - file.frames)
            if beyond > round(ROUNDING * rate):
                raise AudioError(
                    "audio-too-short",
                    f"{cut['id']}: {path} holds {file.frames / rate:.2f} s,"
                    f" the cut ends at {cut['start'] + cut['duration']:.2f} s",
                )
            file.seek(first)
            in_file = requested - beyond
            wave = file.read(in_file, dtype="float32", always_2d=True)[:, channels or slice(None)].mean(axis=1)
    except soundfile.LibsndfileError as error:
        raise AudioError("audio-damaged", f"{cut['id']}: {path} cannot be decoded ({error})") from None
    if len(wave) < in_file:
        raise AudioError("audio-damaged", f"{cut['id']}: {path} stops decoding after {len(wave)} of {in_file} samples")
    if not np.isfinite(wave).all():
        raise AudioError("audio-nan", f"{cut['id']}: {path} holds NaN or infinite samples")
    if rate != SAMPLE_RATE:
        import soxr

        wave = soxr.resample(wave, rate, SAMPLE_RATE).astype(np.float32)  # rounded to one sample more or less
    wave = np.pad(wave, (0, max(0, num_samples(cut) - len(wave))))[: num_samples(cut)]
    if len(wave) == 0 or np.abs(wave).max() < SILENCE:
        raise AudioError("audio-silent", f"{cut['id']}: {path} is silent in this cut")
    return wave
