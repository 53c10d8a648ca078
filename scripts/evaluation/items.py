"""Task items and their tokens, matched by cut id and never by order; flags that several steps share."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scripts.common.cuts import Item, speaker
from scripts.common.files import read_jsonl
from scripts.common.ragged import load_bin

KEYS = ("id", "subset", "group", "positive", "negative")


class Task(NamedTuple):
    """One task of a modality: its items, its tokens by cut id, and where its results go."""

    name: str
    items: list[Item]
    tokens: dict[str, np.ndarray]
    out: Path


def read_items(path: str | Path) -> list[Item]:
    """The items of a task file, one per (pair, voice).

    Raises:
        ValueError: the file holds no item, an item lacks a key, or a pair has one voice twice.
    """
    items = list(read_jsonl(path))
    if not items:
        raise ValueError(f"{path}: holds no items; a task needs at least one pair, or leave the task out")
    seen = set()
    for item in items:
        missing = [key for key in KEYS if key not in item]
        if missing:
            raise ValueError(f"{path}: item {item.get('id')!r} lacks {', '.join(map(repr, missing))}")
        row = (item["id"], speaker(item["positive"]))
        if row in seen:
            raise ValueError(f"{path}: pair {row[0]!r} appears twice with voice {row[1]!r}; once is right")
        seen.add(row)
    return items


def cut_ids(items: list[Item]) -> list[str]:
    """Ids of both sides of every item."""
    return [item[side]["id"] for item in items for side in ("positive", "negative")]


def cut_seconds(items: list[Item]) -> dict[str, float]:
    """Duration of both sides of every item, by cut id."""
    return {item[side]["id"]: item[side]["duration"] for item in items for side in ("positive", "negative")}


def read_tokens(path: str | Path, ids: list[str]) -> dict[str, np.ndarray]:
    """The token sequences of these cuts, BOS ... EOS.

    Raises:
        ValueError: a cut has no tokens in the file.
    """
    tokens = load_bin(path).by_id()
    missing = [name for name in ids if name not in tokens]
    if missing:
        raise ValueError(
            f"{path}: has no tokens for cut {missing[0]!r} ({len(missing)} of {len(ids)} missing);"
            " the tokens must be made from these items"
        )
    return {name: np.asarray(tokens[name]) for name in ids}


def add_task_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the steps that cover all tasks of a modality in one process, one value per task each."""
    parser.add_argument("--tasks", nargs="*", default=[], help="names of the tasks")
    parser.add_argument("--items", nargs="*", default=[], type=Path, help="aligned items (jsonl.gz) per task")
    parser.add_argument("--tokens", nargs="*", default=[], type=Path, help="tokens (.bin) per task")
    parser.add_argument("--out", nargs="*", default=[], type=Path, help="csv to write per task")


def read_tasks(arguments: argparse.Namespace) -> Iterator[Task]:
    """The tasks that `add_task_arguments` named, one at a time."""
    names, files, tokens, outs = arguments.tasks, arguments.items, arguments.tokens, arguments.out
    if not len(names) == len(files) == len(tokens) == len(outs):
        raise ValueError("--tasks, --items, --tokens and --out must have one value per task each")
    for name, file, bin_file, out in zip(names, files, tokens, outs, strict=True):
        items = read_items(file)
        yield Task(name, items, read_tokens(bin_file, cut_ids(items)), out)
