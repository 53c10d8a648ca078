"""A sound file as a Lhotse cut: one file, one cut, of all its channels."""

from typing import Any

from scripts.common.cuts import Cut
from scripts.common.sound_file import Header

# Endings of the formats that libsndfile 1.2 reads and that speech is published in.
SOUND = (
    *(".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aiff", ".aif", ".aifc", ".au", ".snd", ".caf", ".w64"),
    *(".rf64", ".sph", ".nist"),
)


def whole_file_cut(
    name: str, source: str, header: Header, supervision_fields: dict[str, Any], *, recording: str | None = None
) -> Cut:
    """The whole file as a MonoCut, or as a MultiCut where it has several channels, in LibriHeavy's schema.

    Args:
        name: id of cut and supervision.
        source: path of the file below the audio root.
        header: what `sound_file.whole_file` returns.
        supervision_fields: the supervision's fields besides ids, times and channel.
        recording: id of the recording; the cut's if None.
    """
    seconds = header.frames / header.samplerate
    channels = list(range(header.channels))
    mono = header.channels == 1
    span = {"start": 0.0, "duration": seconds, "channel": 0 if mono else channels}
    recording = name if recording is None else recording
    stored = {
        "id": recording,
        "sources": [{"type": "file", "channels": channels, "source": source}],
        "sampling_rate": header.samplerate,
        "num_samples": header.frames,
        "duration": seconds,
        "channel_ids": channels,
    }
    return {
        "id": name,
        **span,
        "supervisions": [{"id": name, "recording_id": recording, **span, **supervision_fields}],
        "recording": stored,
        "type": "MonoCut" if mono else "MultiCut",
    }
