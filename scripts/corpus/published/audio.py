"""A test set's sound files as cuts: one file, one cut, its length read from the file's header."""

from pathlib import Path
from typing import Any

from scripts.common.cuts import Cut


class SideError(ValueError):
    """A side of a pair that cannot be used; `reason` is the word it is counted under."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


def whole_file_cut(
    path: Path, root: Path, *, name: str, speaker: str, text: str, pronunciations: dict[str, str] | None = None
) -> Cut:
    """The whole of a sound file as a Lhotse MonoCut, its audio named from `root`.

    Args:
        path: the file.
        root: a folder above it.
        name: id of cut, recording and supervision.
        speaker: name of the voice.
        text: what is said, as written.
        pronunciations: upper-case word -> "PH ON ES", for words that hold in this cut alone.

    Raises:
        SideError: the file is missing, empty or no sound file.
    """
    import soundfile

    if not path.is_file():
        raise SideError("audio-missing", f"{path} does not exist")
    try:
        header = soundfile.info(str(path))
    except soundfile.LibsndfileError as error:
        raise SideError("audio-damaged", f"{path} cannot be decoded ({error})") from None
    if not header.frames:
        raise SideError("audio-damaged", f"{path} holds no samples")
    seconds = header.frames / header.samplerate
    custom: dict[str, Any] = {"texts": [text]}
    if pronunciations:
        custom["pronunciations"] = pronunciations
    channels = list(range(header.channels))
    mono = header.channels == 1
    return {
        "id": name,
        "start": 0.0,
        "duration": seconds,
        "channel": 0 if mono else channels,
        "supervisions": [
            {
                "id": name,
                "recording_id": name,
                "start": 0.0,
                "duration": seconds,
                "channel": 0 if mono else channels,
                "language": "English",
                "speaker": speaker,
                "custom": custom,
            }
        ],
        "recording": {
            "id": name,
            "sources": [{"type": "file", "channels": channels, "source": path.relative_to(root).as_posix()}],
            "sampling_rate": header.samplerate,
            "num_samples": header.frames,
            "duration": seconds,
            "channel_ids": channels,
        },
        "type": "MonoCut" if mono else "MultiCut",
    }
