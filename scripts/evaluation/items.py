"""Task items and their tokens, matched by cut id; command-line flags that several steps share.

A modality cannot score an item if one of its sides has no tokens, or more than the model's context. Such an item is
excluded from the modality's tables here and from every comparison between modalities by common_items.py.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from scripts.common.cuts import Item, sides, speaker
from scripts.common.files import read_jsonl
from scripts.common.ragged import load_bin
from scripts.evaluation import score_rows

EMPTY = 2  # BOS and EOS
KEYS = ("id", "subset", "group", "positive", "negative")


class SideLogprob(NamedTuple):
    """Log-probability of a side in nats: of all tokens after BOS, and of the last of them, EOS."""

    total: float
    eos: float


class Task(NamedTuple):
    """One task of a modality: its items, its tokens by cut id, and the output file."""

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
        key = (item["id"], speaker(item["positive"]))
        if key in seen:
            raise ValueError(f"{path}: pair {key[0]!r} appears twice with voice {key[1]!r}")
        seen.add(key)
    return items


def couples(items: list[Item]) -> list[str]:
    """The couple of every item; an item without one is a couple of its own."""
    return [item.get("couple") or item["id"] for item in items]


def cut_ids(items: list[Item]) -> list[str]:
    """Ids of all sides of every item."""
    return [cut["id"] for item in items for cut in sides(item)]


def cut_seconds(items: list[Item]) -> dict[str, float]:
    """Duration of all sides of every item, by cut id."""
    return {cut["id"]: cut["duration"] for item in items for cut in sides(item)}


def failure(tokens: np.ndarray, context: int) -> str:
    """The reason why BOS ... EOS cannot be scored, no-tokens or too-long; empty if it can."""
    return "no-tokens" if len(tokens) <= EMPTY else "too-long" if len(tokens) > context else ""


def item_row(
    key: Sequence[str],
    ids: Sequence[str],
    tokens: Mapping[str, np.ndarray],
    logprobs: Mapping[str, SideLogprob],
    context: int,
    **others: Sequence[float],
) -> score_rows.Row:
    """The row of an item with the sides `ids`, positive first: nats, scored tokens (all but BOS) and `others` of each.

    The row of an item that cannot be scored holds the reason; such an item needs no log-probabilities.
    """
    failures = [reason for name in ids if (reason := failure(tokens[name], context))]
    if failures:
        return score_rows.without_score(key, failures[0])
    counts = [len(tokens[name]) - 1 for name in ids]
    nats = {"logprob": [logprobs[name].total for name in ids], "eos": [logprobs[name].eos for name in ids]}
    return score_rows.score_row(key, {**nats, "tokens": counts, **others})


def scorable(task: Task, context: int) -> Task:
    """The task without the items that the modality cannot score.

    Raises:
        ValueError: names the task and the first item, if none is left.
    """
    kept = [item for item in task.items if not any(failure(task.tokens[cut["id"]], context) for cut in sides(item))]
    if not kept:
        reasons = [failure(task.tokens[cut["id"]], context) for cut in sides(task.items[0])]
        raise ValueError(
            f"{task.name}: none of its {len(task.items)} items can be scored in this modality, e.g."
            f" {task.items[0]['id']}: {next(filter(None, reasons))} (the model's context is {context} tokens)"
        )
    return task._replace(items=kept, tokens={cut: task.tokens[cut] for cut in cut_ids(kept)})


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
    """Flags of steps that process all tasks of a modality; each takes one value per task."""
    parser.add_argument("--tasks", nargs="*", default=[], help="names of the tasks")
    parser.add_argument("--items", nargs="*", default=[], type=Path, help="aligned items (jsonl.gz) per task")
    parser.add_argument("--tokens", nargs="*", default=[], type=Path, help="tokens (.bin) per task")
    parser.add_argument("--out", nargs="*", default=[], type=Path, help="csv to write per task")


def read_tasks(arguments: argparse.Namespace) -> Iterator[Task]:
    """The tasks given by the flags of `add_task_arguments`, one at a time."""
    names, files, tokens, outs = arguments.tasks, arguments.items, arguments.tokens, arguments.out
    if not len(names) == len(files) == len(tokens) == len(outs):
        raise ValueError("--tasks, --items, --tokens and --out must have one value per task each")
    for name, file, bin_file, out in zip(names, files, tokens, outs, strict=True):
        items = read_items(file)
        yield Task(name, items, read_tokens(bin_file, cut_ids(items)), out)
