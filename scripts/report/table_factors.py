"""The paper's Table 3: the change of accuracy by each factor, relative to its baseline modality, and in points.

Both modalities of a factor are scored on the same items, so the interval is that of a paired bootstrap: each resample
draws the same couples of items for both, and their common difficulty cancels out. The p-value is that of a paired
randomisation test, which flips the difference of a couple as a whole; Holm's procedure corrects it for all rows of the
same metric (scripts/evaluation/{paired,significance}.py).

Metrics: `accuracy`, the paper's; `couples`, the share of mirrored couples that are right together
(scripts/evaluation/couples.py), where a task has such; `perplexity` of the continuations.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.evaluation.accuracy import by_item
from scripts.evaluation.couples import decide_couples
from scripts.evaluation.paired import (
    BASELINE_AT_CHANCE,
    EFFECT,
    MARGIN,
    Paired,
    changes,
    difference_test,
    equivalence_test,
    not_measurable,
    smallest_effect,
)
from scripts.evaluation.score_rows import Row, can_decide, couple_column, num_sides, number_column
from scripts.evaluation.significance import holm
from scripts.report import perplexity_columns
from scripts.report.comparison import Comparison, add_comparison_arguments, comparison_of
from scripts.report.labels import NORMALIZATION_LABELS, display_name
from scripts.report.paper_values import Paper, read_paper
from scripts.report.perplexity_columns import NOT_MEASURABLE
from scripts.report.render import NO_VALUE, Column, Table, format_interval, format_number, format_p_value, write_formats
from scripts.report.result_files import grouped, item_scores, read_table, records

TEXT = ("factor", "baseline", "modality", "task", "metric", "measurable")
KEY = TEXT[:5]
CHANGE = ("change_percent", "ci_low", "ci_high")
POINTS = ("change_points", "points_ci_low", "points_ci_high")
ABOVE_CHANCE = ("above_chance", "above_chance_ci_low", "above_chance_ci_high")
TESTS = ("p_value", "p_holm", "p_equivalence", "p_equivalence_holm")
NUMBERS = (*CHANGE, "n", *POINTS, *ABOVE_CHANCE, "smallest_effect", *TESTS)
COLUMNS = (*KEY, *CHANGE, "n", "p_value", "p_holm", *POINTS, *ABOVE_CHANCE, "smallest_effect", "measurable", *TESTS[2:])
LEVEL = 0.05  # of the tests
YES = "yes"  # in column `measurable`; else the reason why not


def check_scores(base_path: Path, new_path: Path, comparison: Comparison) -> None:
    """Check that two files hold numbers for the same compared items.

    Raises:
        ValueError: names the file and line, or says which items differ.
    """
    base, new = (item_scores(path, comparison.dropped) for path in (base_path, new_path))
    if not base.index.equals(new.index):
        unmatched = sorted(set(base.index) ^ set(new.index))
        raise ValueError(
            f"{new_path}: holds other items than {base_path} ({len(unmatched)} are in one file only,"
            f" e.g. {unmatched[0]!r}); a change is measured on the same items"
        )


def pairs_by_metric(
    base_path: Path, new_path: Path, comparison: Comparison, score_normalization: str
) -> Iterator[tuple[str, Paired]]:
    """The two modalities of a factor on the common items of a task, by metric: `accuracy`, then `couples` if any.

    Raises:
        ValueError: the files hold different items, or something else than scores.
    """
    check_scores(base_path, new_path, comparison)
    base, new = (comparison.dropped.common_rows(path) for path in (base_path, new_path))
    ids, couples = [row["id"] for row in base], couple_column(base)
    other = item_means(new)
    scores = np.array([other[name] for name in ids])  # an item's mean, in each of its rows
    yield "accuracy", Paired.of_items(ids, couples, number_column(base, "correct"), scores, 1 / num_sides(base))
    before, after = (dict(zip(*decided_couples(rows, score_normalization), strict=True)) for rows in (base, new))
    if names := sorted(before.keys() & after.keys()):
        old, changed = (np.array([side[name] for name in names]) for side in (before, after))
        yield "couples", Paired.of_items(names, names, old, changed, np.full(len(names), 0.5))


def decided_couples(rows: Sequence[Row], score_normalization: str) -> tuple[list[str], np.ndarray]:
    """Couples by this normalization; those of an external system, which gives no tokens or seconds, by the total."""
    return decide_couples(rows, score_normalization if can_decide(rows, score_normalization) else "total")


def item_means(rows: Sequence[Row]) -> dict[str, float]:
    """Score of each item, the mean over its rows."""
    ids = [row["id"] for row in rows]
    return dict(zip(sorted(set(ids)), by_item(ids, number_column(rows, "correct")).tolist(), strict=True))


def compare(paired: Paired, samples: int, seed: int, rng: np.random.Generator) -> dict[str, Any]:
    """The columns of a row behind KEY, without the corrected p-values.

    `above_chance` is blank if the baseline is not above chance. `p_equivalence` is 1 if the baseline is less than the
    margin above chance: a model that lost everything would then be called the same.
    """
    found, smallest = changes(paired, samples, seed), smallest_effect(paired)
    reason = not_measurable(found.base, smallest)
    equivalent = equivalence_test(paired) if found.base.value >= 100 * MARGIN else 1.0
    values = (
        *(*found.percent, paired.n, *found.points),
        *(found.above_chance if found.base.ci_low > 0 else [np.nan] * 3),
        *(smallest, difference_test(paired, rng), equivalent),
    )
    names = (*CHANGE, "n", *POINTS, *ABOVE_CHANCE, "smallest_effect", "p_value", "p_equivalence")
    numbers = {name: "" if np.isnan(value) else round(value, 6) for name, value in zip(names, values, strict=True)}
    return {**numbers, "measurable": reason or YES}


def rows(comparison: Comparison, score_normalization: str) -> list[dict[str, Any]]:
    """The rows of every factor, task and metric, in the order of the configuration, over the common items."""
    table_rows: list[dict[str, Any]] = []
    for factor in comparison.factors:
        for task in comparison.tasks:
            base, new = (comparison.evaluation / task / f"{name}.csv" for name in factor.pair)
            for metric, paired in pairs_by_metric(base, new, comparison, score_normalization):
                numbers = compare(paired, comparison.samples, comparison.seed, comparison.rng(factor, task))
                key = (*factor.key, task, metric)
                table_rows.append({**dict(zip(KEY, key, strict=True)), **numbers})
    for metric in dict.fromkeys(row["metric"] for row in table_rows):
        of_metric = [row for row in table_rows if row["metric"] == metric]
        for plain, corrected in (("p_value", "p_holm"), ("p_equivalence", "p_equivalence_holm")):
            for row, p_value in zip(of_metric, holm([row[plain] for row in of_metric]), strict=True):
                row[corrected] = round(p_value, 6)
    return [{name: row[name] for name in COLUMNS} for row in table_rows]


def continuation_rows(folder: Path, spoken: Path | None, summary: Path, comparison: Comparison) -> list[dict[str, Any]]:
    """One row per factor: the change of the mean perplexity of continuations over prompts; it has no p-value."""
    table_rows = []
    reasons = perplexity_columns.measured(summary)
    found = perplexity_columns.factor_rows(
        folder, spoken, comparison.factors, reasons, comparison.samples, comparison.seed
    )
    for *key, numbers, why in found:
        values = ["" if np.isnan(value) else round(value, 6) for value in numbers]
        filled = dict(zip((*KEY, *CHANGE, "n"), (*key, perplexity_columns.METRIC, *values), strict=True))
        table_rows.append({**dict.fromkeys(COLUMNS, ""), **filled, "measurable": why})
    return table_rows


def accuracies(factors: pd.DataFrame) -> pd.DataFrame:
    """The rows of factors.csv about accuracy, where a negative change is a cost; a perplexity has the opposite sign."""
    return factors[factors["metric"] == "accuracy"].reset_index(drop=True)


def finding(row: Mapping[str, Any]) -> str:
    """What the corrected tests of a row show, in words."""
    if row["measurable"] == BASELINE_AT_CHANCE:
        return f"not measurable: {BASELINE_AT_CHANCE}"
    direction = "lower" if row["change_points"] < 0 else "higher"
    same = f"the same within {100 * MARGIN:.0f} points"
    differs, equivalent = row["p_holm"] < LEVEL, row["p_equivalence_holm"] < LEVEL
    if differs:
        return f"{direction}, by less than {100 * MARGIN:.0f} points" if equivalent else direction
    return same if equivalent else "no difference shown"


def _line(row: Mapping[str, Any], couples: Mapping[str, Any] | None, paper: Paper) -> list[str]:
    """A formatted row; `couples` is the row of the same cell with metric `couples`, if there is one."""
    key = tuple(row[name] for name in KEY[:4])
    left, left_low, left_high = (100 * row[name] for name in ABOVE_CHANCE)
    tested = row["metric"] == "accuracy"
    hidden = not tested and row["measurable"] != YES
    line = [
        key[0],
        f"{display_name(key[1])} → {display_name(key[2])}",
        display_name(key[3]),
        NO_VALUE if hidden else format_interval(*(row[name] for name in CHANGE), sign=True),
        format_number(paper.change(*key), sign=True),
        format_interval(*(row[name] for name in POINTS), sign=True),
        format_interval(*(couples[name] for name in POINTS), sign=True) if couples else NO_VALUE,
        format_interval(left, left_low, left_high, 0),
        format_number(row["smallest_effect"]),
        format_p_value(row["p_holm"]),
    ]
    if tested:
        return [*line, row["measurable"], finding(row)]
    return [*line, *((NOT_MEASURABLE, NO_VALUE) if hidden else (row["measurable"], NO_VALUE))]


def build_table(path: str | Path, paper: Paper) -> Table:
    """The formatted table of factors.csv: one row per factor, pair of modalities and task."""
    data: pd.DataFrame = read_table(path, TEXT, NUMBERS)
    couples = {tuple(row[name] for name in KEY[:4]): row for row in records(data[data["metric"] == "couples"])}
    columns = [
        *(Column(name, text=True) for name in ("factor", "from → to", "task")),
        Column("ours", "change in %"),
        Column("paper", "change in %"),
        Column("pairs", "change in points"),
        Column("couples", "change in points"),
        Column("left above chance, %"),
        Column("smallest detectable effect, points"),
        Column("p"),
        *(Column(name, text=True) for name in ("measurable", "shown")),
    ]
    shown = data[data["metric"] != "couples"]
    lines = [
        _line(row, couples.get(tuple(row[name] for name in KEY[:4])), paper)
        for rows_of_pair in grouped(shown, *KEY[:3]).values()
        for row in rows_of_pair
    ]
    tested = accuracies(data)
    counted = ", ".join(
        f"{display_name(row['task'])} {row['n']:,.0f}" for row in records(tested.drop_duplicates("task"))
    )
    notes = [
        "Change in % of the baseline's accuracy, 100 (new / baseline − 1), as in the paper; in points,"
        " 100 (new − baseline), of pairs and of mirrored couples that are right together. Left above chance: (new −"
        " chance) / (baseline − chance). Brackets: 95% paired bootstrap interval over couples of items; it covers the"
        f" choice of items and holds the training seed fixed. Items: {counted}.",
        "Smallest detectable effect: 2.8 standard errors of the paired difference, found with power 80% in a two-sided"
        f" test at 5%. Measurable: the baseline is above chance, and an effect of {100 * EFFECT:.0f} points is"
        " detectable. p: paired randomisation test of couples; shown: that test, and two one-sided tests against"
        f" {100 * MARGIN:.0f} points, each corrected by Holm's procedure for {len(tested)} comparisons.",
        f"Paper: {paper.source}, Table 3.",
    ]
    if perplexity_columns.TASK in set(data["task"]):
        notes.insert(2, "Continuation: change of the mean perplexity, over prompts; here an increase is the cost.")
    if perplexity_columns.SPOKEN in set(data["task"]):
        notes.insert(3, "Continuation-Spoken: the same, from text that went through the same voice and recogniser.")
    reasons = dict.fromkeys(data[(data["metric"] == perplexity_columns.METRIC)]["measurable"])
    notes[:0] = [f"Continuations: {NOT_MEASURABLE}, since {reason}." for reason in reasons if reason != YES]
    letters = dict.fromkeys(data["factor"])
    known = [f"{letter}: {paper.meanings[letter]}" for letter in letters if letter in paper.meanings]
    return Table(
        "factors", "What each factor costs", columns, lines, [*notes, *("; ".join(known) + "." for _ in known[:1])]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_comparison_arguments(parser)
    parser.add_argument("--continuations", type=Path, nargs="?", help="folder with judged <modality>.csv, if any")
    parser.add_argument("--continuation-summary", type=Path, nargs="?", help="their summary.csv")
    parser.add_argument("--spoken-text", type=Path, nargs="?", help="the same of text that was spoken, if any")
    parser.add_argument("--score-normalization", required=True, choices=list(NORMALIZATION_LABELS))
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder for factors.{csv,md,tex,html}")
    args = parser.parse_args()
    comparison = comparison_of(args)
    table_rows = rows(comparison, args.score_normalization)
    if args.continuations:
        table_rows += continuation_rows(args.continuations, args.spoken_text, args.continuation_summary, comparison)
    write_csv(args.output / "factors.csv", COLUMNS, table_rows)
    write_formats(args.output, build_table(args.output / "factors.csv", read_paper(args.paper)))


if __name__ == "__main__":
    run(main)
