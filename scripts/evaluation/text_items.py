"""Items of text tasks: a positive text and one or several negative texts.

A task is a file of JSON lines, or a folder of such files: {"id", "positive": text, "negative": text or list of texts},
with optional "group" and "subset". Lines of BLiMP ("sentence_good", "sentence_bad", "UID", "pairID") are
accepted, grouped by "linguistics_term".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.files import numbered_jsonl


@dataclass(frozen=True)
class TextItem:
    """One item; `texts` has the positive text first."""

    id: str
    subset: str
    group: str
    texts: tuple[str, ...]


def text_item_files(path: str | Path) -> list[Path]:
    """The file itself, or a folder's *.jsonl and *.jsonl.gz sorted by name."""
    folder = Path(path)
    return sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")]) if folder.is_dir() else [folder]


def read_text_items(path: Path) -> Iterator[TextItem]:
    """The items of a file, or of a folder's files.

    Raises:
        ValueError: names the folder, if it holds no such file; else file and line: no items, an item without id or
            texts, an empty text, a negative text equal to the positive one, a repeated id.
    """
    seen: set[str] = set()
    files = text_item_files(path)
    if not files:
        raise ValueError(
            f"{path}: is a folder without a .jsonl or .jsonl.gz file; expected a file of items, one JSON object a line,"
            " or a folder of such files"
        )
    for file in files:
        for number, line in numbered_jsonl(file):
            item = _text_item(line, f"{file}:{number}")
            if item.id in seen:
                raise ValueError(f"{file}:{number}: item {item.id!r} appears twice")
            seen.add(item.id)
            yield item
    if not seen:
        raise ValueError(f"{path}: holds no items; a task needs at least one, or leave the task out")


def _text_item(line: dict[str, Any], where: str) -> TextItem:
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
    return TextItem(str(line["id"]), str(line.get("subset", "all")), str(line.get("group", "all")), tuple(texts))
