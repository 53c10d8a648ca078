"""The paper's Table 4: the scores of each modality's model, with the best baseline of each score.

The csv holds the rows of evaluation/summary.csv in the order of the configuration; the formatted tables have one row
per modality. Column `measurable` is that of continuation/summary.csv, blank in all other rows.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.evaluation.accuracy import Interval
from scripts.evaluation.summary import best_baseline
from scripts.report import perplexity_columns
from scripts.report.labels import NORMALIZATION_LABELS, column_words, display_name
from scripts.report.paper_values import Paper, read_paper
from scripts.report.render import NO_VALUE, Column, Table, format_interval, format_number, write_formats
from scripts.report.result_files import read_table, records

TEXT = ("modality", "task", "metric")
NUMBERS = ("value", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS, perplexity_columns.MEASURABLE)
BASELINE = "baseline_"
OVER_BASELINE = "over_best_baseline"  # in points
BITS = ("bits_per_second", "bits_per_word", "bits_per_token")


def ordered(
    path: str | Path,
    modalities: Sequence[str],
    tasks: Sequence[str],
    external_systems: Sequence[str] = (),
    text_tasks: Sequence[str] = (),
) -> pd.DataFrame:
    """The rows of the summary by modality and task, in the order of the configuration, `text_tasks` last.

    External systems (`external_systems`, a part of `modalities`) may lack tasks and have no bits; only modalities that
    read text have `text_tasks`.

    Raises:
        ValueError: names the file, if a cell appears twice or is blank, the accuracy or bits of a modality are
            missing, or an accuracy is not between 0 and 1.
    """
    data = read_table(path, TEXT, NUMBERS)
    data = data[data["modality"].isin(modalities) & data["task"].isin([*tasks, *text_tasks, "dev"])]
    repeated = data[data.duplicated(list(TEXT))]
    if len(repeated):
        raise ValueError(f"{path}: {' '.join(repeated.iloc[0][list(TEXT)])} appears twice")
    blank = data[data["value"].isna() | data["n"].isna()]
    if len(blank):
        raise ValueError(f"{path}: {' '.join(blank.iloc[0][list(TEXT)])} has no value or no n")
    required = [(task, "accuracy") for task in tasks] + [("dev", "bits_per_second")]
    present = set(data[list(TEXT)].itertuples(index=False, name=None))
    for modality in (name for name in modalities if name not in external_systems):
        for task, metric in required:
            if (modality, task, metric) not in present:
                raise ValueError(f"{path}: no row for {modality}, {task}, {metric}")
    shares = data[(data["task"] != "dev") & (data["metric"] != OVER_BASELINE)]
    wrong = shares[~shares["value"].between(0, 1)]
    if len(wrong):
        row = wrong.iloc[0]
        raise ValueError(f"{path}: {row['modality']} {row['task']} {row['metric']} is {row['value']}, expected 0 to 1")
    modality_position = {name: i for i, name in enumerate(modalities)}
    task_position = {name: i for i, name in enumerate([*tasks, *text_tasks, "dev"])}
    keys = pd.DataFrame({"m": data["modality"].map(modality_position), "t": data["task"].map(task_position)})
    return data.loc[keys.sort_values(["m", "t"], kind="stable").index].reset_index(drop=True)


def build_table(path: str | Path, paper: Paper, score_normalization: str) -> Table:
    """The formatted table of results.csv: per task our score, the paper's and the best baseline; then bits."""
    data = read_table(path, (*TEXT, perplexity_columns.MEASURABLE), NUMBERS)
    cells = {(row["modality"], row["task"], row["metric"]): row for row in records(data)}
    modalities = list(dict.fromkeys(data["modality"]))
    tasks = [task for task in dict.fromkeys(data["task"]) if task not in ("dev", *perplexity_columns.TASKS)]
    continued = perplexity_columns.TASK in set(data["task"])
    baselines = [m for m in dict.fromkeys(data["metric"]) if m.startswith(BASELINE)]
    with_couples = set(data[data["metric"] == "couples"]["task"])
    bits = [metric for metric in BITS if (data["metric"] == metric).any()]
    baseline_names = ", ".join(metric.removeprefix(BASELINE) for metric in baselines)

    columns = [Column("modality", text=True)]
    for task in tasks:
        columns.append(Column("ours", f"{display_name(task)}, %"))
        columns += [Column("couples", f"{display_name(task)}, %")] * (task in with_couples)
        columns.append(Column("paper", f"{display_name(task)}, %"))
        columns += [Column("best baseline", f"{display_name(task)}, %")] * bool(baselines)
        columns += [Column("above it, points", f"{display_name(task)}, %")] * bool(baselines)
    columns += [*perplexity_columns.COLUMNS] * continued
    columns += [Column(column_words(metric), "dev set") for metric in bits]

    def percent(modality: str, task: str, metric: str, scale: int = 100, *, sign: bool = False) -> str:
        row = cells.get((modality, task, metric))
        return format_interval(*(scale * row[key] for key in NUMBERS[:3]), sign=sign) if row else NO_VALUE

    def best(modality: str, task: str) -> str:
        found = {
            metric: Interval(*(row[key] for key in NUMBERS))
            for metric in baselines
            if (row := cells.get((modality, task, metric)))
        }
        name = best_baseline(found, cells[modality, task, "chance"]["value"]) if found else None
        return f"{name} {percent(modality, task, BASELINE + name)}" if name else NO_VALUE

    lines = []
    for modality in modalities:
        line = [display_name(modality)]
        for task in tasks:
            line.append(percent(modality, task, "accuracy"))
            line += [percent(modality, task, "couples")] * (task in with_couples)
            line.append(format_number(paper.accuracy(modality, task)))
            if baselines:
                line += [best(modality, task), percent(modality, task, OVER_BASELINE, 1, sign=True)]
        if continued:
            line += perplexity_columns.cells(modality, cells, paper)
        for metric in bits:
            row = cells.get((modality, "dev", metric))
            line.append(format_number(row["value"], 2) if row else NO_VALUE)
        lines.append(line)

    notes = []
    if tasks:
        counts = {row["task"]: int(row["n"]) for row in cells.values() if row["metric"] == "accuracy"}
        items = ", ".join(f"{display_name(task)} {counts[task]:,}" for task in tasks)
        notes.append(
            "Accuracy in %: the share of pairs whose positive side has the higher"
            f" {NORMALIZATION_LABELS[score_normalization]}; 50 is chance (1 in k for an item with k sides)."
            f" Brackets: 95% bootstrap interval over couples of items ({items} items), for one training seed."
            f" Paper: {paper.source}, Table 4, with other data and larger models."
        )
    if with_couples:
        notes.append(
            "Couples: two mirrored pairs are right together if the sum of their score differences, positive minus"
            " negative side, is above 0, so that preferences for a word or an ending cancel out; 50 is chance."
        )
    if baselines:
        notes.append(
            "Best baseline: the highest score among the baselines without a trained language model"
            f" ({baseline_names}); results.csv holds all of them, with their intervals. An untrained model is scored on"
            " fewer items and counts only where it is above chance. Above it: the difference on the same items."
        )
    notes += [*perplexity_columns.failures(cells.values()), perplexity_columns.NOTE] if continued else []
    notes.append(
        "Bits per second and per word can be compared across vocabularies; bits per token, the dev loss, cannot."
        " A modality whose tokens also represent durations or acoustic detail has more to predict, so its bits are"
        " higher. The intervals are in results.csv."
    )
    title = "Scores of the language models" if tasks else "Dev losses of the language models"
    return Table("results", title, columns, lines, notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--summary", required=True, help="evaluation/summary.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="*", default=[])
    parser.add_argument("--text-tasks", nargs="*", default=[], help="tasks of the text modalities only")
    parser.add_argument("--external-systems", nargs="*", default=[], help="external systems among the modalities")
    parser.add_argument("--continuation", nargs="?", help="continuation/summary.csv, if there are continuations")
    parser.add_argument("--score-normalization", required=True, choices=list(NORMALIZATION_LABELS))
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.{csv,md,tex,html}")
    args = parser.parse_args()
    data = ordered(args.summary, args.modalities, args.tasks, args.external_systems, args.text_tasks).assign(
        measurable=""
    )
    if args.continuation:
        data = pd.concat([data, perplexity_columns.rows(args.continuation, args.modalities)], ignore_index=True)
    rows = [{**row, "n": int(row["n"])} for row in records(data.astype(object).where(data.notna(), ""))]
    write_csv(args.output / "results.csv", COLUMNS, rows)
    write_formats(
        args.output, build_table(args.output / "results.csv", read_paper(args.paper), args.score_normalization)
    )


if __name__ == "__main__":
    run(main)
