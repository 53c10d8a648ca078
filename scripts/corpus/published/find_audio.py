"""Convert a sound file of a published test set to a cut."""

from pathlib import Path
from typing import Any

from scripts.common.cuts import Cut
from scripts.corpus.drops import DropError
from scripts.corpus.sound_files import whole_file_cut


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
        DropError: the file is missing, empty or not a sound file.
    """
    import soundfile

    if not path.is_file():
        raise DropError("audio-missing", f"{path} does not exist")
    try:
        header = soundfile.info(str(path))
    except soundfile.LibsndfileError as error:
        raise DropError("audio-damaged", f"{path} cannot be decoded ({error})") from None
    if not header.frames:
        raise DropError("audio-damaged", f"{path} holds no samples")
    custom: dict[str, Any] = {"texts": [text]}
    if pronunciations:
        custom["pronunciations"] = pronunciations
    source = path.relative_to(root).as_posix()
    return whole_file_cut(name, source, header, {"language": "English", "speaker": speaker, "custom": custom})
