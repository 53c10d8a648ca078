"""Convert a folder of audio files, each with a text of the same name, to Lhotse cuts: one cut per file.

`a/b/name.wav` (or .flac) belongs to `a/b/name.txt`, at any depth. The cut's id is the path below the audio root without
its ending, the speaker is the first folder below the split's (none: unknown). Length and rate are read from the
file's header. Reasons to drop a file: no-text (no .txt beside it), no-audio (a .txt without audio), duplicate-id (a
.wav and a .flac of one name), audio-damaged (cannot be opened), text-damaged (not UTF-8).
"""

import argparse
import os
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import soundfile

from scripts.common.cli import run
from scripts.common.cuts import Cut
from scripts.common.files import write_jsonl
from scripts.corpus.drops import Drops
from scripts.corpus.sound_files import whole_file_cut

AUDIO = (".flac", ".wav")
REPORT_EVERY = 10_000  # files between two lines of progress


def find_files(folder: Path) -> Iterator[tuple[Path, list[str], bool]]:
    """(path without ending, endings of audio, whether there is a text) below a folder, in order of the paths."""
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        endings: dict[str, list[str]] = {}
        for file in sorted(files):
            stem, ending = os.path.splitext(file)
            endings.setdefault(stem, []).append(ending)
        for stem, present in endings.items():
            audio = [ending for ending in present if ending.lower() in AUDIO]
            if audio or ".txt" in present:
                yield Path(parent, stem), audio, ".txt" in present


def cuts(root: Path, folder: Path, drops: Drops) -> Iterator[Cut]:
    """The folder's cuts; files that cannot become one are recorded in `drops`."""
    for done, (path, audio, has_text) in enumerate(find_files(folder), start=1):
        name = path.relative_to(root).as_posix()
        if done % REPORT_EVERY == 0:
            print(f"corpus/folder {folder}: {done:,} files", file=sys.stderr)
        if not audio:
            drops.add(name, "no-audio", f"{name}.txt has no .wav or .flac beside it")
            continue
        if len(audio) > 1:
            drops.add(name, "duplicate-id", f"{', '.join(audio)} have one name")
            continue
        source = f"{name}{audio[0]}"
        if not has_text:
            drops.add(name, "no-text", f"{source} has no .txt beside it")
            continue
        try:
            header = soundfile.info(root / source)
            text = (root / f"{name}.txt").read_text(encoding="utf-8-sig")
        except soundfile.LibsndfileError as error:
            drops.add(name, "audio-damaged", f"{source} cannot be opened ({error.error_string.strip()})")
            continue
        except UnicodeDecodeError as error:
            drops.add(name, "text-damaged", f"{name}.txt is not UTF-8 ({error.reason} at byte {error.start})")
            continue
        below = path.relative_to(folder).parts
        speaker = below[0] if len(below) > 1 else "unknown"
        yield whole_file_cut(name, source, header, {"text": text, "language": "English", "speaker": speaker})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that the cuts' paths are relative to")
    parser.add_argument("--folder", type=Path, required=True, help="the folder to read, below the former")
    parser.add_argument("--out", type=Path, required=True, help="cuts, .jsonl.gz")
    parser.add_argument("--dropped", type=Path, required=True)
    args = parser.parse_args()

    if not args.folder.is_dir():
        raise OSError(f"corpus.folder: {args.folder} is not a folder")
    with Drops.open(args.dropped) as drops:
        folder_cuts = cuts(args.audio_root, args.folder, drops)
        first = next(folder_cuts, None)
        if first is None:
            example = f"; e.g. {drops.example}" if drops.example else ""
            raise ValueError(f"{args.folder}: no .wav or .flac with a .txt of the same name{example}")
        count = write_jsonl(args.out, chain([first], folder_cuts))
    print(f"corpus/folder {args.folder}: {count} files, dropped: {drops.summary()}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
