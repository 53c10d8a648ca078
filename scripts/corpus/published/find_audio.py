"""Convert a sound file of a published test set to a cut."""

from pathlib import Path
from typing import Any

from scripts.common.audio_errors import AudioError
from scripts.common.cuts import Cut
from scripts.common.sound_file import whole_file
from scripts.corpus.drops import DropError
from scripts.corpus.sound_files import whole_file_cut


def without_wav(name: str) -> str:
    """A file's name without .wav or .WAV."""
    return name[:-4] if name.lower().endswith(".wav") else name


def side_cut(
    path: Path, root: Path, *, name: str, speaker: str, text: str, pronunciations: dict[str, str] | None = None
) -> Cut:
    """One side of a pair: the whole sound file as a cut whose audio path is relative to `root`.

    Args:
        path: the file.
        root: folder that audio paths are relative to.
        name: id of cut, recording and supervision.
        speaker: name of the voice.
        text: its written text.
        pronunciations: upper-case word -> "PH ON ES", for words that only this cut has.

    Raises:
        DropError: the file is missing, empty, not a sound file, or holds less than its header promises.
        UnreachableError: it cannot be read.
    """
    try:
        header = whole_file(path)
    except AudioError as error:
        raise DropError(error.reason, str(error)) from None
    custom: dict[str, Any] = {"texts": [text]}
    if pronunciations:
        custom["pronunciations"] = pronunciations
    source = path.relative_to(root).as_posix()
    return whole_file_cut(name, source, header, {"language": "English", "speaker": speaker, "custom": custom})
