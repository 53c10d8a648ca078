"""A sound file as a Lhotse cut: one file, one cut, of all its channels."""

from typing import TYPE_CHECKING, Any

from scripts.common.cuts import Cut

if TYPE_CHECKING:
    import soundfile


def whole_file_cut(
    name: str, source: str, header: "soundfile._SoundFileInfo", supervision_fields: dict[str, Any]
) -> Cut:
    """The whole file as a MonoCut, or as a MultiCut where it has several channels, in LibriHeavy's schema.

    Args:
        name: id of cut, recording and supervision.
        source: path of the file below the audio root.
        header: what `soundfile.info` returns.
        supervision_fields: the supervision's fields besides ids, times and channel.
    """
    seconds = header.frames / header.samplerate
    channels = list(range(header.channels))
    mono = header.channels == 1
    span = {"start": 0.0, "duration": seconds, "channel": 0 if mono else channels}
    recording = {
        "id": name,
        "sources": [{"type": "file", "channels": channels, "source": source}],
        "sampling_rate": header.samplerate,
        "num_samples": header.frames,
        "duration": seconds,
        "channel_ids": channels,
    }
    return {
        "id": name,
        **span,
        "supervisions": [{"id": name, "recording_id": name, **span, **supervision_fields}],
        "recording": recording,
        "type": "MonoCut" if mono else "MultiCut",
    }
