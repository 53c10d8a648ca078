"""Write a table as Markdown, LaTeX (booktabs) and HTML, and format its numbers.

Cells are formatted strings; the csv file of the same name holds the numbers.
"""

import html
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.common.files import atomic_path

NO_VALUE = "–"  # the cell of a missing value
TEX_ESCAPES = {
    "&": r"\&",
    "%": r"\%",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "–": "--",
    "−": "$-$",
}
TEX_ESCAPES |= {"→": r"$\rightarrow$", "·": r"$\cdot$", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
TEX_ESCAPES |= {"\\": r"\textbackslash{}", "×": r"$\times$"}

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 1.5rem; max-width: 80rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.scroll { overflow-x: auto; max-width: 100%; }
figure { margin: 1rem 0; }
figure svg { display: block; width: 100%; max-width: 54rem; min-width: 34rem; height: auto; }
@media (min-width: 64rem) {
  .answer { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 2rem; }
}
figcaption { color: #555; font-size: .9rem; max-width: 50rem; margin-top: .4rem; }
.lead { font-size: 1.05rem; } .lead li { margin-bottom: .5rem; }
.warning { border-left: 4px solid #c0392b; background: #fdf1ef; padding: .5rem .9rem; max-width: 50rem; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .5rem; text-align: right; white-space: nowrap; }
thead th { vertical-align: bottom; white-space: normal; } .ci { font-size: .85em; color: #555; }
td .ci { display: block; }
th.text, td.text { text-align: left; } td.text { white-space: normal; min-width: 5rem; max-width: 14rem; }
tbody td:first-child, thead tr:last-child th:first-child { position: sticky; left: 0; background: #fff; min-width: 0; }
thead tr:last-child th { border-bottom: 1px solid #333; }
thead tr.groups th { text-align: center; border-bottom: 1px solid #bbb; }
tbody tr:nth-child(even), tbody tr:nth-child(even) td:first-child { background: #f5f5f5; }
td.paper, th.paper { color: #6b6b6b; }
p, li { max-width: 50rem; } .note { color: #555; font-size: .9rem; }
@media (max-width: 40rem) {
  body { margin: .8rem; }
  tbody td:first-child, thead tr:last-child th:first-child { max-width: 6.5rem; overflow-wrap: break-word; }
}
"""


@dataclass(frozen=True)
class Column:
    """One column: its name, the heading of its group ("" for none), and whether it holds text."""

    name: str
    group: str = ""
    text: bool = False


@dataclass(frozen=True)
class Table:
    """A formatted table.

    Attributes:
        key: short name, the LaTeX label.
        title: one line.
        columns: [C].
        rows: [R][C] strings.
        notes: sentences below the table.
    """

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def groups(self) -> list[tuple[str, int]]:
        """(group, columns it spans) from left to right."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and column.group and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return spans


def format_number(value: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """`85.1`, `+1.6`, `−11.1`; a dash for a missing value. A value that rounds to zero has no sign."""
    if value is None or math.isnan(value):
        return NO_VALUE
    written = f"{abs(value):,.{digits}f}"
    if float(written.replace(",", "")) == 0:
        return written
    return ("−" if value < 0 else "+" if sign else "") + written


def format_interval(value: float, low: float, high: float, digits: int = 1, *, sign: bool = False) -> str:
    """`85.1 [82.0, 88.2]`; without brackets if there is no interval."""
    point = format_number(value, digits, sign=sign)
    if math.isnan(value) or math.isnan(low) or math.isnan(high):
        return point
    return f"{point} [{format_number(low, digits, sign=sign)}, {format_number(high, digits, sign=sign)}]"


def format_p_value(value: float | None) -> str:
    """`0.034`, `<0.001`; a dash for a missing value."""
    if value is None or math.isnan(value):
        return NO_VALUE
    return "<0.001" if value < 0.001 else format_number(value, 3)


def format_count(value: float | None) -> str:
    """`812`, `36,104`, `12.3M`, `2.249B`: a whole number below a million, at most four digits above."""
    if value is None or math.isnan(value):
        return NO_VALUE
    for size, letter in ((1e9, "B"), (1e6, "M")):
        if value >= size:
            return f"{value / size:.4g}{letter}"
    return f"{round(value):,}"


def markdown(table: Table) -> str:
    """A pipe table; a heading is `group: name`."""
    heads = [f"{c.group}: {c.name}" if c.group else c.name for c in table.columns]
    rule = [":--" if c.text else "--:" for c in table.columns]
    lines = [heads, rule, *table.rows]
    body = "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    notes = "".join(f"\n{note}\n" for note in table.notes)
    return f"**{table.title}**\n\n{body}\n{notes}"


def _tex(text: str) -> str:
    return "".join(TEX_ESCAPES.get(letter, letter) for letter in text)


def latex(table: Table) -> str:
    """A floating `table*`; needs the packages booktabs and graphicx."""
    spec = "".join("l" if c.text else "r" for c in table.columns)
    head, rules, column = [], [], 1
    for group, span in table.groups():
        head.append(rf"\multicolumn{{{span}}}{{c}}{{{_tex(group)}}}")
        if group:
            rules.append(rf"\cmidrule(lr){{{column}-{column + span - 1}}}")
        column += span
    grouped = [" & ".join(head) + r" \\", " ".join(rules)] if rules else []
    lines = [
        "% needs \\usepackage{booktabs,graphicx}",
        r"\begin{table*}[t]",
        r"\centering",
        rf"\caption{{{_tex(' '.join([table.title + '.', *table.notes]))}}}",
        rf"\label{{tab:{table.key}}}",
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{{spec}}}",
        r"\toprule",
        *grouped,
        " & ".join(_tex(c.name) for c in table.columns) + r" \\",
        r"\midrule",
        *(" & ".join(_tex(cell) for cell in row) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def html_table(table: Table) -> str:
    """A <table> with its notes, a fragment of a page."""

    def cell(tag: str, column: Column, content: str) -> str:
        classes = " ".join(["text"] * column.text + ["paper"] * column.name.startswith("paper"))
        shown = re.sub(r"(\[.*?\])", r'<span class="ci">\1</span>', html.escape(content))
        return f'<{tag} class="{classes}">{shown}</{tag}>'

    groups = "".join(f'<th colspan="{span}">{html.escape(group)}</th>' for group, span in table.groups())
    grouped = f'<tr class="groups">{groups}</tr>' if any(c.group for c in table.columns) else ""
    heads = "".join(cell("th", c, c.name) for c in table.columns)
    rows = "\n".join(
        "<tr>" + "".join(cell("td", c, content) for c, content in zip(table.columns, row, strict=True)) + "</tr>"
        for row in table.rows
    )
    notes = "".join(f'<p class="note">{html.escape(note)}</p>\n' for note in table.notes)
    return (
        f'<div class="scroll"><table>\n<thead>{grouped}<tr>{heads}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>\n{notes}"
    )


def html_page(title: str, body: str) -> str:
    """A complete HTML page that loads no other file."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(title)}</title>\n'
        f"<style>{STYLE}</style></head>\n<body>\n<h1>{html.escape(title)}</h1>\n{body}</body></html>\n"
    )


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_formats(folder: str | Path, table: Table) -> None:
    """Write `<key>.md`, `<key>.tex` and `<key>.html` into `folder`."""
    write_text(Path(folder) / f"{table.key}.md", markdown(table))
    write_text(Path(folder) / f"{table.key}.tex", latex(table))
    write_text(Path(folder) / f"{table.key}.html", html_page(table.title, html_table(table)))
