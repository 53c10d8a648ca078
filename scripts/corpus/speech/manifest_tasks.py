"""Check the task items of a file, each side like a cut of the corpus.

An item with a side that cannot be used (see `validate`) is dropped, under that side's reason. The other items of its
couple are dropped too (couple-incomplete). What scoring would refuse after all models have been trained
(scripts/evaluation/items.py) is an error here.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

from scripts.common.cli import run
from scripts.common.cuts import Cut, Item, sides, speaker, with_sides
from scripts.common.files import read_jsonl, write_csv, write_jsonl
from scripts.corpus.drops import COLUMNS, DropError, complete_couples, dropped, examples_of
from scripts.corpus.losses import hold_to_limits
from scripts.corpus.pronounce import beyond_ascii
from scripts.corpus.speech.manifest import Recordings, check_root
from scripts.corpus.speech.validate import Rules, check_cut

FIELDS = ("id", "subset", "group", "positive", "negative")
NAMES = ("id", "subset", "group")  # texts; whole numbers will do
NUMBERS = ("exposure", "distance", "distance_seconds")


def valid_items(
    path: Path,
    task: str,
    rules: Rules,
    recordings: Recordings,
    drops: list[dict[str, str]],
    lost: set[str],
    listed: frozenset[str] = frozenset(),
) -> Iterator[Item]:
    """The valid items, with `task` as their task; the others are appended to `drops`, and their couples to `lost`.

    `listed` as of `check_cut`.

    Raises:
        ValueError: naming file and item, if an item lacks a field or has no negative side, a field is of a wrong type,
            or two items agree in their id and the voice of their positive side.
    """
    seen: set[str] = set()
    number_of: dict[tuple[str, str], int] = {}  # by id and voice
    for number, item in enumerate(read_jsonl(path), start=1):
        if missing := [field for field in FIELDS if field not in item]:
            raise ValueError(f"{path}: item {number} has no {', '.join(missing)}; an item needs {', '.join(FIELDS)}")
        if item["negative"] == []:
            raise ValueError(f"{path}: item {number} ({item['id']!r}) has an empty list as negative; it needs a cut")
        if not isinstance(item.get("couple", ""), str):
            raise ValueError(f"{path}: item {number} has the couple {item['couple']!r}; it must be a name")
        item = _with_names(item, f"{path}: item {number}")
        cuts: list[Cut] = []
        try:
            for side in sides(item):
                cut = check_cut(side if isinstance(side, dict) else {}, rules, listed)
                if cut["id"] in seen or cut["id"] in [other["id"] for other in cuts]:
                    raise DropError("duplicate-id", f"cut {cut['id']} is used before")
                cuts.append(cut)
        except DropError as error:
            drops.append(dropped(item["id"], error.reason, f"{'negative' if cuts else 'positive'}: {error}"))
            lost |= {item["couple"]} if "couple" in item else set()
            continue
        voice = speaker(cuts[0])
        first = number_of.setdefault((item["id"], voice), number)
        if first != number:
            raise ValueError(
                f"{path}: items {first} and {number} are both {item['id']!r} with voice {voice!r}; items of one id are"
                " voices of one item: give each another supervisions[0].speaker in its positive cut, or another id"
            )
        for cut in cuts:
            seen.add(cut["id"])
            recordings.register(cut["recording"])
        yield {**with_sides(item, cuts), "task": task}


def _with_names(item: Item, where: str) -> Item:
    """The item with texts as NAMES; ValueError naming the field if one of NAMES or NUMBERS is of another type."""
    for name in NAMES:
        if name in item and (type(item[name]) not in (str, int) or item[name] == ""):
            raise ValueError(f"{where}: {name} is {str(item[name])[:60]!r}; it must be a text")
    for name in NUMBERS:
        value = item.get(name, "")  # an item of the world's tasks leaves out what it does not have
        if value not in ("", None) and (type(value) not in (int, float) or not isfinite(value)):
            raise ValueError(f"{where}: {name} is {str(value)[:60]!r}; it must be a number")
    return {**item, **{name: str(item[name]) for name in NAMES if name in item}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", required=True)
    parser.add_argument("--items", type=Path, required=True, help="items, .jsonl or .jsonl.gz")
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that audio paths are relative to")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    parser.add_argument("--config", type=Rules.parse, required=True, help="JSON: characters, min_ and max_seconds")
    parser.add_argument("--lexicon", type=Path, nargs="*", default=[], help="the user's pronunciations")
    args = parser.parse_args()

    check_root(args.audio_root)
    drops: list[dict[str, str]] = []
    recordings = Recordings(args.audio_root)
    lost: set[str] = set()
    valid = list(valid_items(args.items, args.task, args.config, recordings, drops, lost, beyond_ascii(args.lexicon)))
    items, incomplete = complete_couples(valid, lost)
    drops += incomplete
    if not items:
        example = f", e.g. {drops[0]['id']}: {drops[0]['detail']}" if drops else ""
        raise ValueError(f"{args.items}: no usable item ({len(drops)} dropped{example})")
    recordings.check(args.items)
    # Items with a side whose file does not exist stay until the alignment drops them, but are lost all the same.
    missing = sum(not all(recordings.exists[cut["recording"]["id"]] for cut in sides(item)) for item in items)
    counts = Counter(row["reason"] for row in drops) + Counter({"audio-missing": missing})
    examples = {"audio-missing": recordings.example} | examples_of(drops)
    hold_to_limits(str(args.items), counts, len(items) - missing, args.config, examples, "items")
    write_csv(args.dropped, COLUMNS, drops)
    write_jsonl(args.out, items)
    print(
        f"corpus/manifest {args.task}: {len(items)} items, {len(drops)} dropped, {recordings.summary()}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
