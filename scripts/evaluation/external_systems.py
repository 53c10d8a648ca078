"""Another system's scores as the rows that our own models' scores make, so that it stands in the same tables.

A score file holds one score per cut, higher for the more likely: a csv with the columns `id` and `score` (among
others), JSON lines `{"id", "score"}`, or lines `<id> <score>` as in a ZeroSpeech submission. Ids are those of the cuts;
for sLM21 and StoryCloze these are the sound files' names, with .wav or without. What is scored and not asked for is
counted; a side without a score is an error, for all systems are compared on the same pairs.
"""

import argparse
import csv
import math
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.common.cli import run
from scripts.common.cuts import Item, sides, speaker
from scripts.common.files import read_jsonl, text_lines, write_csv
from scripts.evaluation import rows
from scripts.evaluation.items import cut_ids, read_items


def _lines(path: Path) -> Iterator[tuple[int, str, object]]:
    """(line, id, score) of a score file, unchecked."""
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        for number, row in enumerate(read_jsonl(path), start=1):
            yield number, str(row.get("id") or ""), row.get("score")
        return
    if path.suffix == ".csv":
        reader = csv.DictReader(text_lines(path))
        missing = [name for name in ("id", "score") if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}: has no column {missing[0]!r}; expected id and score")
        for row in reader:
            yield reader.line_num, row["id"] or "", row["score"]
        return
    for number, line in enumerate(text_lines(path), start=1):
        if line.strip():
            name, _, score = line.strip().rpartition(" ")
            yield number, name.strip(), score


def read_scores(path: Path) -> dict[str, float]:
    """Score per cut id.

    Raises:
        ValueError: naming file and line, if an id is missing or repeated or a score is no finite number.
    """
    by_id: dict[str, float] = {}
    for number, raw, given in _lines(path):
        name = raw.removesuffix(".wav")
        try:
            score = float(given)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            score = math.nan
        if not name:
            raise ValueError(f"{path}:{number}: has no id; expected an id and a score")
        if not math.isfinite(score):
            raise ValueError(f"{path}:{number}: the score of {name} is {given!r}; it must be a finite number")
        if name in by_id:
            raise ValueError(f"{path}:{number}: {name} is scored twice")
        by_id[name] = score
    if not by_id:
        raise ValueError(f"{path}: holds no scores")
    return by_id


def _row(item: Item, scores: dict[str, float]) -> rows.Row:
    """A score decides as it is: nobody here knows what it was divided by."""
    place = (item["id"], speaker(item["positive"]), item["subset"], item["group"])
    return rows.row(place, {"logprob": [scores[cut["id"]] for cut in sides(item)]})


def main() -> None:
    """Command line of rule evaluation_external_systems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", required=True, type=Path, help="the system's score file")
    parser.add_argument("--items", required=True, type=Path, help="aligned items (jsonl.gz) of the task")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    arguments = parser.parse_args()
    items, scores = read_items(arguments.items), read_scores(arguments.scores)
    asked = cut_ids(items)
    missing = [name for name in asked if name not in scores]
    if missing:
        raise ValueError(
            f"{arguments.scores}: has no score for {missing[0]!r} ({len(missing)} of {len(asked)} missing);"
            f" every side of {arguments.items} needs one"
        )
    scored = rows.complete((_row(item, scores) for item in items), "total")
    write_csv(arguments.out, rows.COLUMNS, scored)
    print(
        f"{arguments.out.stem}/{arguments.out.parent.name}: {rows.summary(scored)};"
        f" {len(scores) - len(asked)} scores were not asked for",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
