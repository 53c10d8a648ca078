"""Read the csv and json files of earlier stages; an error names the file and what is wrong with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from scripts.common.files import read_json
from scripts.evaluation.common_items import Dropped


def read_table(path: str | Path, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """The columns `text` (str) and `numbers` (float64, blank = NaN) of a csv, in this order, all rows.

    Raises:
        FileNotFoundError: no such file.
        ValueError: naming the file, and the missing column or the line that holds no number.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a csv table ({str(error).strip()})") from None
    missing = [column for column in (*text, *numbers) if column not in table.columns]
    if missing:
        raise ValueError(f"{path}: no column {', '.join(map(repr, missing))}; found {', '.join(table.columns)}")
    for column in numbers:
        values = pd.to_numeric(table[column], errors="coerce").astype("float64")
        wrong = table.index[values.isna() & ~table[column].isin(["", "nan"])]
        if len(wrong):
            raise ValueError(
                f"{path}:{wrong[0] + 2}: column {column!r} holds {table[column][wrong[0]]!r}, expected a number"
            )
        table[column] = values
    return table[[*text, *numbers]]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dictionaries."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def grouped(table: pd.DataFrame, *columns: str) -> dict[tuple[str, ...], list[dict[str, Any]]]:
    """The rows grouped by the values of these columns, groups in order of first appearance."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in records(table):
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return groups


def read_stats(path: str | Path) -> dict[str, Any]:
    """A tokens/{modality}/stats.json; ValueError names the file and the key it lacks."""
    stats = read_json(path)
    for key in ("modality", "vocab_size", "splits"):
        if key not in stats:
            raise ValueError(f"{path}: no key {key!r}")
    for split in ("train", "dev"):
        for key in ("utterances", "tokens", "seconds", "tokens_per_second"):
            if key not in stats["splits"].get(split, {}):
                raise ValueError(f"{path}: no key 'splits.{split}.{key}'")
    return stats


def item_scores(path: Path, dropped: Dropped) -> pd.DataFrame:
    """Columns `couple` and `correct` of each compared item, indexed by id.

    `correct` is the mean over the item's voices: 1 right, 0 wrong, 1/k a tie.
    """
    table = read_table(path, ["id", "couple"], ["correct"])
    table = table[~table["id"].isin(dropped.ids[path.parent.name])]
    if table.empty:
        raise ValueError(f"{path}: holds no items")
    if not table["correct"].between(0, 1).all():
        line = int(table.index[~table["correct"].between(0, 1)][0]) + 2
        raise ValueError(f"{path}:{line}: 'correct' must lie between 0 and 1")
    return table.groupby("id", sort=True).agg({"couple": "first", "correct": "mean"})
