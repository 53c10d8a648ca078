"""An open sound file: what its header states, what it holds, and its samples.

Notable: the file is opened here and handed to libsndfile as a descriptor, because libsndfile reports a file that cannot
be read as one that it does not understand.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scripts.common.audio_errors import AudioError, NotAFileError, reach
from scripts.common.audio_headers import missing_share, states_mp3_length
from scripts.common.cuts import ROUNDING

if TYPE_CHECKING:
    import soundfile

UNKNOWN = 2**62  # frames from which a length is libsndfile's sign for "not stated"
BLOCK = 2**18  # frames that are decoded together while they are counted
# What an MP3 without a header with its length may decode to less than libsndfile estimates: two frames of encoder delay
# and padding, and the rounding of the bytes per frame (one in 200 at 64 kbit/s and 44.1 kHz) that the estimate is from.
MP3_PADDING = 2 * 1152  # samples
MP3_ROUNDING = 1 / 200


@dataclass(frozen=True)
class SoundFile:
    """An open sound file.

    Attributes:
        path: where it is.
        rate: its sampling rate in Hz.
        channels: their number.
        stated: frames that can be read according to the header; None if it does not say.
        missing: seconds that the header promises and the file does not hold (WAV, AIFF, AU, W64).
        slack: frames by which `stated` may be too many, though the file is whole.
    """

    path: Path
    rate: int
    channels: int
    stated: int | None
    missing: float
    slack: int
    _file: "soundfile.SoundFile"

    @property
    def broken_off(self) -> bool:
        """Whether the header promises more samples than there are."""
        return self.missing > ROUNDING

    def read(self, first: int, count: int) -> np.ndarray:
        """At most `count` frames from frame `first` on, float32 [frames, channels]; fewer if there are no more.

        Raises:
            AudioError: `audio-damaged` if they cannot be decoded.
        """
        import soundfile

        # In a FLAC without a length libsndfile cannot seek to the end, and fails after it has decoded the last frames.
        out = np.full((count, self.channels), np.nan, np.float32) if self.stated is None else None
        try:
            self._file.seek(first)
            return self._file.read(count, dtype="float32", always_2d=True, out=out)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            if out is None or np.isnan(out[:1]).any():
                raise damaged(self.path, error) from None
            return out[: count - np.isnan(out[:, 0]).sum()]

    def frames(self) -> int:
        """Frames that the header states, or that there are: without a stated length the whole file is decoded."""
        if self.stated is not None:
            return self.stated
        total = 0
        while True:
            try:
                block = len(self.read(total, BLOCK))
            except AudioError:
                if not total:
                    raise
                return total  # nothing is left
            total += block
            if block < BLOCK:
                return total


@contextmanager
def open_sound(path: Path) -> Iterator[SoundFile]:
    """Open a sound file.

    Raises:
        AudioError: `audio-damaged` if it is not a sound file.
        NotAFileError: it is a folder or pipe.
        OSError: it cannot be opened.
    """
    import soundfile

    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe would wait for its writer
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotAFileError
        try:
            file = soundfile.SoundFile(handle, closefd=False)
        except soundfile.LibsndfileError as error:
            raise damaged(path, error) from None
        with file:
            stated = file.frames if file.frames < UNKNOWN else None
            estimated = file.format == "MP3" and not states_mp3_length(handle)
            share = missing_share(handle)
            held = (stated or 0) / file.samplerate
            yield SoundFile(
                path=path,
                rate=file.samplerate,
                channels=file.channels,
                stated=stated,
                missing=held * share / (1 - share) if share < 1 else float("inf"),
                slack=max(MP3_PADDING, round(MP3_ROUNDING * file.frames)) if estimated else 0,
                _file=file,
            )
    finally:
        os.close(handle)


def damaged(path: Path, error: Exception) -> AudioError:
    """The error of a file that libsndfile does not understand."""
    why = str(getattr(error, "error_string", error)).removeprefix("Error : ").strip().rstrip(".")
    return AudioError("audio-damaged", f"{path} cannot be decoded ({why})")


@dataclass(frozen=True)
class Header:
    """What a whole file is used as: its rate, channels and frames."""

    samplerate: int
    channels: int
    frames: int


def whole_file(path: Path) -> Header:
    """The header of a file that holds what it promises; only a file without a stated length is decoded.

    Raises:
        AudioError: `audio-missing` or `audio-damaged`.
        UnreachableError: it cannot be read.
    """

    def look() -> Header:
        with open_sound(path) as sound:
            frames = sound.frames()
            if sound.broken_off:
                raise broken_off(sound)
            if not frames:
                raise AudioError("audio-damaged", f"{path} holds no samples")
            return Header(sound.rate, sound.channels, frames)

    return reach(path, look)


def broken_off(sound: SoundFile) -> AudioError:
    """The error of a file that holds less than its header promises."""
    held = (sound.stated or 0) / sound.rate
    if not held:
        return AudioError("audio-damaged", f"{sound.path} ends after its header: the copy broke off")
    return AudioError(
        "audio-damaged",
        f"{sound.path} holds {held:.3f} s, its header promises {held + sound.missing:.3f} s: the copy broke off",
    )
