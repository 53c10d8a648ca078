"""Read tables (.csv, .tsv) that others wrote. A row is a line, and no row is lost.

A quotation mark that is opened and not closed makes a csv reader take all lines up to the next mark for one cell. The
tables read here have no cell of several lines, so each line is read by itself: first by the rules of RFC 4180, and
where its quotation marks do not follow them, as they stand. Either way it must have as many cells as the header.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.common.files import text_lines

DELIMITERS = (",", "\t", ";")  # the first is taken unless the header has more of another

Row = dict[str, str]


def table_rows(path: str | Path, columns: Sequence[str]) -> Iterator[tuple[int, Row]]:
    """(line number, row) of each line but the header and blank ones; cells and names without spaces around them.

    Args:
        path: a table whose first line names its columns, separated by commas, tabs or semicolons.
        columns: those that it must have, in any order, among others.

    Raises:
        ValueError: naming the file, and column or line: a column is missing or named twice, or a line does not have
            as many cells as the header.
    """
    lines = text_lines(path)
    header = next(lines, "").strip("\r\n")
    delimiter = max(DELIMITERS, key=header.count)
    names = _cells(header, delimiter, None)
    if missing := [name for name in columns if name not in names]:
        raise ValueError(
            f"{path}: has no column {', '.join(missing)}; it has {', '.join(names) or 'none'};"
            f" its first line must name the columns, {', '.join(columns)} among them"
        )
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ValueError(f"{path}: has two columns of the name {twice[0]!r}; rename or remove one")
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        cells = _cells(line.strip("\r\n"), delimiter, len(names))
        if len(cells) != len(names):
            raise ValueError(
                f"{path}:{number}: has {len(cells)} cells, the header {len(names)}; a row must stand in one line, and"
                f" a cell with {delimiter!r} in it between quotation marks, with each mark inside it doubled"
            )
        yield number, {name: cell for name, cell in zip(names, cells, strict=True) if name}


def _cells(line: str, delimiter: str, expected: int | None) -> list[str]:
    """The cells of a line; blank ones beyond the `expected` number are left out."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=delimiter != "\t"), [])
    except csv.Error:  # a mark that nobody closes, text behind a closing mark, a cell of more than 128 KiB
        cells = line.split(delimiter)
    cells = [cell.strip() for cell in cells]
    while expected is not None and len(cells) > expected and not cells[-1]:
        cells.pop()
    return cells
