"""Sentences on the summary page, generated from the tables: the cost of each factor, and scores near chance.

A change whose interval includes zero is never called a cost.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from scripts.report.labels import display_name
from scripts.report.paper_values import Paper
from scripts.report.render import format_number
from scripts.report.result_files import grouped, records

BASELINE = "baseline_"
LEVEL = 0.05  # family-wise error rate over all comparisons


def changes(rows: Sequence[Mapping[str, Any]]) -> str:
    """`costs sBLIMP 11.1% (95% interval 8.0 to 14.2); no difference shown on sWUGGY (...)`."""
    costs, gains, none = [], [], []
    for row in rows:
        task, change, low, high = display_name(row["task"]), row["change_percent"], row["ci_low"], row["ci_high"]
        if math.isnan(change) or math.isnan(low) or math.isnan(high):
            none.append(f"{task} (not measurable, the baseline scores 0)")
        elif low <= 0 <= high:
            bounds = f"{format_number(low, sign=True)} to {format_number(high, sign=True)}"
            none.append(f"{task} ({format_number(change, sign=True)}%, 95% interval {bounds})")
        elif change < 0:
            costs.append(
                f"{task} {format_number(-change)}% (95% interval {format_number(-high)} to {format_number(-low)})"
            )
        else:
            gains.append(
                f"{task} {format_number(change)}% (95% interval {format_number(low)} to {format_number(high)})"
            )
    clauses = [f"{verb} {listed(parts)}" for verb, parts in (("costs", costs), ("improves", gains)) if parts]
    return "; ".join([*clauses, *([f"shows no difference on {listed(none)}"] if none else [])])


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def factor_sentences(factors: pd.DataFrame, paper: Paper) -> list[str]:
    """One sentence per factor and pair of modalities."""
    sentences = []
    for (factor, baseline, modality), group in grouped(factors, "factor", "baseline", "modality").items():
        meaning = f" ({paper.meanings[factor]})" if (factor, baseline, modality) in paper.factors else ""
        sentences.append(
            f"Factor {factor}{meaning}, {display_name(baseline)} → {display_name(modality)}, {changes(group)}."
        )
    return sentences


def largest_cost(factors: pd.DataFrame) -> str:
    """The largest cost among those whose interval excludes zero."""
    costs = records(factors[factors["ci_high"] < 0])
    if not costs:
        return "No factor has a cost whose interval excludes zero."
    row = min(costs, key=lambda cost: cost["change_percent"])
    return (
        f"The largest cost is that of factor {row['factor']} on {display_name(row['task'])}:"
        f" {format_number(-row['change_percent'])}%."
    )


def corrected(factors: pd.DataFrame) -> str:
    """The differences that are significant at LEVEL after Holm's correction."""
    significant = [
        f"{row['factor']} ({display_name(row['baseline'])} → {display_name(row['modality'])})"
        f" on {display_name(row['task'])}"
        for row in records(factors[factors["p_holm"] < LEVEL])
    ]
    return (
        f"Significant at a family-wise level of {LEVEL:.0%} over all {len(factors)} comparisons (paired randomisation"
        f" tests, Holm's correction): {listed(significant) if significant else 'none'}."
    )


def beside_paper(factors: pd.DataFrame, paper: Paper) -> str | None:
    """The number of cells in which the paper's change has our sign, and in which it lies in our interval."""
    pairs = []
    for row in records(factors):
        theirs = paper.change(row["factor"], row["baseline"], row["modality"], row["task"])
        if theirs is not None:
            pairs.append((row, theirs))
    if not pairs:
        return None
    inside = sum(row["ci_low"] <= theirs <= row["ci_high"] for row, theirs in pairs)
    clear = [(row, theirs) for row, theirs in pairs if row["ci_low"] > 0 or row["ci_high"] < 0]
    same = sum(row["change_percent"] * theirs > 0 for row, theirs in clear)
    return (
        f"The paper's change lies inside our interval in {inside} of {len(pairs)} cells; of the {len(clear)} cells"
        f" where our interval excludes zero, {same} have the same sign as the paper's."
    )


def weak_scores(results: pd.DataFrame) -> list[str]:
    """The scores that are not above chance, and those that are not above the best baseline."""
    scores = results[results["metric"] == "accuracy"]
    baselines = grouped(results[results["metric"].str.startswith(BASELINE)], "modality", "task")
    best = {key: max(row["value"] for row in rows) for key, rows in baselines.items()}
    chance = {
        key: row["value"] for key, (row,) in grouped(results[results["metric"] == "chance"], "modality", "task").items()
    }
    at_chance, no_gain = [], []
    for row in records(scores):
        label = f"{display_name(row['modality'])} on {display_name(row['task'])}"
        if row["ci_low"] <= chance[row["modality"], row["task"]]:
            at_chance.append(label)
        elif row["ci_low"] <= best.get((row["modality"], row["task"]), 0.0):
            no_gain.append(label)
    sentences = []
    if at_chance:
        levels = ", ".join(f"{format_number(100 * level, 0)}%" for level in sorted(set(chance.values())))
        sentences.append(f"Not shown to be above chance ({levels}): {listed(at_chance)}.")
    if no_gain:
        sentences.append(
            "Above chance, but not shown to exceed the best baseline without a language model, so local statistics may"
            f" explain these scores: {listed(no_gain)}."
        )
    if len(scores) and not sentences:
        sentences.append("Every score is above chance and above the best baseline without a language model.")
    return sentences
