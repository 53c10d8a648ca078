"""The paper's Table 4: what each modality's model scores, with what a score means without a model beside it.

The csv is the evaluation's summary in the config's order; the tables for readers hold one row per modality.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report import continuation
from scripts.report.names import WAYS, display, spaced
from scripts.report.paper import Paper, read_paper
from scripts.report.read import read_table, records
from scripts.report.render import NONE, Column, Table, interval, number, write_forms

TEXT = ("modality", "task", "metric")
NUMBERS = ("value", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS)
BASELINE = "baseline_"
BITS = ("bits_per_second", "bits_per_word", "bits_per_token")


def ordered(
    path: str | Path,
    modalities: Sequence[str],
    tasks: Sequence[str],
    external_systems: Sequence[str] = (),
    text_tasks: Sequence[str] = (),
) -> pd.DataFrame:
    """The summary's rows by modality, task and metric, in the config's order, `text_tasks` after the others.

    External systems (`external_systems`, among the modalities) may lack tasks and have no bits; modalities that do not
    read text lack tasks of text alone.

    Raises:
        ValueError: naming the file, if a cell stands twice or is blank, the accuracy or bits of a modality are
            missing, or an accuracy is not a share between 0 and 1.
    """
    data = read_table(path, TEXT, NUMBERS)
    data = data[data["modality"].isin(modalities) & data["task"].isin([*tasks, *text_tasks, "dev"])]
    twice = data[data.duplicated(list(TEXT))]
    if len(twice):
        raise ValueError(f"{path}: {' '.join(twice.iloc[0][list(TEXT)])} stands twice")
    blank = data[data["value"].isna() | data["n"].isna()]
    if len(blank):
        raise ValueError(f"{path}: {' '.join(blank.iloc[0][list(TEXT)])} holds no value or no n")
    wanted = [(task, "accuracy") for task in tasks] + [("dev", "bits_per_second")]
    present = set(data[list(TEXT)].itertuples(index=False, name=None))
    for modality in (name for name in modalities if name not in external_systems):
        for task, metric in wanted:
            if (modality, task, metric) not in present:
                raise ValueError(f"{path}: no row for {modality}, {task}, {metric}")
    shares = data[data["task"] != "dev"]
    wrong = shares[~shares["value"].between(0, 1)]
    if len(wrong):
        row = wrong.iloc[0]
        raise ValueError(f"{path}: {row['modality']} {row['task']} {row['metric']} is {row['value']}, expected 0 to 1")
    modality_at = {name: i for i, name in enumerate(modalities)}
    task_at = {name: i for i, name in enumerate([*tasks, *text_tasks, "dev"])}
    keys = pd.DataFrame({"m": data["modality"].map(modality_at), "t": data["task"].map(task_at)})
    return data.loc[keys.sort_values(["m", "t"], kind="stable").index].reset_index(drop=True)


def layout(path: str | Path, paper: Paper, score_normalization: str) -> Table:
    """The table for readers from results.csv: per task ours, the paper's, the baselines; then bits."""
    data = read_table(path, TEXT, NUMBERS)
    cells = {(row["modality"], row["task"], row["metric"]): row for row in records(data)}
    modalities = list(dict.fromkeys(data["modality"]))
    tasks = [task for task in dict.fromkeys(data["task"]) if task not in ("dev", continuation.TASK, continuation.REAL)]
    continued = continuation.TASK in set(data["task"])
    baselines = [m for m in dict.fromkeys(data["metric"]) if m.startswith(BASELINE)]
    bits = [metric for metric in BITS if (data["metric"] == metric).any()]
    beside = ", ".join(metric.removeprefix(BASELINE) for metric in baselines)

    columns = [Column("modality", text=True)]
    for task in tasks:
        columns.append(Column("ours", f"{display(task)}, %"))
        columns.append(Column("paper", f"{display(task)}, %"))
        columns += [Column("best baseline", f"{display(task)}, %")] * bool(baselines)
    columns += [*continuation.COLUMNS] * continued
    columns += [Column(spaced(metric), "dev set") for metric in bits]

    def best(modality: str, task: str) -> str:
        found = [cells[modality, task, metric] for metric in baselines if (modality, task, metric) in cells]
        if not found:
            return NONE
        row = max(found, key=lambda row: row["value"])
        return f"{row['metric'].removeprefix(BASELINE)} {interval(*(100 * row[key] for key in NUMBERS[:3]))}"

    lines = []
    for modality in modalities:
        line = [display(modality)]
        for task in tasks:
            row = cells.get((modality, task, "accuracy"))
            line.append(interval(*(100 * row[key] for key in NUMBERS[:3])) if row else NONE)
            line.append(number(paper.accuracy(modality, task)))
            if baselines:
                line.append(best(modality, task))
        if continued:
            line += continuation.cells(modality, cells, paper)
        for metric in bits:
            found = cells.get((modality, "dev", metric))
            line.append(number(found["value"], 2) if found else NONE)
        lines.append(line)

    notes = []
    if tasks:
        counts = {row["task"]: int(row["n"]) for row in cells.values() if row["metric"] == "accuracy"}
        items = ", ".join(f"{display(task)} {counts[task]:,}" for task in tasks)
        notes.append(
            "Accuracy in %: how often the right side of a pair gets the higher"
            f" {WAYS[score_normalization]}; 50 is chance (1 in k where an item is a choice among k)."
            f" Brackets: 95% bootstrap interval over the items ({items})."
            f" Paper: {paper.source}, Table 4, other data and larger models."
        )
    if baselines:
        notes.append(
            "Best baseline: the highest score of those that decide the same pairs without a language model"
            f" ({beside}); all of them, with their intervals, are in results.csv."
        )
    notes += [continuation.NOTE] * continued
    notes.append(
        "Bits per second and per word compare across vocabularies; bits per token is the dev loss and does not."
        " A modality that also spells out durations or sound has more to predict, so its bits are higher by nature."
        " Their intervals are in results.csv."
    )
    title = "Scores of the language models" if tasks else "Dev losses of the language models"
    return Table("results", title, columns, lines, notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--summary", required=True, help="evaluation/summary.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--tasks", nargs="*", default=[])
    parser.add_argument("--text-tasks", nargs="*", default=[], help="tasks that only modalities of text have")
    parser.add_argument(
        "--external-systems", nargs="*", default=[], help="those of the modalities that are others' systems"
    )
    parser.add_argument("--continuation", nargs="?", help="continuation/summary.csv, if there are continuations")
    parser.add_argument("--score-normalization", required=True, choices=list(WAYS))
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder for results.{csv,md,tex,html}")
    args = parser.parse_args()
    data = ordered(args.summary, args.modalities, args.tasks, args.external_systems, args.text_tasks)
    if args.continuation:
        data = pd.concat([data, continuation.rows(args.continuation, args.modalities)], ignore_index=True)
    rows = [{**row, "n": int(row["n"])} for row in records(data.astype(object).where(data.notna(), ""))]
    write_csv(args.output / "results.csv", COLUMNS, rows)
    write_forms(args.output, layout(args.output / "results.csv", read_paper(args.paper), args.score_normalization))


if __name__ == "__main__":
    run(main)
