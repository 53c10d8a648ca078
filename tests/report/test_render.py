import math

import pytest

from scripts.report.render import (
    Column,
    Table,
    format_count,
    format_interval,
    format_number,
    html_table,
    latex,
    markdown,
)

TABLE = Table(
    "results",
    "A title",
    [Column("modality", text=True), Column("ours", "sWUGGY, %"), Column("paper", "sWUGGY, %"), Column("n")],
    [["Text_BPE & <co>", "85.1 [82.0, 88.0]", "−0.3", "300"]],
    ["A note: 5% | x → y."],
)


def test_number():
    assert [format_number(85.149), format_number(-11.1, sign=True), format_number(1.6, sign=True)] == [
        "85.1",
        "−11.1",
        "+1.6",
    ]
    assert [format_number(-0.04, sign=True), format_number(0.04, sign=True)] == ["0.0", "0.0"]
    assert format_number(None) == format_number(math.nan) == "–"
    assert format_number(1234.5, 0) == "1,234"


def test_interval():
    assert format_interval(85.1, 82, 88) == "85.1 [82.0, 88.0]"
    assert format_interval(-1.0, -2, 0.5, sign=True) == "−1.0 [−2.0, +0.5]"
    assert format_interval(85.1, math.nan, math.nan) == "85.1"
    assert format_interval(math.nan, 1, 2) == "–"


@pytest.mark.parametrize(
    ("value", "written"),
    [(80, "80"), (36104, "36,104"), (696.2e6, "696.2M"), (2.249e9, "2.249B"), (7.737e9, "7.737B"), (None, "–")],
)
def test_count(value, written):
    assert format_count(value) == written


def test_groups_span_their_columns():
    assert TABLE.groups() == [("", 1), ("sWUGGY, %", 2), ("", 1)]


def test_markdown_has_one_cell_per_column_and_escapes_pipes():
    lines = markdown(TABLE).splitlines()
    assert lines[0] == "**A title**"
    assert lines[2] == "| modality | sWUGGY, %: ours | sWUGGY, %: paper | n |"
    assert lines[3] == "| :-- | --: | --: | --: |"
    assert "| 85.1 [82.0, 88.0] |" in lines[4]


def test_latex_escapes_and_is_balanced():
    tex = latex(TABLE)
    assert r"Text\_BPE \& <co> & 85.1 [82.0, 88.0] & $-$0.3 & 300 \\" in tex
    assert r"\cmidrule(lr){2-3}" in tex
    assert r"5\% | x $\rightarrow$ y." in tex
    assert tex.count("\\begin{") == tex.count("\\end{") == 2
    assert tex.isascii()


def test_html_escapes_and_marks_the_papers_columns():
    page = html_table(TABLE)
    assert "Text_BPE &amp; &lt;co&gt;" in page
    assert '<th colspan="2">sWUGGY, %</th>' in page
    assert '<td class="paper">−0.3</td>' in page
    assert '<span class="ci">[82.0, 88.0]</span>' in page
