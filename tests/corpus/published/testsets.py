"""Small test sets in exactly the published layouts, their sound files a tenth of a second of noise or speech."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

LEXICAL = ("id", "filename", "voice", "frequency", "word", "phones", "length", "correct")
SYNTACTIC = ("id", "filename", "voice", "type", "subtype", "transcription", "correct")


def sound(path: Path, seconds: float = 0.2, rate: int = 16_000) -> Path:
    """A wav of noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(len(path.name)).standard_normal(round(seconds * rate)) / 10
    soundfile.write(path, noise, rate, subtype="PCM_16")
    return path


def write_gold(folder: Path, columns: Sequence[str], rows: Sequence[dict[str, object]]) -> Path:
    """gold.csv with these columns, and a sound per row."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "gold.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(columns), extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        sound(folder / f"{str(row['filename']).removesuffix('.wav')}.wav")
    return folder / "gold.csv"


def word_row(
    name: int, voice: str, correct: int, *, word: str = "", phones: str = "", frequency: object = 3
) -> dict[str, object]:
    """A row of the lexical gold; unlike a real one, the file name describes the sound, for readers of a test."""
    kind = "w" if correct else "n"
    return {
        "id": name,
        "filename": f"{kind}{name}x{voice}",
        "voice": voice,
        "frequency": frequency if correct else "",
        "word": word or ("dog" if correct else "dag"),
        "phones": phones or ("d ɔ g" if correct else "d æ g"),
        "length": 3,
        "correct": correct,
    }


def sentence_row(
    name: int, voice: str, subtype: str, correct: int, text: str = "", kind: str = "agreement"
) -> dict[str, object]:
    """A row of the syntactic gold."""
    return {
        "id": name,
        "filename": f"{subtype}{name}{voice}{'g' if correct else 'b'}",
        "voice": voice,
        "type": kind,
        "subtype": subtype,
        "transcription": text or ("the dogs bark" if correct else "the dogs barks"),
        "correct": correct,
    }
