"""The first sentences of the report: what each factor costs, one sentence per letter, at most three.

A cost, a gain or a sameness is stated only where its test, corrected by Holm's procedure, shows it. With tasks the
sentences are about words, syntax and topic (DOMAINS; about all tasks if none of these is there), without tasks about
bits per second.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from scripts.evaluation.paired import BASELINE_AT_CHANCE
from scripts.report.findings import POINTS, listed
from scripts.report.labels import display_name
from scripts.report.paper_values import Paper
from scripts.report.render import format_interval, format_number
from scripts.report.result_files import grouped
from scripts.report.table_factors import CHANGE, LEVEL

DOMAINS = {"swuggy": "words", "sblimp": "syntax", "topic-storycloze": "topic"}
MOST = 3  # sentences
Row = Mapping[str, Any]


def task_sentences(factors: pd.DataFrame, paper: Paper) -> list[str]:
    """A sentence for each of the first MOST letters, from the accuracy rows of factors.csv."""
    known = factors[factors["task"].isin(DOMAINS)]
    return _sentences(factors if known.empty else known, paper, _on_tasks)


def bit_sentences(bit_factors: pd.DataFrame, paper: Paper) -> list[str]:
    """The same, from bit_factors.csv."""
    return _sentences(bit_factors, paper, _in_bits)


def basis(items: Mapping[str, float], comparisons: int, seed: int) -> str:
    """What the sentences rest on; `items`: what was compared -> how many of them."""
    counted = ", ".join(f"{name} {count:,.0f}" for name, count in items.items())
    return (
        f"Models of seed {seed}, compared on the same items ({counted}). Brackets: 95% interval of the change. A cost,"
        f" a gain or a sameness is stated only if its test stays below {LEVEL:.0%} after Holm's correction for"
        f" {comparisons} comparisons."
    )


def domain(task: str) -> str:
    """`syntax (sBLIMP)`, or the task's name alone."""
    return f"{DOMAINS[task]} ({display_name(task)})" if task in DOMAINS else display_name(task)


def _sentences(table: pd.DataFrame, paper: Paper, clause: Callable[[Sequence[Row]], str]) -> list[str]:
    clauses: dict[str, list[str]] = {}
    for (letter, baseline, modality), rows in grouped(table, "factor", "baseline", "modality").items():
        pair = f"{display_name(baseline)} → {display_name(modality)}"
        clauses.setdefault(letter, []).append(f"{pair} {clause(rows)}")
    return [
        f"{letter}{f' ({paper.meanings[letter]})' if letter in paper.meanings else ''}: {'; '.join(parts)}."
        for letter, parts in list(clauses.items())[:MOST]
    ]


def _on_tasks(rows: Sequence[Row]) -> str:
    costs, gains, same, none, unknown = [], [], [], [], []
    for row in rows:
        name = DOMAINS.get(row["task"], display_name(row["task"]))
        points, low, high = (row[key] for key in ("change_points", "points_ci_low", "points_ci_high"))
        if row["measurable"] == BASELINE_AT_CHANCE:
            unknown.append(name)
        elif row["p_holm"] < LEVEL and points < 0:
            costs.append(f"{format_interval(-points, -high, -low)} points on {name}")
        elif row["p_holm"] < LEVEL:
            gains.append(f"{format_interval(points, low, high)} points on {name}")
        elif row["p_equivalence_holm"] < LEVEL:
            same.append(f"{name} {format_interval(points, low, high, sign=True)}")
        else:
            none.append(name)
    clauses = [
        *([f"costs {listed(costs)}"] if costs else []),
        *([f"gains {listed(gains)}"] if gains else []),
        *([f"leaves {listed(same)} the same within {POINTS} points"] if same else []),
        *([f"shows no difference on {listed(none)}"] if none else []),
        *([f"cannot be measured on {listed(unknown)}, where {BASELINE_AT_CHANCE}"] if unknown else []),
    ]
    return listed(clauses)


def _in_bits(rows: Sequence[Row]) -> str:
    (row,) = rows
    percent = format_interval(*(row[name] for name in CHANGE), sign=True).replace(" [", "% [")
    if row["p_holm"] >= LEVEL:
        return f"shows no difference in bits per second ({percent})"
    verb = "costs" if row["difference"] > 0 else "saves"
    return f"{verb} {format_number(abs(row['difference']))} bits per second of speech ({percent})"
