"""Sentences that the numbers write: which factor costs what, and which scores mean little.

Every sentence is computed from the tables; an interval that holds zero is never called a cost.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from scripts.report.names import display
from scripts.report.paper import Paper
from scripts.report.read import grouped, records
from scripts.report.render import number

BASELINE = "baseline_"
LEVEL = 0.05  # of false differences in all comparisons together


def changes(rows: Sequence[Mapping[str, Any]]) -> str:
    """`costs sBLIMP 11.1% (95% interval 8.0 to 14.2); no difference shown on sWUGGY (...)`."""
    costs, gains, none = [], [], []
    for row in rows:
        task, change, low, high = display(row["task"]), row["change_percent"], row["ci_low"], row["ci_high"]
        if math.isnan(change) or math.isnan(low) or math.isnan(high):
            none.append(f"{task} (not measurable, the baseline scores 0)")
        elif low <= 0 <= high:
            bounds = f"{number(low, sign=True)} to {number(high, sign=True)}"
            none.append(f"{task} ({number(change, sign=True)}%, 95% interval {bounds})")
        elif change < 0:
            costs.append(f"{task} {number(-change)}% (95% interval {number(-high)} to {number(-low)})")
        else:
            gains.append(f"{task} {number(change)}% (95% interval {number(low)} to {number(high)})")
    said = [f"{verb} {listed(parts)}" for verb, parts in (("costs", costs), ("improves", gains)) if parts]
    return "; ".join([*said, *([f"shows no difference on {listed(none)}"] if none else [])])


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def factor_sentences(factors: pd.DataFrame, paper: Paper) -> list[str]:
    """One sentence per factor and pair of modalities."""
    sentences = []
    for (factor, baseline, modality), group in grouped(factors, "factor", "baseline", "modality").items():
        said = changes(group)
        meaning = f" ({paper.meanings[factor]})" if (factor, baseline, modality) in paper.factors else ""
        sentences.append(f"Factor {factor}{meaning}, {display(baseline)} → {display(modality)}, {said}.")
    return sentences


def largest_cost(factors: pd.DataFrame) -> str:
    """Where the greatest cost lies, among those whose interval excludes zero."""
    costs = records(factors[factors["ci_high"] < 0])
    if not costs:
        return "No factor has a cost that these items can tell from zero."
    row = min(costs, key=lambda cost: cost["change_percent"])
    return (
        f"The largest cost is that of factor {row['factor']} on {display(row['task'])}:"
        f" {number(-row['change_percent'])}%."
    )


def corrected(factors: pd.DataFrame) -> str:
    """Which differences stand at 5% when their number is corrected for."""
    stand = [
        f"{row['factor']} ({display(row['baseline'])} → {display(row['modality'])}) on {display(row['task'])}"
        for row in records(factors[factors["p_holm"] < LEVEL])
    ]
    said = listed(stand) if stand else "none"
    return (
        f"At a level of {LEVEL:.0%} over all {len(factors)} comparisons together (paired randomisation tests, Holm's"
        f" correction), these differences stand: {said}."
    )


def beside_paper(factors: pd.DataFrame, paper: Paper) -> str | None:
    """In how many cells the paper's change has our sign, and lies in our interval."""
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
        f" where our interval excludes zero, {same} point the same way as the paper's."
    )


def weak_scores(results: pd.DataFrame) -> list[str]:
    """Which scores are not above chance, and which are not above the best score without a language model."""
    scores = results[results["metric"] == "accuracy"]
    baselines = grouped(results[results["metric"].str.startswith(BASELINE)], "modality", "task")
    best = {place: max(row["value"] for row in rows) for place, rows in baselines.items()}
    chance = {
        place: row["value"]
        for place, (row,) in grouped(results[results["metric"] == "chance"], "modality", "task").items()
    }
    at_chance, no_gain = [], []
    for row in records(scores):
        place = f"{display(row['modality'])} on {display(row['task'])}"
        if row["ci_low"] <= chance[row["modality"], row["task"]]:
            at_chance.append(place)
        elif row["ci_low"] <= best.get((row["modality"], row["task"]), 0.0):
            no_gain.append(place)
    sentences = []
    if at_chance:
        levels = ", ".join(f"{number(100 * level, 0)}%" for level in sorted(set(chance.values())))
        sentences.append(f"Not shown to be above chance ({levels}): {listed(at_chance)}.")
    if no_gain:
        sentences.append(
            "Above chance, but not shown to beat the best baseline without a language model, so that these scores may"
            f" rest on local statistics alone: {listed(no_gain)}."
        )
    if len(scores) and not sentences:
        sentences.append("Every score is above chance and above the best baseline without a language model.")
    return sentences
