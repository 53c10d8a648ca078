"""The written world's speech in LibriSpeech's own layout: readers by number, chapters, FLAC, upper-case transcripts."""

from collections.abc import Iterable
from pathlib import Path

import soundfile

from scripts.common.audio import read
from scripts.common.cuts import Cut, spoken_text
from scripts.common.frames import SAMPLE_RATE

HEADER = ";ID  |SEX| SUBSET           |MINUTES| NAME\n"


def write_subset(root: Path, subset: str, cuts: Iterable[Cut], audio_root: Path, first_reader: int = 100) -> list[str]:
    """Write cuts as utterances of a subset, their speakers as readers from `first_reader` on; the ids, in order."""
    readers: dict[str, int] = {}
    lines: dict[Path, list[str]] = {}
    names = []
    for cut in cuts:
        speaker = cut["supervisions"][0]["speaker"]
        reader = readers.setdefault(speaker, first_reader + len(readers))
        folder = root / subset / str(reader) / "7"
        chapter = lines.setdefault(folder, [])
        name = f"{reader}-7-{len(chapter):04d}"
        folder.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / f"{name}.flac", read(cut, audio_root), SAMPLE_RATE, subtype="PCM_16")
        chapter.append(f"{name} {spoken_text(cut)}\n")
        names.append(name)
    for folder, chapter in lines.items():
        (folder / f"{folder.parent.name}-7.trans.txt").write_text("".join(chapter))
    table = root / "SPEAKERS.TXT"
    known = table.read_text() if table.exists() else HEADER
    table.write_text(
        known + "".join(f"{reader:<4} | F | {subset} | 1.00 | {name}\n" for name, reader in readers.items())
    )
    return names
