"""Convert a table of (file, text, speaker), as Common Voice publishes them, to Lhotse cuts: one cut per row.

Files are named from the audio root, or absolute below it. The cut's id is that path without its ending. A row without a
speaker, and every row of a table whose speaker column is not named, is of the speaker "unknown".

Reasons to drop a row: no-text (its text is blank), malformed (its file is blank or not below the audio root),
duplicate-id (a file, or a name but for its ending, of an earlier row), same-file (a link, of either kind, to a file of
an earlier row), audio-missing, audio-damaged. Files that no row names are not read. A recording is named after the
place where its file lies, as of a folder (folder.py).
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from scripts.common.audio_errors import AudioError
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut
from scripts.common.sound_file import whole_file
from scripts.common.tables import Row, table_rows
from scripts.corpus.drops import DropError, Drops
from scripts.corpus.sound_files import whole_file_cut
from scripts.corpus.speech.config import TableColumns
from scripts.corpus.speech.convert import add_arguments, convert
from scripts.corpus.speech.seen_ids import SeenIds
from scripts.corpus.speech.sound_places import SoundPlaces

REPORT_EVERY = 10_000  # rows between two lines of progress


def cuts(root: Path, table: Path, columns: TableColumns, drops: Drops) -> Iterator[Cut]:
    """The table's cuts; rows that cannot become one are recorded in `drops`.

    Raises:
        ValueError: the table lacks a column, or a line has another number of cells than its header.
    """
    names = [columns.file, columns.text, *([columns.speaker] if columns.speaker is not None else [])]
    reader = TableReader(root, columns)
    for done, (number, row) in enumerate(table_rows(table, names), start=1):
        if done % REPORT_EVERY == 0:
            print(f"corpus/table {table.name}: {done:,} rows", file=sys.stderr)
        try:
            cut = reader.cut(row)
        except (DropError, AudioError) as error:
            drops.add(row[columns.file] or f"{table.name}:{number}", error.reason, f"{table.name}:{number}: {error}")
            continue
        yield cut


class TableReader:
    """Makes cuts of rows; keeps what was read so far.

    Args:
        root: folder that the table's files are named from.
        columns: those of file, text and speaker.
    """

    def __init__(self, root: Path, columns: TableColumns):
        self.root, self.columns = root, columns
        self.places, self.ids = SoundPlaces(root), SeenIds()

    def cut(self, row: Row) -> Cut:
        """The cut of a row; DropError or AudioError with the reason if there is none."""
        source = _source(self.root, row[self.columns.file])
        text = row[self.columns.text]
        if not text:
            raise DropError("no-text", f"the column {self.columns.text} is blank")
        name, path = PurePosixPath(source).with_suffix("").as_posix(), self.root / source
        if name in self.ids:
            raise DropError("duplicate-id", "an earlier row has this file")
        place = self.places.check(path, source)
        header = whole_file(path)
        self.ids.add(name)
        self.places.add(place)
        speaker = row[self.columns.speaker] if self.columns.speaker is not None else ""
        fields = {"text": text, "language": "English", "speaker": speaker or "unknown"}
        return whole_file_cut(name, source, header, fields, recording=self.places.recording(path, name))


def _source(root: Path, file: str) -> str:
    """A file's path below the audio root; DropError `malformed` if it has none."""
    path = Path(os.path.normpath(root / file))
    if not file or not path.is_relative_to(os.path.normpath(root)) or path == Path(os.path.normpath(root)):
        raise DropError("malformed", f"{file!r} is not a file below {root}")
    return path.relative_to(os.path.normpath(root)).as_posix()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    parser.add_argument("--table", type=Path, required=True, help=".tsv or .csv whose first line names the columns")
    parser.add_argument("--columns", required=True, help="JSON: the columns of file, text and speaker")
    args = parser.parse_args()

    columns = parse(TableColumns, args.columns, "corpus.folder.table")
    if not args.audio_root.is_dir():
        raise OSError(f"corpus.folder.audio_root: {args.audio_root} is not a folder")
    convert(
        args,
        f"corpus/table {args.table.name}",
        "rows",
        lambda drops: cuts(args.audio_root, args.table, columns, drops),
        f"{args.table}: no row with a text and a sound file below {args.audio_root}",
    )


if __name__ == "__main__":
    run(main)
