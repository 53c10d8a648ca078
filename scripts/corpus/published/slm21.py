"""Read sLM21's word pairs (sWUGGY) and sentence pairs (sBLIMP) from `{lexical,syntactic}/{dev,test}/gold.csv`.

A row of gold.csv describes one sound file, `filename` with or without .wav. The columns may be in any order, and other
columns are ignored. Two rows are a pair if they agree in the columns of `KEYS`, wherever they are in the file: ids
repeat across the subtypes of the sentences, and pairs may differ in voices. A pair whose key has no partner, or more
than one, is dropped and counted, as is a pair with an unusable side.

A word pair's group is the frequency band of its word in LibriSpeech, with the bounds of the official scorer (its band
"1-5" holds the frequencies 1 to 4, "6-20" 5 to 19, "21-100" 20 to 99, ">100" 100 and more). Its subset is
`in-vocabulary` or `oov`. A sentence pair's group is its `type` (the phenomenon); `subtype` is kept as a column.
Source: zerospeech2021 0.9, lexical.py (bands) and syntactic.py (a pair is type, subtype and id); Nguyen et al. 2020.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.common.audio_errors import exists
from scripts.common.cuts import Item
from scripts.common.file_tree import files, report_skipped
from scripts.common.progress import Progress
from scripts.common.tables import table_rows
from scripts.corpus.drops import DropError, dropped
from scripts.corpus.published.find_audio import side_cut, without_wav
from scripts.corpus.published.phone_sets import UnmappedError, detect_alphabet, to_cmudict

COLUMNS = {
    "lexical": ("id", "filename", "voice", "frequency", "word", "correct"),  # and `phones`, if present
    "syntactic": ("id", "filename", "voice", "type", "subtype", "transcription", "correct"),
}
KEYS = {"lexical": ("id", "voice"), "syntactic": ("type", "subtype", "id", "voice")}
BANDS = ("oov", "1-5", "6-20", "21-100", ">100")
BAND_STARTS = (1, 5, 20, 100)  # the lowest frequency of every band but the first
CORRECT = {"1": "positive", "1.0": "positive", "0": "negative", "0.0": "negative"}

Row = dict[str, str]


def find_gold(folder: Path, level: str, split: str) -> Path:
    """The gold.csv of a level and split at any depth below `folder`.

    Raises:
        ValueError: there is none, or more than one.
    """
    found = files(folder, lambda name: name == "gold.csv", report_skipped)
    paths = [path for path in found if path.parts[-3:-1] == (level, split) and "__MACOSX" not in path.parts]
    if len(paths) != 1:
        raise ValueError(f"{folder}: holds {len(paths)} files {level}/{split}/gold.csv; expected sLM21, which has one")
    return paths[0]


def read_gold(path: Path, level: str) -> list[Row]:
    """The rows of a gold.csv, each with `line` (its number) and `side`.

    Raises:
        ValueError: naming file and column or line, if a column is missing, a row is not as long as the header, a cell
            of the key is empty or `correct` is neither 0 nor 1.
    """
    rows = [{**row, "line": str(number)} for number, row in table_rows(path, COLUMNS[level])]
    for row in rows:
        if row["correct"] not in CORRECT:
            raise ValueError(f"{path}:{row['line']}: correct is {row['correct']!r}; it must be 1 or 0")
        for name in (*KEYS[level], "filename"):
            if not row[name]:
                raise ValueError(f"{path}:{row['line']}: {name} is empty")
        row["side"] = CORRECT[row["correct"]]
    if not rows:
        raise ValueError(f"{path}: holds no rows")
    return rows


def pair_rows(rows: list[Row], level: str, drops: list[dict[str, str]]) -> Iterator[tuple[str, Row, Row]]:
    """(key, positive row, negative row) of each pair, in order of first appearance; rows without one go to `drops`."""
    groups: dict[tuple[str, ...], dict[str, list[Row]]] = defaultdict(lambda: {"positive": [], "negative": []})
    for row in rows:
        groups[tuple(row[name] for name in KEYS[level])][row["side"]].append(row)
    for key, sides in groups.items():
        name = "/".join(key)
        lines = " and ".join(row["line"] for side in sides.values() for row in side)
        if not all(sides.values()):
            missing = next(side for side, members in sides.items() if not members)
            drops.append(dropped(name, "no-partner", f"no {missing} side; it stands in line {lines} of gold.csv"))
        elif any(len(members) > 1 for members in sides.values()):
            drops.append(
                dropped(name, "ambiguous-key", f"lines {lines} of gold.csv have the same {', '.join(KEYS[level])}")
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
    return BANDS[bisect_right(BAND_STARTS, value)]


def word_side(row: Row, alphabet: str | None) -> dict[str, Any]:
    """Text and pronunciation of a word or pseudo-word; without a pronunciation if `alphabet` is None.

    Raises:
        UnmappedError: with the symbol.
        DropError: reason `no-phones`.
    """
    text = "".join(row["word"].lower().split())
    spoken = "".join(letter for letter in text.upper() if letter.isalpha() or letter == "'").strip("'")
    if alphabet is None:
        return {"text": text}
    phones = to_cmudict(row["phones"], alphabet)
    if not phones:
        raise DropError("no-phones", f"{text!r} has an empty transcription")
    # The transcription is of one word, but the aligner would split the text at a hyphen.
    return {"text": text.replace("-", ""), "pronunciations": {spoken: phones}}


def read_items(
    folder: Path, level: str, split: str, drops: list[dict[str, str]], unmapped: Counter[str]
) -> Iterator[Item]:
    """The items of one level and split.

    Args:
        folder: a folder at any depth above `lexical/` and `syntactic/` of sLM21.
        level: lexical or syntactic.
        split: dev or test.
        drops: receives the pairs that cannot be used, with reasons.
        unmapped: receives the counts of transcription symbols that have no phone in CMUdict.

    Raises:
        ValueError: gold.csv is missing or malformed.
    """
    gold = find_gold(folder, level, split)
    rows = read_gold(gold, level)
    transcribed = level == "lexical" and "phones" in rows[0]
    alphabet = detect_alphabet(row["phones"] for row in rows) if transcribed else None
    progress = Progress(f"corpus/tasks {level}/{split}", len(rows), "sound files")
    for done, (name, *sides) in enumerate(pair_rows(rows, level, drops), start=1):
        progress.update(2 * done)
        try:
            cuts = [_cut(row, gold.parent, folder, level, alphabet) for row in sides]
        except DropError as error:
            drops.append(dropped(name, error.reason, str(error)))
            continue
        except UnmappedError as error:
            unmapped[str(error)] += 1
            transcriptions = " or ".join(repr(row["phones"]) for row in sides)
            drops.append(dropped(name, "unmapped-phone", f"symbol {str(error)!r} in {transcriptions}"))
            continue
        try:
            fields = _item_fields(sides[0], level)
        except ValueError as error:
            raise ValueError(f"{gold}:{sides[0]['line']}: {error}") from None
        yield {**fields, "positive": cuts[0], "negative": cuts[1]}


def _item_fields(row: Row, level: str) -> dict[str, str]:
    if level == "lexical":
        group = band(row["frequency"])
        subset = group if group in ("oov", "unknown") else "in-vocabulary"
        return {"id": row["id"], "subset": subset, "group": group}
    name = f"{row['type']}/{row['subtype']}/{row['id']}"
    return {"id": name, "subset": "all", "group": row["type"], "subtype": row["subtype"]}


def _cut(row: Mapping[str, str], sounds: Path, root: Path, level: str, alphabet: str | None) -> dict[str, Any]:
    name = without_wav(row["filename"])
    given = (sounds / f"{name}{ending}" for ending in (".wav", ".WAV"))
    path = next((path for path in given if exists(path)), sounds / f"{name}.wav")
    side = word_side(dict(row), alphabet) if level == "lexical" else {"text": row["transcription"]}
    return side_cut(path, root, name=name, speaker=row["voice"], **side)
