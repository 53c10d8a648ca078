"""Count the sides of task items that share a speaker, a book, their text or a part of it with train.

What is compared, KINDS:
- `speaker`: the speaker's name. A test set names its own voices, so that only names of one corpus can agree.
- `book`: the text that was read, `custom.text_path` of LibriHeavy's cuts.
- `text`: all words of the side are an utterance of train.
- `words`: WORDS consecutive words of the side are in an utterance of train. Radford et al. 2019 (GPT-2, section 4)
  count 8-grams in this way.

Sides that have no such property (fewer words, an unknown speaker, no book) are not compared. Train is read once, as a
stream; memory grows with the items.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from scripts.common.cli import run
from scripts.common.cuts import Cut, Item, sides, speaker, spoken_text
from scripts.common.files import read_jsonl, write_csv

COLUMNS = ("task", "kind", "compared", "shared", "example")
KINDS = ("speaker", "book", "text", "words")
WORDS = 8
UNKNOWN = "unknown"  # the speaker of a cut whose corpus names none


def properties(cut: Cut) -> Iterator[tuple[str, str]]:
    """(kind, value) of everything of a cut that another cut may share."""
    if (name := speaker(cut)) != UNKNOWN:
        yield "speaker", name
    if book := (cut.get("custom") or {}).get("text_path"):
        yield "book", book
    words = spoken_text(cut).split()
    yield "text", " ".join(words)
    for first in range(len(words) - WORDS + 1):
        yield "words", " ".join(words[first : first + WORDS])


def count_shared(items_of: Mapping[str, Iterable[Item]], train: Iterable[Cut]) -> Iterator[dict[str, object]]:
    """A row of COLUMNS for each task and kind of which there is anything to compare.

    Args:
        items_of: task -> its items.
        train: cuts of train.
    """
    users: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)  # property -> (task, side)
    compared: dict[tuple[str, str], set[str]] = defaultdict(set)  # task and kind -> sides
    for task, items in items_of.items():
        for side in (side for item in items for side in sides(item)):
            for kind, value in properties(side):
                users[kind, value].add((task, side["id"]))
                compared[task, kind].add(side["id"])
    shared: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)  # task and kind -> side -> cut of train
    for cut in train:
        for found in properties(cut):
            for task, name in users.pop(found, ()):
                shared[task, found[0]].setdefault(name, cut["id"])
    for task in items_of:
        for kind in KINDS:
            if of_kind := compared.get((task, kind)):
                hits = shared[task, kind]
                first = min(hits, default="")
                example = f"{first} and {hits[first]} of train" if hits else ""
                yield dict(zip(COLUMNS, (task, kind, len(of_kind), len(hits), example), strict=True))


def main() -> None:
    """Command line of rule corpus_overlap."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, nargs="+", required=True, help="cuts of all shards")
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--items", type=Path, nargs="+", required=True, help="items of each task")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    items_of = {task: read_jsonl(path) for task, path in zip(args.tasks, args.items, strict=True)}
    train = (cut for path in args.train for cut in read_jsonl(path))
    rows = list(count_shared(items_of, train))
    write_csv(args.out, COLUMNS, rows)
    for row in rows:
        print(f"corpus/overlap {row['task']}: {row['shared']} of {row['compared']} sides share their {row['kind']}"
              f" with train", file=sys.stderr)  # fmt: skip


if __name__ == "__main__":
    run(main)
