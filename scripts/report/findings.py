"""Sentences on the summary page, generated from the tables: the cost of each factor, and scores near chance.

Every fact is stated once, with its interval, and only if a test shows it that is corrected by Holm's procedure for all
comparisons of its kind. Costs on different tasks are not ranked: tasks differ in their floor and in their items.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from scripts.evaluation.paired import BASELINE_AT_CHANCE, DETECTABLE_ERRORS, MARGIN, equivalence
from scripts.evaluation.significance import holm
from scripts.report.labels import display_name
from scripts.report.paper_values import Paper
from scripts.report.render import format_number
from scripts.report.result_files import grouped, records
from scripts.report.table_factors import LEVEL, YES

BASELINE = "baseline_"
POINTS = round(100 * MARGIN)


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def changes(rows: Sequence[Mapping[str, Any]]) -> str:
    """`costs sBLIMP 11.1% (9.8 points, 95% interval 7.0 to 12.6); shows no difference on sWUGGY (...)`."""
    costs, gains, same, none, unknown = [], [], [], [], []
    for row in rows:
        task, points = display_name(row["task"]), row["change_points"]
        percent = f"{format_number(abs(row['change_percent']))}%"
        low, high = row["points_ci_low"], row["points_ci_high"]
        signed = f"({_signed(points)} points, 95% interval {_signed(low)} to {_signed(high)})"
        if row["measurable"] == BASELINE_AT_CHANCE or math.isnan(row["change_percent"]):
            unknown.append(task)
        elif row["p_holm"] < LEVEL and points < 0:
            interval = f"95% interval {format_number(-high)} to {format_number(-low)}"
            costs.append(f"{task} {percent} ({format_number(-points)} points, {interval})")
        elif row["p_holm"] < LEVEL:
            interval = f"95% interval {format_number(low)} to {format_number(high)}"
            gains.append(f"{task} {percent} ({format_number(points)} points, {interval})")
        elif row["p_equivalence_holm"] < LEVEL:
            same.append(f"{task} {signed}")
        else:
            limit = f"could show {format_number(row['smallest_effect'])} points or more"
            none.append(f"{task} {signed[:-1]}; {limit})")
    clauses = [
        *([f"costs {listed(costs)}"] if costs else []),
        *([f"improves {listed(gains)}"] if gains else []),
        *([f"leaves {listed(same)} the same within {POINTS} points"] if same else []),
        *([f"shows no difference on {listed(none)}"] if none else []),
        *([f"is not measurable on {listed(unknown)}, where {BASELINE_AT_CHANCE}"] if unknown else []),
    ]
    return "; ".join(clauses)


def _signed(number: float) -> str:
    return format_number(number, sign=True)


def factor_sentences(factors: pd.DataFrame, paper: Paper) -> list[str]:
    """One sentence per factor and pair of modalities."""
    sentences = []
    for (factor, baseline, modality), group in grouped(factors, "factor", "baseline", "modality").items():
        meaning = f" ({paper.meanings[factor]})" if (factor, baseline, modality) in paper.factors else ""
        sentences.append(
            f"Factor {factor}{meaning}, {display_name(baseline)} → {display_name(modality)}, {changes(group)}."
        )
    return sentences


def tests_of_factors(factors: pd.DataFrame, seed: int) -> str:
    """What the sentences about factors rest on: seed, items, tests, correction, and how many cells are measurable."""
    items = ", ".join(
        f"{display_name(row['task'])} {row['n']:,.0f}" for row in records(factors.drop_duplicates("task"))
    )
    measurable = int((factors["measurable"] == YES).sum())
    return (
        f"Models of seed {seed} are compared on the same items ({items}). A cost, a gain or a sameness is stated only"
        f" if its test (paired randomisation of couples; two one-sided tests against {POINTS} points) stays below"
        f" {LEVEL:.0%} after Holm's correction for {len(factors)} comparisons. {measurable} of {len(factors)} cells are"
        " measurable: their baseline is above chance, and an effect of 10 points would be found with power 80%."
    )


def beside_paper(factors: pd.DataFrame, paper: Paper) -> list[str]:
    """The number of cells in which our change has the paper's sign, and in which it is shown to be as large."""
    signs, p_values = [], []
    for row in records(factors):
        theirs = paper.change(row["factor"], row["baseline"], row["modality"], row["task"])
        if theirs is not None and row["p_holm"] < LEVEL:
            signs.append(row["change_points"] * theirs > 0)
        before, after = (paper.accuracy(row[side], row["task"]) for side in ("baseline", "modality"))
        if before is not None and after is not None and row["measurable"] != BASELINE_AT_CHANCE:
            difference, error = row["change_points"] - (after - before), row["smallest_effect"] / DETECTABLE_ERRORS
            p_values.append(equivalence(difference, error, 100 * MARGIN))
    sentences = []
    if signs:
        sentences.append(f"Of our {len(signs)} changes that are shown, {sum(signs)} have the sign of the paper's.")
    if p_values:
        same = sum(p_value < LEVEL for p_value in holm(p_values))
        sentences.append(
            f"Our change in points is shown to be the same as the paper's within {POINTS} points in {same} of"
            f" {len(p_values)} cells with a baseline above chance (two one-sided tests, Holm's correction)."
        )
    return sentences


def _shown_above(results: pd.DataFrame, difference: Mapping[tuple[str, str], float], metric: str) -> set[Any]:
    """Keys (modality, task) whose difference is positive and whose p-value, corrected over all of them, is small."""
    p_values = {(row["modality"], row["task"]): row["value"] for row in records(results[results["metric"] == metric])}
    corrected = dict(zip(p_values, holm(list(p_values.values())), strict=True))
    return {key for key, p_value in corrected.items() if p_value < LEVEL and difference[key] > 0}


def weak_scores(results: pd.DataFrame) -> list[str]:
    """The scores that are not shown to be above chance, and those not shown to be above the best baseline."""
    cells = {(row["modality"], row["task"], row["metric"]): row for row in records(results)}
    scores = {key[:2]: row for key, row in cells.items() if key[2] == "accuracy"}
    if not scores:
        return []
    chance = {key: cells[*key, "chance"]["value"] for key in scores}
    over_chance = {key: row["value"] - chance[key] for key, row in scores.items()}
    over_baseline = {key[:2]: row["value"] for key, row in cells.items() if key[2] == "over_best_baseline"}
    above_chance = _shown_above(results, over_chance, "p_above_chance")
    above_baseline = _shown_above(results, over_baseline, "p_over_best_baseline")
    at_chance = [_score(key, scores[key]) for key in scores if key not in above_chance]
    no_gain = [
        _score(key, scores[key], cells[*key, "over_best_baseline"])
        for key in scores
        if key in above_chance and key in over_baseline and key not in above_baseline
    ]
    tests = "(paired randomisation of couples, Holm's correction for {} scores)"
    sentences = []
    if at_chance:
        levels = ", ".join(f"{format_number(100 * level, 0)}%" for level in sorted(set(chance.values())))
        sentences.append(f"Not shown to be above chance, {levels} {tests.format(len(scores))}: {listed(at_chance)}.")
    if no_gain:
        sentences.append(
            "Above chance, but not shown to exceed the best baseline without a trained language model, so local"
            f" statistics may explain these scores {tests.format(len(over_baseline))}: {listed(no_gain)}."
        )
    return sentences or [
        "Every score is shown to be above chance and above the best baseline without a trained language model"
        f" {tests.format(len(scores))}."
    ]


def _score(key: tuple[str, str], row: Mapping[str, Any], over: Mapping[str, Any] | None = None) -> str:
    """`Phone-Raw on sBLIMP (51.0%, 95% interval 47.0 to 55.0, 400 items)`; with `over`, points over the baseline."""
    modality, task = map(display_name, key)
    if over:
        value, low, high = (_signed(over[name]) for name in ("value", "ci_low", "ci_high"))
        return f"{modality} on {task} ({value} points, 95% interval {low} to {high}, {over['n']:,.0f} items)"
    value, low, high = (format_number(100 * row[name]) for name in ("value", "ci_low", "ci_high"))
    return f"{modality} on {task} ({value}%, 95% interval {low} to {high}, {row['n']:,.0f} items)"
