"""Convert a folder of audio files, each with a text of the same name, to Lhotse cuts: one cut per file.

`a/b/name.wav` (or .flac, .mp3, any ending of SOUND) belongs to `a/b/name.txt`, at any depth; endings may be upper-case.
The cut's id is the path below the audio root without its ending, the speaker is the first folder below the split's
(none: unknown). Length and rate are those of the file's header; a file from a pipe, whose header has no length, is
decoded to find it.

Links are followed. A folder or sound file with several names is read once, under the first that is not a link; a
file's recording is named after the place where it lies, so that one which both splits lead to is in train only.

Reasons to drop a file: no-text (no .txt beside it), no-audio (a .txt without audio), duplicate-id (two sound files or
two texts of one name), same-file (read under another name), audio-missing (a link that leads nowhere), audio-damaged
(cannot be opened, or holds less than its header promises), text-damaged (not UTF-8), name-not-utf8.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.common.audio_errors import AudioError
from scripts.common.cli import run
from scripts.common.cuts import Cut
from scripts.common.file_tree import walk
from scripts.common.sound_file import whole_file
from scripts.corpus.drops import DropError, Drops, check_name
from scripts.corpus.sound_files import SOUND, whole_file_cut
from scripts.corpus.speech.convert import add_arguments, convert, label, read_own_text
from scripts.corpus.speech.sound_places import SoundPlaces

TEXT = ".txt"
REPORT_EVERY = 10_000  # files between two lines of progress


@dataclass
class Found:
    """The files of one name.

    Attributes:
        path: without an ending.
        audio: endings of sound files.
        texts: endings of texts.
        linked: whether a sound file is a symbolic link.
    """

    path: Path
    audio: list[str]
    texts: list[str]
    linked: bool = False


def find_files(folder: Path, root: Path, drops: Drops) -> Iterator[Found]:
    """Sound files and texts below a folder, by name; those whose sound is a link come last.

    Other names of a folder that is read already are recorded in `drops`.
    """
    links = []
    for parent, entries in walk(
        folder, lambda path, first: drops.add(label(path, root), "same-file", f"the folder is {first}")
    ):
        names: dict[str, Found] = {}
        for entry in entries:
            stem, ending = os.path.splitext(entry.name)
            found = names.setdefault(stem, Found(parent / stem, [], []))
            if ending.lower() in SOUND:
                found.audio.append(ending)
                found.linked |= entry.is_symlink()
            elif ending.lower() == TEXT:
                found.texts.append(ending)
        for found in names.values():
            if found.linked:
                links.append(found)
            elif found.audio or found.texts:
                yield found
    yield from links


class FolderReader:
    """Makes cuts of files; keeps what was read so far.

    Args:
        root: folder that the cuts' paths are relative to.
        folder: the split's, below `root`.
    """

    def __init__(self, root: Path, folder: Path):
        self.root, self.folder = root, folder
        self.places = SoundPlaces(root)

    def cut(self, found: Found) -> Cut:
        """The cut of a sound file and its text.

        Raises:
            DropError: there is none, with the reason.
            AudioError: the sound cannot be used.
            UnreachableError: a file cannot be read.
        """
        name = found.path.relative_to(self.root).as_posix()
        check_name(name)
        if not found.audio:
            raise DropError("no-audio", f"{name}{found.texts[0]} has no sound file beside it")
        for endings in (found.audio, found.texts):
            if len(endings) > 1:
                raise DropError("duplicate-id", f"{', '.join(endings)} have one name")
        source = f"{name}{found.audio[0]}"
        if not found.texts:
            raise DropError("no-text", f"{source} has no .txt beside it")
        path = self.root / source
        place = self.places.check(path, source)
        header = whole_file(path)
        text = read_own_text(Path(f"{found.path}{found.texts[0]}"))
        self.places.add(place)
        below = found.path.relative_to(self.folder).parts
        speaker = below[0] if len(below) > 1 else "unknown"
        fields = {"text": text, "language": "English", "speaker": speaker}
        return whole_file_cut(name, source, header, fields, recording=self.places.recording(path, name))


def cuts(root: Path, folder: Path, drops: Drops) -> Iterator[Cut]:
    """The folder's cuts; files that cannot become one are recorded in `drops`."""
    reader = FolderReader(root, folder)
    for done, found in enumerate(find_files(folder, root, drops), start=1):
        if done % REPORT_EVERY == 0:
            print(f"corpus/folder {folder}: {done:,} files", file=sys.stderr)
        try:
            cut = reader.cut(found)
        except (DropError, AudioError) as error:
            drops.add(label(found.path, root), error.reason, str(error))
            continue
        yield cut


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--folder", type=Path, required=True, help="the folder to read, below the audio root")
    args = parser.parse_args()

    if not args.folder.is_dir():
        raise OSError(f"corpus.folder: {args.folder} is not a folder")
    convert(
        args,
        f"corpus/folder {args.folder}",
        "files",
        lambda drops: cuts(args.audio_root, args.folder, drops),
        f"{args.folder}: no sound file ({', '.join(SOUND)}) with a .txt of the same name",
    )


if __name__ == "__main__":
    run(main)
