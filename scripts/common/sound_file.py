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
from scripts.common.audio_headers import lacks_last_page, missing_share, states_mp3_length
from scripts.common.cuts import ROUNDING
from scripts.common.mp3_frames import LongerFile, count_frames

if TYPE_CHECKING:
    import soundfile

UNKNOWN = 2**62  # frames from which a length is libsndfile's sign for "not stated"
BLOCK = 2**18  # frames that are decoded together while they are counted
# How much longer than it decodes to an MP3 without a header with its length may be stated elsewhere: two frames of
# encoder delay and padding, and the rounding of the bytes per frame (one in 200 at 64 kbit/s and 44.1 kHz) that
# libsndfile's and other estimates are from, up to what it makes of 50 s. Longer files are cut at times that are not
# the file's end.
MP3_PADDING = 2 * 1152  # samples
MP3_ROUNDING = 1 / 200
MP3_MOST = 0.25  # seconds


@dataclass(frozen=True)
class SoundFile:
    """An open sound file.

    Attributes:
        path: where it is.
        rate: its sampling rate in Hz.
        channels: their number.
        stated: frames that can be read according to the header; None if it does not say.
        missing: seconds that the header promises and the file does not hold (WAV, AIFF, CAF, AU, W64, NIST SPHERE).
        unfinished: how the file shows that it broke off, where its header promises no length (Ogg, MP3); else empty.
        slack: frames by which a length stated elsewhere may exceed `stated`, though the file is whole.
    """

    path: Path
    rate: int
    channels: int
    stated: int | None
    missing: float
    unfinished: str
    slack: int
    _file: "soundfile.SoundFile"
    _longer: LongerFile | None

    @property
    def broken_off(self) -> bool:
        """Whether there were more samples than there are."""
        return self.missing > ROUNDING or bool(self.unfinished)

    def read(self, first: int, count: int) -> np.ndarray:
        """At most `count` frames from frame `first` on, float32 [frames, channels]; fewer if there are no more.

        Raises:
            AudioError: `audio-damaged` if they cannot be decoded.
            OSError: the file cannot be read.
        """
        import soundfile

        # In a FLAC without a length libsndfile cannot seek to the end, and fails after it has decoded the last frames.
        out = np.full((count, self.channels), np.nan, np.float32) if self.stated is None else None
        try:
            self._file.seek(first)
            samples = self._file.read(count, dtype="float32", always_2d=True, out=out)
            if self._longer is not None and self._longer.error is not None:
                raise self._longer.error
            return samples
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
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe would wait for its writer
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise NotAFileError
        yield from _opened(path, handle)
    finally:
        os.close(handle)


def _opened(path: Path, handle: int) -> Iterator[SoundFile]:
    """The sound file of a descriptor, once; AudioError as `open_sound`."""
    import soundfile

    longer = None
    try:
        file = soundfile.SoundFile(handle, closefd=False)
        estimated = file.format == "MP3" and not states_mp3_length(handle)
        counted = count_frames(handle) if estimated else None
        if counted is not None and counted.samples > file.frames:
            longer = LongerFile(handle, os.fstat(handle).st_size * (2 + counted.samples // max(1, file.frames)))
            file.close()
            file = soundfile.SoundFile(longer)
    except soundfile.LibsndfileError as error:
        raise damaged(path, error) from None
    with file:
        rate, share = file.samplerate, missing_share(handle)
        stated = counted.samples if counted is not None else file.frames if file.frames < UNKNOWN else None
        held = (stated or 0) / rate
        unfinished = "ends without the last page of its stream" if lacks_last_page(handle) else ""
        if counted is not None and not counted.whole:
            unfinished = "ends within a frame"
        slack = min(max(MP3_PADDING, round(MP3_ROUNDING * (stated or 0))), max(MP3_PADDING, round(MP3_MOST * rate)))
        yield SoundFile(
            path=path,
            rate=rate,
            channels=file.channels,
            stated=stated,
            missing=held * share / (1 - share) if share < 1 else float("inf"),
            unfinished=unfinished,
            slack=slack if estimated else 0,
            _file=file,
            _longer=longer,
        )


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
    """The error of a file that ends before its samples do."""
    held = (sound.stated or 0) / sound.rate
    if sound.unfinished:
        return AudioError("audio-damaged", f"{sound.path} {sound.unfinished}, after {held:.3f} s: the copy broke off")
    if not held:
        return AudioError("audio-damaged", f"{sound.path} ends after its header: the copy broke off")
    return AudioError(
        "audio-damaged",
        f"{sound.path} holds {held:.3f} s, its header promises {held + sound.missing:.3f} s: the copy broke off",
    )
