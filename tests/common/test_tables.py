"""Tables with any quotation marks: every row is read, or the error names the line."""

import csv
import random
from pathlib import Path

import pytest

from scripts.common.files import read_csv
from scripts.common.tables import table_rows

HEADER = "id,text,correct\n"


def rows(path: Path, content: str | bytes, columns: tuple[str, ...] = ("id", "text", "correct")) -> list[list[str]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [list(row.values()) for _, row in table_rows(path, columns)]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('1,"Well, yes.",1', "Well, yes."),
        ('1,"He said ""no"".",1', 'He said "no".'),
        ('1,"Never closed,1', '"Never closed'),
        ('1,Never opened",1', 'Never opened"'),
        ('1,a 5" disk,1', 'a 5" disk'),
        ('1,"No" he said,1', '"No" he said'),
        ('1,",1', '"'),
        ('1, "after, a space",1', "after, a space"),
        ("1," + "x" * 200_000 + ",1", "x" * 200_000),
        ("1,'single',1,,", "'single'"),
    ],
)
def test_no_quotation_mark_takes_the_following_rows(tmp_path: Path, line: str, text: str):
    found = rows(tmp_path / "t.csv", f'{HEADER}0,before,0\n{line}\n\n2,after "all",0\n3,"last",1')
    assert found == [["0", "before", "0"], ["1", text, "1"], ["2", 'after "all"', "0"], ["3", "last", "1"]]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_other_delimiters_and_line_ends(tmp_path: Path, delimiter: str, line_end: str):
    lines = [delimiter.join(cells) for cells in (("correct", " id", "text"), ("1", "a", '"b"'), ("0", "c", "d e"))]
    assert rows(tmp_path / "t.csv", b"\xef\xbb\xbf" + line_end.join(lines).encode()) == [
        ["1", "a", "b"],
        ["0", "c", "d e"],
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (HEADER + "1,two\n", r"t\.csv:2: has 2 cells, the header 3"),
        (
            HEADER + '1,a,1\n\n2,"Well, he said,1\n',
            r"t\.csv:4: has 4 cells, the header 3; a row must stand in one line",
        ),
        (HEADER + '1,"two\nlines",1\n', r"t\.csv:2: has 2 cells"),
        ("id,text\n1,a\n", r"t\.csv: has no column correct; it has id, text; its first line must name the columns"),
        ("", r"t\.csv: has no column id, text, correct; it has none"),
        ("id,text,correct,text\n1,a,1,b\n", r"t\.csv: has two columns of the name 'text'"),
        (b"id,text,correct\n1,\xff,1\n", r"t\.csv: not UTF-8"),
    ],
)
def test_what_is_no_row_is_named_by_its_line(tmp_path: Path, content: str | bytes, says: str):
    with pytest.raises(ValueError, match=says):
        rows(tmp_path / "t.csv", content)


def test_random_quotation_marks_lose_no_row(tmp_path: Path):
    choose = random.Random(1)
    for _ in range(300):
        texts = ["".join(choose.choices('ab ",', weights=(4, 4, 2, 2, 1), k=6)) for _ in range(20)]
        lines = [f"{number},{text},1" for number, text in enumerate(texts)]
        try:
            found = rows(tmp_path / "t.csv", HEADER + "\n".join(lines))
        except ValueError as error:
            assert "cells, the header 3" in str(error)  # noqa: PT017
        else:
            assert [row[0] for row in found] == [str(number) for number in range(20)]
    with open(tmp_path / "w.csv", "w", newline="") as file:  # what a csv writer writes comes back as it was
        csv.writer(file).writerows([["id", "text", "correct"], *([n, t, 1] for n, t in enumerate(texts))])
    assert [row["text"] for _, row in table_rows(tmp_path / "w.csv", ())] == [text.strip() for text in texts]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", r"t\.csv: is empty; expected a table with a header"),
        ('id,reason\na,"b\nc,d\n', r"t\.csv:3: not a row of a table \(unexpected end of data\)\. The workflow"),
        ("id,reason\na,b\nc\n", r"t\.csv:3: has 1 cells, the header 2"),
        ("id,other\na,b\n", r"t\.csv: no column 'reason'; found id, other"),
    ],
)
def test_a_damaged_table_of_our_own_is_named(tmp_path: Path, content: str, says: str):
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises(ValueError, match=says):
        read_csv(tmp_path / "t.csv", ["id", "reason"])
