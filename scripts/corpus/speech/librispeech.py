"""Convert a subset of LibriSpeech in its published layout to Lhotse cuts: one cut per utterance.

`<subset>/<speaker>/<chapter>/` holds `<speaker>-<chapter>-<utterance>.flac` and a `<speaker>-<chapter>.trans.txt` with
a line `<speaker>-<chapter>-<utterance> TEXT` for each. The cut's id is the file's name without its ending, the speaker
is the name's first part. Sound may be of any ending in SOUND. SPEAKERS.TXT beside the subset, where it is, adds the
speakers' gender. Links are followed, as in a folder of one's own (folder.py).

Reasons to drop: no-text (no line for this file), no-audio (a line without a file), duplicate-id (two lines or two files
of one id), malformed (a line without a text, or a name that does not begin with that of its transcript), same-file (a
folder or sound file that is read under another name), audio-missing, audio-damaged, text-damaged (a transcript that is
not UTF-8; its utterances then are no-text), name-not-utf8.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from scripts.common.audio_errors import AudioError, exists
from scripts.common.cli import run
from scripts.common.cuts import Cut
from scripts.common.file_tree import walk
from scripts.common.files import text_lines
from scripts.common.sound_file import whole_file
from scripts.corpus.drops import DropError, Drops, check_name, printable
from scripts.corpus.sound_files import SOUND, whole_file_cut
from scripts.corpus.speech.convert import add_arguments, convert, label, read_own_text
from scripts.corpus.speech.sound_places import SoundPlaces

TRANSCRIPT = ".trans.txt"
SPEAKERS = "SPEAKERS.TXT"
GENDERS = {"F": "female", "M": "male"}


def read_genders(path: Path) -> dict[str, str]:
    """Speaker -> female or male, from lines `id | F | subset | minutes | name`; those that begin with ; are comments.

    Raises:
        ValueError: naming file and line, if a line is not of this form.
    """
    genders = {}
    for number, line in enumerate(text_lines(path), start=1):
        if not line.strip() or line.startswith(";"):
            continue
        fields = [field.strip() for field in line.split("|", 4)]
        if len(fields) < 2 or fields[1] not in GENDERS:
            raise ValueError(f"{path}:{number}: {line.strip()[:60]!r} is not `id | F or M | subset | minutes | name`")
        genders[fields[0]] = GENDERS[fields[1]]
    return genders


def read_transcript(path: Path, root: Path, drops: Drops) -> dict[str, str]:
    """Id -> text of a chapter's transcript; lines that cannot be used are recorded in `drops`, by file and line."""
    where = label(path, root)
    try:
        content = read_own_text(path)
    except DropError as error:
        drops.add(where, "text-damaged", str(error))
        return {}
    texts: dict[str, str] = {}
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        name, _, text = line.strip().partition(" ")
        if not text:
            drops.add(name, "malformed", f"{where}:{number} has an id and no text")
        elif name in texts:
            drops.add(name, "duplicate-id", f"{where}:{number} is the second line of this id; the first counts")
        else:
            texts[name] = text.strip()
    return texts


def chapters(subset: Path, root: Path, drops: Drops) -> Iterator[tuple[Path, dict[str, list[str]], list[str]]]:
    """(folder, endings of sound files by name, names of transcripts) of each folder below a subset with any of them."""
    for folder, entries in walk(
        subset, lambda path, first: drops.add(label(path, root), "same-file", f"the folder is {first}")
    ):
        sounds: dict[str, list[str]] = {}
        transcripts = []
        for entry in sorted(entries, key=lambda entry: entry.is_symlink()):
            stem, ending = os.path.splitext(entry.name)
            if ending.lower() in SOUND:
                sounds.setdefault(stem, []).append(ending)
            elif entry.name.lower().endswith(TRANSCRIPT):
                transcripts.append(entry.name)
        if sounds or transcripts:
            yield folder, sounds, transcripts


def cuts(root: Path, subset: Path, genders: dict[str, str], drops: Drops) -> Iterator[Cut]:
    """The subset's cuts; what cannot become one is recorded in `drops`."""
    reader = SubsetReader(root, genders)
    for folder, sounds, transcripts in chapters(subset, root, drops):
        texts: dict[str, str] = {}
        for transcript in transcripts:
            found = read_transcript(folder / transcript, root, drops)
            chapter = transcript[: -len(TRANSCRIPT)]
            for name, text in found.items():
                if not name.startswith(f"{chapter}-"):
                    drops.add(name, "malformed", f"a line of {transcript}, whose ids begin with {chapter}-")
                else:
                    texts[name] = text
        for name, endings in sounds.items():
            try:
                yield reader.cut(folder, name, endings, texts.get(name), transcripts)
            except (DropError, AudioError) as error:
                drops.add(printable(name), error.reason, str(error))
        for name in sorted(set(texts) - set(sounds)):
            drops.add(name, "no-audio", f"{label(folder, root)} has no sound file of this name")


class SubsetReader:
    """Makes cuts of utterances; keeps what was read so far.

    Args:
        root: folder that the cuts' paths are relative to.
        genders: of speakers, as far as known.
    """

    def __init__(self, root: Path, genders: dict[str, str]):
        self.root, self.genders, self.places = root, genders, SoundPlaces(root)

    def cut(self, folder: Path, name: str, endings: list[str], text: str | None, transcripts: list[str]) -> Cut:
        """The cut of an utterance; DropError or AudioError with the reason if there is none."""
        check_name(name)
        source = (folder / f"{name}{endings[0]}").relative_to(self.root).as_posix()
        check_name(source)
        if len(endings) > 1:
            raise DropError("duplicate-id", f"{', '.join(endings)} have one name")
        if text is None:
            named = " or ".join(transcripts) or f"any {TRANSCRIPT} beside it"
            raise DropError("no-text", f"{source} has no line in {named}")
        place = self.places.check(self.root / source, source)
        header = whole_file(self.root / source)
        self.places.add(place)
        speaker = name.partition("-")[0]
        fields = {"text": text, "language": "English", "speaker": speaker}
        if speaker in self.genders:
            fields["gender"] = self.genders[speaker]
        return whole_file_cut(name, source, header, fields)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--subset", type=Path, required=True, help="the subset's folder, below the audio root")
    args = parser.parse_args()

    if not args.subset.is_dir():
        raise OSError(
            f"corpus.librispeech: {args.subset} is not a folder; audio_root is the one that holds the subsets"
        )
    speakers = args.subset.parent / SPEAKERS
    genders = read_genders(speakers) if exists(speakers) else {}
    convert(
        args,
        f"corpus/librispeech {args.subset.name}",
        "utterances",
        lambda drops: cuts(args.audio_root, args.subset, genders, drops),
        f"{args.subset}: no sound file with a line in a {TRANSCRIPT} beside it",
    )


if __name__ == "__main__":
    run(main)
