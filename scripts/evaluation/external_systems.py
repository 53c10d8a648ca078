"""Convert the scores of an external system to the rows of score_rows.py, for the same tables as our models.

A score file holds one score per cut, higher for the more likely: a table (.csv, .tsv) with the columns `id` and `score`
(among others), JSON lines (.jsonl, .jsonl.gz) `{"id", "score"}`, or under any other name lines `<id> <score>` as in a
ZeroSpeech submission, with a space or tab between and with or without a header that ends in `score`. Ids are those of
the cuts; for sLM21 and StoryCloze these are the names of the sound files, with or without .wav. Scores of other ids are
counted and ignored; a side without a score is an error, since all systems are compared on the same pairs.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.common.cli import run
from scripts.common.cuts import Item, sides
from scripts.common.files import numbered_jsonl, text_lines, write_csv
from scripts.common.tables import table_rows
from scripts.evaluation import score_rows
from scripts.evaluation.items import cut_ids, read_items

COLUMNS = ("id", "score")


def _lines(path: Path) -> Iterator[tuple[int, str, object]]:
    """(line number, id, score) of a score file, unchecked but for the parts of a line."""
    if path.name.lower().endswith((".jsonl", ".jsonl.gz")):
        for number, line in numbered_jsonl(path):
            if missing := [name for name in COLUMNS if name not in line]:
                raise ValueError(
                    f"{path}:{number}: has no {missing[0]}; expected id and score, found {', '.join(line)}"
                )
            yield number, str(line["id"] or ""), line["score"]
        return
    if path.suffix.lower() in (".csv", ".tsv"):
        for number, row in table_rows(path, COLUMNS):
            yield number, row["id"], row["score"]
        return
    for number, text in enumerate(text_lines(path), start=1):
        parts = text.strip().rsplit("\t" if "\t" in text.strip() else None, 1)
        if number == 1 and parts[-1:] and parts[-1].lower() == "score":
            continue  # a header
        if len(parts) == 1:
            raise ValueError(
                f"{path}:{number}: has no id or no score; expected both with a space or tab between them, found"
                f" {parts[0][:60]!r} (a file with commas and a header must be named .csv)"
            )
        if parts:
            yield number, parts[0].strip(), parts[1]


def read_scores(path: Path) -> dict[str, float]:
    """Score per cut id.

    Raises:
        ValueError: names file and line, if an id is missing or repeated or a score is not a finite number.
    """
    by_id: dict[str, float] = {}
    for number, raw_id, value in _lines(path):
        name = raw_id[:-4] if raw_id.lower().endswith(".wav") else raw_id
        try:
            score = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            score = math.nan
        if not name:
            raise ValueError(f"{path}:{number}: has no id; expected an id and a score")
        if not math.isfinite(score):
            raise ValueError(f"{path}:{number}: the score of {name} is {value!r}; it must be a finite number")
        if name in by_id:
            raise ValueError(f"{path}:{number}: {name} is scored twice")
        by_id[name] = score
    if not by_id:
        raise ValueError(f"{path}: holds no scores")
    return by_id


def _row(item: Item, scores: dict[str, float]) -> score_rows.Row:
    """The row of an item; the score is used unchanged, since its normalization is unknown."""
    return score_rows.score_row(score_rows.item_key(item), {"logprob": [scores[cut["id"]] for cut in sides(item)]})


def main() -> None:
    """Command line of rule evaluation_external_systems."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", required=True, type=Path, help="the system's score file")
    parser.add_argument("--items", required=True, type=Path, help="aligned items (jsonl.gz) of the task")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    arguments = parser.parse_args()
    items, scores = read_items(arguments.items), read_scores(arguments.scores)
    required = cut_ids(items)
    missing = [name for name in required if name not in scores]
    if missing:
        raise ValueError(
            f"{arguments.scores}: has no score for {missing[0]!r} ({len(missing)} of {len(required)} missing);"
            f" every side of {arguments.items} needs one"
        )
    scored = score_rows.fill_correct((_row(item, scores) for item in items), "total")
    write_csv(arguments.out, score_rows.COLUMNS, scored)
    print(
        f"{arguments.out.stem}/{arguments.out.parent.name}: {score_rows.summary(scored)};"
        f" {len(scores) - len(required)} further scores ignored",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
