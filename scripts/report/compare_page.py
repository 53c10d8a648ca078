"""The page of `snakemake compare`: experiments side by side, a single HTML file that loads no other."""

import argparse
import html
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report import compare_sections, experiment_pairs, figure_compare
from scripts.report.compare_tables import SETTING_COLUMNS
from scripts.report.experiment_scores import (
    FACTOR_COLUMNS,
    FACTOR_NUMBERS,
    FACTOR_TEXT,
    PAPER,
    SCORE_NUMBERS,
    SCORE_TEXT,
)
from scripts.report.inline_figure import inline_figure
from scripts.report.paper_values import Paper, read_paper
from scripts.report.render import Table, html_page, html_table, write_text
from scripts.report.result_files import read_table
from scripts.report.table_factors import LEVEL

FIGURE_LABEL = "Accuracy of every task and bits per second, by modality and experiment"
FIGURE_CAPTION = (
    "Each panel is a task, each line a modality in one experiment; names stand in the first block. Bars: 95% bootstrap"
    " intervals over couples of items (over utterances for bits). Where a point is missing, the line says why. Dashed:"
    " chance of pairs."
)
HOLLOW = " Hollow: the paper's values, of other data, other items and larger models; they are not paired with ours."
LIMITS = (
    "An interval of a difference covers the choice of test items that both experiments scored. It holds the training"
    " seeds, the corpora and the lengths of training fixed: two experiments that differ in the seed alone differ too.",
    "Items are the same if they have the same id, couple and texts; the sound of the items may differ. Items that one"
    " of the experiments dropped, and the rest of their couples, are left out of the difference, not of the scores.",
)


def basis(scores: pd.DataFrame, differences: pd.DataFrame) -> str:
    """One sentence about seeds and tests."""
    seeds = scores.dropna(subset=["seed"]).drop_duplicates("experiment")
    listed = ", ".join(f"{row.experiment} {row.seed:.0f}" for row in seeds.itertuples())
    tested = int((differences["paired"] == experiment_pairs.YES).sum())
    if not tested:
        return f"Training seeds: {listed}. No difference is paired."
    return (
        f"Training seeds: {listed}. Differences are paired on the items of both experiments; higher, lower and the same"
        f" are stated only if a test stays below {LEVEL:.0%} after Holm's correction for all comparisons of its metric"
        f" ({tested} in all). Brackets: 95% intervals."
    )


def body(folder: Path, experiments: Sequence[str], paper: Paper | None) -> str:
    """The body of the page, HTML.

    Args:
        folder: of the csv files of compare_tables.py.
        experiments: names, that of the configuration first.
        paper: published values, if they are a column.
    """
    scores = read_table(folder / "scores.csv", SCORE_TEXT, SCORE_NUMBERS)
    factors = read_table(folder / "factors.csv", FACTOR_TEXT, FACTOR_NUMBERS)[list(FACTOR_COLUMNS)]
    differences = read_table(folder / "differences.csv", experiment_pairs.TEXT, experiment_pairs.NUMBERS)
    settings = read_table(folder / "settings.csv", SETTING_COLUMNS, [])
    columns = [*experiments, *[PAPER] * bool(paper)]
    said = _list(compare_sections.sentences(differences))
    shown = partial(figure_compare.draw, figure_compare.read(folder / "scores.csv"))
    caption = FIGURE_CAPTION + HOLLOW * bool(paper)
    parts = [
        f'<div class="lead">{said}</div>\n' if said else "",
        f'<p class="note">{html.escape(basis(scores, differences))}</p>\n',
        inline_figure(shown, "compare", FIGURE_LABEL, caption),
    ]
    tables: list[Table | None] = [
        *compare_sections.score_tables(scores, differences, columns),
        compare_sections.system_table(differences),
        compare_sections.seed_table(scores, experiments),
        compare_sections.factor_table(factors, columns),
        compare_sections.setting_table(settings, experiments),
    ]
    for table in filter(None, tables):
        parts += [f"<h2>{html.escape(table.title)}</h2>\n", html_table(table)]
    limits = [
        *(LIMITS if len(experiments) > 1 else ()),
        *([f"Paper: {paper.source}, Tables 3 and 4."] if paper else []),
    ]
    if scores["seeds"].isna().all():
        limits.append("Every score is that of one training seed.")
    parts += ["<h2>Limits</h2>\n", _list(limits)]
    return "".join(parts)


def _list(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>\n" for line in lines)
    return f"<ul>\n{items}</ul>\n" if items else ""


def main() -> None:
    """Command line of rule compare_page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder of the comparison's csv files")
    parser.add_argument("--experiments", nargs="+", required=True, help="names, that of the configuration first")
    parser.add_argument("--paper", nargs="?", help="resources/paper.yaml, if the paper is a column")
    parser.add_argument("--output", required=True, help="the page")
    args = parser.parse_args()
    content = body(args.tables, args.experiments, read_paper(args.paper) if args.paper else None)
    columns = [*args.experiments, *["the paper"] * bool(args.paper)]
    write_text(args.output, html_page(f"Side by side: {', '.join(columns)}", content))


if __name__ == "__main__":
    run(main)
