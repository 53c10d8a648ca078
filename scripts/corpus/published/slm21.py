"""sLM21's word pairs (sWUGGY) and sentence pairs (sBLIMP) as task items: `{lexical,syntactic}/{dev,test}/gold.csv`.

A row of gold.csv is one sound file. Its columns may stand in any order and beside others; the sound file is
`filename`, with .wav or without. Two rows are a pair when they agree in the columns of `KEYS`, never by their place
in the file: ids repeat across the subtypes of the sentences, and voices need not be the same for every pair.
A pair whose key has no partner, or more than one, is dropped and counted, as is one with an unusable side.

A word pair's group is the frequency band of its word in LibriSpeech, as the official scorer cuts them (its band
"1-5" holds the frequencies 1 to 4, "6-20" 5 to 19, "21-100" 20 to 99, ">100" 100 and more). Its subset is
`in-vocabulary` or `oov`. A sentence pair's group is its `type` (the phenomenon); `subtype` is kept beside it.
Source: zerospeech2021 0.9, lexical.py (bands) and syntactic.py (a pair is type, subtype and id); Nguyen et al. 2020.
"""

import csv
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.common.cuts import Item
from scripts.common.files import text_lines
from scripts.common.progress import Progress
from scripts.corpus.drops import DropError, dropped
from scripts.corpus.published.audio import side_cut
from scripts.corpus.published.phone_sets import UnmappedError, alphabet, to_cmudict

COLUMNS = {
    "lexical": ("id", "filename", "voice", "frequency", "word", "correct"),  # `phones` too, where it is there
    "syntactic": ("id", "filename", "voice", "type", "subtype", "transcription", "correct"),
}
KEYS = {"lexical": ("id", "voice"), "syntactic": ("type", "subtype", "id", "voice")}
BANDS = ("oov", "1-5", "6-20", "21-100", ">100")
EDGES = (1, 5, 20, 100)  # the first frequency of every band but the first
CORRECT = {"1": "positive", "1.0": "positive", "0": "negative", "0.0": "negative"}

Row = dict[str, str]


def find_gold(folder: Path, kind: str, split: str) -> Path:
    """The gold.csv of a kind and split at any depth below `folder`.

    Raises:
        ValueError: there is none, or more than one.
    """
    found = sorted(path for path in folder.rglob(f"{kind}/{split}/gold.csv") if "__MACOSX" not in path.parts)
    if len(found) != 1:
        raise ValueError(f"{folder}: holds {len(found)} files {kind}/{split}/gold.csv; expected sLM21, which has one")
    return found[0]


def read_gold(path: Path, kind: str) -> list[Row]:
    """The rows of a gold.csv, each with `line` (its number) and `side`.

    Raises:
        ValueError: naming file and column or line, if a column is missing, a cell of the key is empty or `correct`
            is neither 0 nor 1.
    """
    reader = csv.DictReader(text_lines(path))
    names = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    missing = [name for name in COLUMNS[kind] if name not in names]
    if missing:
        raise ValueError(f"{path}: has no column {', '.join(missing)}; it has {', '.join(names) or 'none'}")
    rows = [{**{k: (v or "").strip() for k, v in row.items() if k}, "line": str(reader.line_num)} for row in reader]
    for row in rows:
        if row["correct"] not in CORRECT:
            raise ValueError(f"{path}:{row['line']}: correct is {row['correct']!r}; it must be 1 or 0")
        for name in (*KEYS[kind], "filename"):
            if not row[name]:
                raise ValueError(f"{path}:{row['line']}: {name} is empty")
        row["side"] = CORRECT[row["correct"]]
    if not rows:
        raise ValueError(f"{path}: holds no rows")
    return rows


def paired(rows: list[Row], kind: str, drops: list[dict[str, str]]) -> Iterator[tuple[str, Row, Row]]:
    """(pair and voice, positive row, negative row) by key, in order of first appearance; others go to `drops`."""
    groups: dict[tuple[str, ...], dict[str, list[Row]]] = defaultdict(lambda: {"positive": [], "negative": []})
    for row in rows:
        groups[tuple(row[name] for name in KEYS[kind])][row["side"]].append(row)
    for key, sides in groups.items():
        name = "/".join(key)
        lines = " and ".join(row["line"] for side in sides.values() for row in side)
        if not all(sides.values()):
            lacking = next(side for side, found in sides.items() if not found)
            drops.append(dropped(name, "no-partner", f"no {lacking} side; it stands in line {lines} of gold.csv"))
        elif any(len(found) > 1 for found in sides.values()):
            drops.append(
                dropped(name, "ambiguous-key", f"lines {lines} of gold.csv have the same {', '.join(KEYS[kind])}")
            )
        else:
            yield name, sides["positive"][0], sides["negative"][0]


def band(frequency: str) -> str:
    """The frequency band of a word; `unknown` for an empty cell.

    Raises:
        ValueError: it is not a number from 0 on.
    """
    if frequency.lower() in ("", "nan"):
        return "unknown"
    try:
        value = float(frequency)
    except ValueError:
        value = -1.0
    if not value >= 0:
        raise ValueError(f"frequency is {frequency!r}; it must be a number from 0 on, or empty")
    return BANDS[bisect_right(EDGES, value)]


def word_side(row: Row, written_in: str | None) -> dict[str, Any]:
    """Text and own pronunciation of a word or pseudo-word; `written_in` None: the lexicon must have it.

    Raises:
        UnmappedError: with the symbol.
        DropError: reason `no-phones`.
    """
    text = "".join(row["word"].lower().split())
    spoken = "".join(letter for letter in text.upper() if letter.isalpha() or letter == "'").strip("'")
    if written_in is None:
        return {"text": text}
    phones = to_cmudict(row["phones"], written_in)
    if not phones:
        raise DropError("no-phones", f"{text!r} has an empty transcription")
    # One word to the aligner, as it is one in the transcription: a hyphen would make it two.
    return {"text": text.replace("-", ""), "pronunciations": {spoken: phones}}


def read_items(
    folder: Path, kind: str, split: str, drops: list[dict[str, str]], unmapped: Counter[str]
) -> Iterator[Item]:
    """The items of one kind and split.

    Args:
        folder: where sLM21 was unpacked, at any depth above `lexical/` and `syntactic/`.
        kind: lexical or syntactic.
        split: dev or test.
        drops: what cannot be used is appended, with its reason.
        unmapped: transcription symbols without a place in CMUdict are counted here.

    Raises:
        ValueError: gold.csv is missing or not what it should be.
    """
    gold = find_gold(folder, kind, split)
    rows = read_gold(gold, kind)
    transcribed = kind == "lexical" and "phones" in rows[0]
    written_in = alphabet(row["phones"] for row in rows) if transcribed else None
    progress = Progress(f"corpus/tasks {kind}/{split}", len(rows), "sound files")
    for done, (name, *sides) in enumerate(paired(rows, kind, drops), start=1):
        progress.update(2 * done)
        try:
            cuts = [_cut(row, gold.parent, folder, kind, written_in) for row in sides]
        except DropError as error:
            drops.append(dropped(name, error.reason, str(error)))
            continue
        except UnmappedError as error:
            unmapped[str(error)] += 1
            transcriptions = " or ".join(repr(row["phones"]) for row in sides)
            drops.append(dropped(name, "unmapped-phone", f"symbol {str(error)!r} in {transcriptions}"))
            continue
        try:
            place = _place(sides[0], kind)
        except ValueError as error:
            raise ValueError(f"{gold}:{sides[0]['line']}: {error}") from None
        yield {**place, "positive": cuts[0], "negative": cuts[1]}


def _place(row: Row, kind: str) -> dict[str, str]:
    if kind == "lexical":
        group = band(row["frequency"])
        subset = group if group in ("oov", "unknown") else "in-vocabulary"
        return {"id": row["id"], "subset": subset, "group": group}
    name = f"{row['type']}/{row['subtype']}/{row['id']}"
    return {"id": name, "subset": "all", "group": row["type"], "subtype": row["subtype"]}


def _cut(row: Mapping[str, str], sounds: Path, root: Path, kind: str, written_in: str | None) -> dict[str, Any]:
    name = row["filename"].removesuffix(".wav")
    side = word_side(dict(row), written_in) if kind == "lexical" else {"text": row["transcription"]}
    return side_cut(sounds / f"{name}.wav", root, name=name, speaker=row["voice"], **side)
