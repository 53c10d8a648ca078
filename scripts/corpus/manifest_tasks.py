"""A stranger's task items, checked side by side and passed on.

An item whose positive or negative side cannot be used (see `validate`) leaves whole, under that side's reason.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.cuts import Item
from scripts.common.files import read_jsonl, write_csv, write_jsonl
from scripts.corpus.drops import COLUMNS, dropped
from scripts.corpus.manifest import Recordings, check_root
from scripts.corpus.validate import CutError, Rules, checked

FIELDS = ("id", "subset", "group", "positive", "negative")


def usable(path: Path, task: str, rules: Rules, recordings: Recordings, drops: list[dict[str, str]]) -> Iterator[Item]:
    """The items that can be used, named after `task`; the others are appended to `drops`.

    Raises:
        ValueError: naming file and item, if an item lacks a field.
    """
    seen: set[str] = set()
    for number, item in enumerate(read_jsonl(path), start=1):
        if missing := [field for field in FIELDS if field not in item]:
            raise ValueError(f"{path}: item {number} has no {', '.join(missing)}; an item needs {', '.join(FIELDS)}")
        sides: dict[str, Any] = {}
        try:
            for side in ("positive", "negative"):
                sides[side] = checked(item[side] if isinstance(item[side], dict) else {}, rules)
                if sides[side]["id"] in seen or (side == "negative" and sides[side]["id"] == sides["positive"]["id"]):
                    raise CutError("duplicate-id", f"cut {sides[side]['id']} is used before")
        except CutError as error:
            drops.append(dropped(str(item["id"]), error.reason, f"{side}: {error}"))
            continue
        for cut in sides.values():
            seen.add(cut["id"])
            recordings.meet(cut["recording"])
        yield {**item, "task": task, **sides}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", required=True)
    parser.add_argument("--items", type=Path, required=True, help="items, .jsonl or .jsonl.gz")
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that audio paths are relative to")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dropped", type=Path, required=True)
    parser.add_argument("--config", type=Rules.parse, required=True, help="JSON: characters, min_ and max_seconds")
    args = parser.parse_args()

    check_root(args.audio_root)
    drops: list[dict[str, str]] = []
    recordings = Recordings(args.audio_root)
    items = list(usable(args.items, args.task, args.config, recordings, drops))
    if not items:
        example = f", e.g. {drops[0]['id']}: {drops[0]['detail']}" if drops else ""
        raise ValueError(f"{args.items}: no usable item ({len(drops)} dropped{example})")
    recordings.check(args.items)
    write_csv(args.dropped, COLUMNS, drops)
    write_jsonl(args.out, items)
    print(
        f"corpus/manifest {args.task}: {len(items)} items, {len(drops)} dropped, {recordings.summary()}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
