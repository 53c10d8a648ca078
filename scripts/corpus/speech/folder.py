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
from functools import lru_cache
from itertools import chain
from pathlib import Path

from scripts.common.audio_errors import AudioError, reach
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut
from scripts.common.files import write_jsonl
from scripts.common.sound_file import whole_file
from scripts.corpus.config import Limits
from scripts.corpus.drops import DropError, Drops, check_name, printable
from scripts.corpus.losses import held
from scripts.corpus.sound_files import SOUND, whole_file_cut
from scripts.corpus.speech.file_tree import walk

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


def label(path: Path, root: Path) -> str:
    """A path below the audio root, readable though it may not be UTF-8."""
    return printable(path.relative_to(root).as_posix())


real_path = lru_cache(maxsize=16)(os.path.realpath)  # of the folders that the files at hand are in


class FolderReader:
    """Makes cuts of files; keeps what was read so far.

    Args:
        root: folder that the cuts' paths are relative to.
        folder: the split's, below `root`.
    """

    def __init__(self, root: Path, folder: Path):
        self.root, self.folder = root, folder
        self.real_root = root.resolve()
        self.seen: set[tuple[int, int]] = set()  # device and inode of the sound files

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
        status = reach(path, path.stat)
        if (status.st_dev, status.st_ino) in self.seen:
            raise DropError("same-file", f"{source} is a link to a file that is read under another name")
        header = whole_file(path)
        text = self._text(Path(f"{found.path}{found.texts[0]}"))
        self.seen.add((status.st_dev, status.st_ino))
        below = found.path.relative_to(self.folder).parts
        speaker = below[0] if len(below) > 1 else "unknown"
        fields = {"text": text, "language": "English", "speaker": speaker}
        return whole_file_cut(name, source, header, fields, recording=self._recording(path, name))

    def _recording(self, path: Path, name: str) -> str:
        """A name for the place where a file lies: below the root without ending, the cut's where it lies elsewhere."""
        real = Path(os.path.realpath(path)) if path.is_symlink() else Path(real_path(path.parent), path.name)
        inside = real.is_relative_to(self.real_root)
        return real.relative_to(self.real_root).with_suffix("").as_posix() if inside else name

    def _text(self, path: Path) -> str:
        try:
            return reach(path, lambda: path.read_text(encoding="utf-8-sig"))
        except AudioError as error:
            reason = "no-text" if error.reason == "audio-missing" else "text-damaged"
            raise DropError(reason, str(error)) from None
        except UnicodeDecodeError as error:
            raise DropError(
                "text-damaged",
                f"{path.relative_to(self.root)} is not UTF-8 ({error.reason} at byte {error.start})",
            ) from None


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
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that the cuts' paths are relative to")
    parser.add_argument("--folder", type=Path, required=True, help="the folder to read, below the former")
    parser.add_argument("--out", type=Path, required=True, help="cuts, .jsonl.gz")
    parser.add_argument("--dropped", type=Path, required=True)
    parser.add_argument("--limits", required=True, help="JSON: shares of files that may be dropped")
    args = parser.parse_args()

    limits = parse(Limits, args.limits, "corpus")
    if not args.folder.is_dir():
        raise OSError(f"corpus.folder: {args.folder} is not a folder")
    with Drops.open(args.dropped) as drops:
        folder_cuts = cuts(args.audio_root, args.folder, drops)
        first = next(folder_cuts, None)
        if first is None:
            example = f"; e.g. {drops.example}" if drops.example else ""
            raise ValueError(f"{args.folder}: no sound file ({', '.join(SOUND)}) with a .txt of the same name{example}")
        count = write_jsonl(
            args.out, held(chain([first], folder_cuts), f"corpus/folder {args.folder}", drops, limits, "files")
        )
    print(f"corpus/folder {args.folder}: {count} files, dropped: {drops.summary()}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
