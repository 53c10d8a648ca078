"""Convert a table of (file, text, speaker), as Common Voice publishes them, to Lhotse cuts: one cut per row.

Files are named from the audio root, or absolute below it. The cut's id is that path without its ending. A row without a
speaker, and every row of a table whose speaker column is not named, is of the speaker "unknown".

Reasons to drop a row: no-text (its text is blank), malformed (its file is blank or not below the audio root),
duplicate-id (a file, or a name but for its ending, of an earlier row), audio-missing, audio-damaged. Files that no row
names are not read.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path, PurePosixPath

from scripts.common.audio_errors import AudioError
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut
from scripts.common.files import write_jsonl
from scripts.common.sound_file import whole_file
from scripts.common.tables import Row, table_rows
from scripts.corpus.config import Limits
from scripts.corpus.drops import DropError, Drops
from scripts.corpus.losses import held
from scripts.corpus.sound_files import whole_file_cut
from scripts.corpus.speech.config import TableColumns
from scripts.corpus.speech.seen_ids import SeenIds

REPORT_EVERY = 10_000  # rows between two lines of progress


def cuts(root: Path, table: Path, columns: TableColumns, drops: Drops) -> Iterator[Cut]:
    """The table's cuts; rows that cannot become one are recorded in `drops`.

    Raises:
        ValueError: the table lacks a column, or a line has another number of cells than its header.
    """
    names = [columns.file, columns.text, *([columns.speaker] if columns.speaker is not None else [])]
    seen = SeenIds()
    for done, (number, row) in enumerate(table_rows(table, names), start=1):
        if done % REPORT_EVERY == 0:
            print(f"corpus/table {table.name}: {done:,} rows", file=sys.stderr)
        try:
            cut = _cut(root, row, columns)
            if not seen.add(cut["id"]):
                raise DropError("duplicate-id", "an earlier row has this file")
        except (DropError, AudioError) as error:
            drops.add(row[columns.file] or f"{table.name}:{number}", error.reason, f"{table.name}:{number}: {error}")
            continue
        yield cut


def _cut(root: Path, row: Row, columns: TableColumns) -> Cut:
    """The cut of a row; DropError or AudioError with the reason if there is none."""
    source = _source(root, row[columns.file])
    if not row[columns.text]:
        raise DropError("no-text", f"the column {columns.text} is blank")
    speaker = row[columns.speaker] if columns.speaker is not None else ""
    fields = {"text": row[columns.text], "language": "English", "speaker": speaker or "unknown"}
    name = PurePosixPath(source).with_suffix("").as_posix()
    return whole_file_cut(name, source, whole_file(root / source), fields)


def _source(root: Path, file: str) -> str:
    """A file's path below the audio root; DropError `malformed` if it has none."""
    path = Path(os.path.normpath(root / file))
    if not file or not path.is_relative_to(os.path.normpath(root)) or path == Path(os.path.normpath(root)):
        raise DropError("malformed", f"{file!r} is not a file below {root}")
    return path.relative_to(os.path.normpath(root)).as_posix()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that the table's files are named from")
    parser.add_argument("--table", type=Path, required=True, help=".tsv or .csv whose first line names the columns")
    parser.add_argument("--columns", required=True, help="JSON: the columns of file, text and speaker")
    parser.add_argument("--out", type=Path, required=True, help="cuts, .jsonl.gz")
    parser.add_argument("--dropped", type=Path, required=True)
    parser.add_argument("--limits", required=True, help="JSON: shares of rows that may be dropped")
    args = parser.parse_args()

    limits = parse(Limits, args.limits, "corpus")
    columns = parse(TableColumns, args.columns, "corpus.folder.table")
    if not args.audio_root.is_dir():
        raise OSError(f"corpus.folder.audio_root: {args.audio_root} is not a folder")
    label = f"corpus/table {args.table.name}"
    with Drops.open(args.dropped) as drops:
        found = cuts(args.audio_root, args.table, columns, drops)
        first = next(found, None)
        if first is None:
            example = f"; e.g. {drops.example}" if drops.example else ""
            raise ValueError(f"{args.table}: no row with a text and a sound file below {args.audio_root}{example}")
        count = write_jsonl(args.out, held(chain([first], found), label, drops, limits, "rows"))
    print(f"{label}: {count} rows, dropped: {drops.summary()}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
