"""The items of a task of text alone: one text that is right, and one or more that are not.

A task is a file of JSON lines, or a folder of such files: {"id", "positive": text, "negative": text or list of texts},
with "group" and "subset" where there are any; BLiMP's own lines ("sentence_good", "sentence_bad", "UID", "pairID") are
read as they are, grouped by "linguistics_term".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.files import read_jsonl


@dataclass(frozen=True)
class Choice:
    """One item: its texts, the right one first."""

    id: str
    subset: str
    group: str
    texts: tuple[str, ...]


def choice_files(path: str | Path) -> list[Path]:
    """The file itself, or a folder's *.jsonl and *.jsonl.gz in order of their names."""
    folder = Path(path)
    return sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")]) if folder.is_dir() else [folder]


def read_choices(path: Path) -> Iterator[Choice]:
    """The items of a file, or of a folder's files.

    Raises:
        ValueError: naming file and line: no item at all, an item without id or texts, an empty text, a negative text
            that is the positive one, an id that repeats.
    """
    seen: set[str] = set()
    for file in choice_files(path):
        for number, line in enumerate(read_jsonl(file), start=1):
            choice = _choice(line, f"{file}:{number}")
            if choice.id in seen:
                raise ValueError(f"{file}:{number}: item {choice.id!r} appears twice; once is right")
            seen.add(choice.id)
            yield choice
    if not seen:
        raise ValueError(f"{path}: holds no items; a task needs at least one, or leave the task out")


def _choice(line: dict[str, Any], where: str) -> Choice:
    if "sentence_good" in line:
        line = {
            "id": f"{line.get('UID')}-{line.get('pairID')}",
            "group": line.get("linguistics_term", "all"),
            "positive": line["sentence_good"],
            "negative": line.get("sentence_bad"),
        }
    negative = line.get("negative")
    texts = [line.get("positive"), *(negative if isinstance(negative, list) else [negative])]
    if "id" not in line or len(texts) < 2 or not all(isinstance(text, str) and text for text in texts):
        raise ValueError(f"{where}: expected id, positive (a text) and negative (a text or a list of texts)")
    if texts[0] in texts[1:]:
        raise ValueError(f"{where}: item {line['id']!r} has its positive text among the negative ones")
    return Choice(str(line["id"]), str(line.get("subset", "all")), str(line.get("group", "all")), tuple(texts))
