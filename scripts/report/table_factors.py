"""The paper's Table 3: the change of accuracy by each factor, relative to its baseline modality.

Both modalities of a factor are scored on the same items, so the interval is that of a paired bootstrap: each resample
draws the same items for both, and their common difficulty cancels out. The p-value is that of a paired randomisation
test on the same items, corrected by Holm's procedure for the number of rows (scripts/evaluation/significance.py).
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.significance import holm, sign_flip
from scripts.report import perplexity_columns
from scripts.report.comparison import Comparison, add_comparison_arguments, comparison_of
from scripts.report.labels import display_name
from scripts.report.paper_values import Paper, read_paper
from scripts.report.render import NO_VALUE, Column, Table, format_interval, format_number, format_p_value, write_formats
from scripts.report.result_files import grouped, item_scores, read_table, records

TEXT = ("factor", "baseline", "modality", "task", "metric")
CHANGE = ("change_percent", "ci_low", "ci_high")
NUMBERS = (*CHANGE, "n", "p_value", "p_holm")
COLUMNS = (*TEXT, *NUMBERS)
PERPLEXITIES = (perplexity_columns.TASK, perplexity_columns.SPOKEN)  # tasks without a p-value


def change_percent(new: float, base: float) -> float:
    """100 * (new / base - 1); NaN if the baseline is 0."""
    return 100 * (new / base - 1) if base else float("nan")


def paired_interval(base: np.ndarray, new: np.ndarray, samples: int, rng: np.random.Generator) -> tuple[float, float]:
    """95% percentile interval of `change_percent(mean(new), mean(base))` over resampled items.

    Args:
        base: float64 [N], score per item in the baseline modality.
        new: float64 [N], the same items in the other modality.
        samples: resamples of the items.
        rng: draws the resamples.

    Returns:
        (low, high); NaN if a resample's baseline is 0.
    """
    changes = np.empty(samples)
    for sample in range(samples):
        drawn = rng.integers(0, len(base), len(base))
        changes[sample] = change_percent(float(new[drawn].mean()), float(base[drawn].mean()))
    low, high = np.percentile(changes, [2.5, 97.5])
    return float(low), float(high)


def compare(
    base_path: Path, new_path: Path, dropped: Dropped, samples: int, rng: np.random.Generator
) -> tuple[float, ...]:
    """(change in %, low, high, items, p-value) between two files of scored items, without the dropped ones.

    Raises:
        ValueError: the files hold different items.
    """
    base, new = item_scores(base_path, dropped), item_scores(new_path, dropped)
    if not base.index.equals(new.index):
        unmatched = sorted(set(base.index) ^ set(new.index))
        raise ValueError(
            f"{new_path}: holds other items than {base_path} ({len(unmatched)} are in one file only,"
            f" e.g. {unmatched[0]!r}); a change is measured on the same items"
        )
    change = change_percent(new.mean(), base.mean())
    interval_ = paired_interval(base.to_numpy(), new.to_numpy(), samples, rng)
    return (change, *interval_, len(base), sign_flip((new - base).to_numpy(), rng))


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """One row per factor, pair of modalities and task, in the order of the configuration, over the common items."""
    table_rows: list[dict[str, Any]] = []
    for factor in comparison.factors:
        for task in comparison.tasks:
            rng = comparison.rng(factor, task)
            base, new = (comparison.evaluation / task / f"{factor[side]}.csv" for side in ("from", "to"))
            change = compare(base, new, comparison.dropped, comparison.samples, rng)
            numbers = (round(number, 6) for number in change)
            key = (factor["name"], factor["from"], factor["to"], task, "accuracy")
            table_rows.append(dict(zip(COLUMNS[:-1], (*key, *numbers), strict=True)))
    corrected = holm([float(row["p_value"]) for row in table_rows])
    return [{**row, "p_holm": round(p, 6)} for row, p in zip(table_rows, corrected, strict=True)]


def continuation_rows(folder: Path, spoken: Path | None, comparison: Comparison) -> list[dict[str, Any]]:
    """One row per factor: the change of the mean perplexity of continuations over prompts; it has no p-value."""
    table_rows = []
    changes = perplexity_columns.factor_rows(folder, spoken, comparison.factors, comparison.samples, comparison.seed)
    for *key, numbers in changes:
        values = ["" if np.isnan(value) else round(value, 6) for value in numbers]
        row = (*key, perplexity_columns.METRIC, *values, "", "")
        table_rows.append(dict(zip(COLUMNS, row, strict=True)))
    return table_rows


def accuracies(factors: pd.DataFrame) -> pd.DataFrame:
    """The rows of factors.csv about accuracy, where a negative change is a cost; a perplexity has the opposite sign."""
    return factors[factors["metric"] == "accuracy"].reset_index(drop=True)


def build_table(path: str | Path, paper: Paper) -> Table:
    """The formatted table of factors.csv: one row per factor, and per task our change and the paper's."""
    data: pd.DataFrame = read_table(path, TEXT, NUMBERS)
    tasks = list(dict.fromkeys(data["task"]))
    columns = [Column("factor", text=True), Column("from → to", text=True)]
    for task in tasks:
        heads = ("ours", "paper") if task in PERPLEXITIES else ("ours", "paper", "p")
        columns += [Column(name, f"{display_name(task)}, change in %") for name in heads]
    lines = []
    for (factor, baseline, modality), group in grouped(data, "factor", "baseline", "modality").items():
        line = [factor, f"{display_name(baseline)} → {display_name(modality)}"]
        cells = {row["task"]: row for row in group}
        for task in tasks:
            row = cells.get(task)
            line.append(format_interval(*(row[key] for key in CHANGE), sign=True) if row else NO_VALUE)
            line.append(format_number(paper.change(factor, baseline, modality, task), sign=True))
            if task not in PERPLEXITIES:
                line.append(format_p_value(row["p_holm"]) if row else NO_VALUE)
        lines.append(line)
    counted = ", ".join(f"{display_name(row['task'])} {row['n']:,.0f}" for row in records(data.drop_duplicates("task")))
    notes = [
        "Change of accuracy in % of the baseline's accuracy, 100 (new / baseline − 1)."
        " Brackets: 95% paired bootstrap interval over the items; it covers the choice of items,"
        f" not of the seed. An interval that includes 0 shows no difference. p: paired randomisation test,"
        f" corrected by Holm's procedure for {len(accuracies(data))} comparisons. Items: {counted}.",
        f"Paper: {paper.source}, Table 3.",
    ]
    if perplexity_columns.TASK in tasks:
        notes.insert(1, "Continuation: change of the mean perplexity, over prompts; here an increase is the cost.")
    if perplexity_columns.SPOKEN in tasks:
        notes.insert(2, "Continuation-Spoken: the same, from text that went through the same voice and recogniser.")
    letters = dict.fromkeys(data["factor"])
    known = [f"{letter}: {paper.meanings[letter]}" for letter in letters if letter in paper.meanings]
    return Table(
        "factors", "What each factor costs", columns, lines, [*notes, *("; ".join(known) + "." for _ in known[:1])]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_comparison_arguments(parser)
    parser.add_argument("--continuations", type=Path, nargs="?", help="folder with judged <modality>.csv, if any")
    parser.add_argument("--spoken-text", type=Path, nargs="?", help="the same of text that was spoken, if any")
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder for factors.{csv,md,tex,html}")
    args = parser.parse_args()
    comparison = comparison_of(args)
    table_rows = rows(comparison)
    if args.continuations:
        table_rows += continuation_rows(args.continuations, args.spoken_text, comparison)
    write_csv(args.output / "factors.csv", COLUMNS, table_rows)
    write_formats(args.output, build_table(args.output / "factors.csv", read_paper(args.paper)))


if __name__ == "__main__":
    run(main)
