"""Scores and factor changes of several experiments, a row per experiment and cell; the paper may be one of them.

The rows are the union: where an experiment has no value, `blank` says why.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from scripts.report import table_bit_factors, table_factors, table_seeds
from scripts.report.experiments import DEV, METRICS, Experiment, in_order
from scripts.report.paper_values import Paper
from scripts.report.result_files import read_table, records

PAPER = "paper"  # the name of its column
SCORE_TEXT = ("modality", "task", "metric", "experiment", "blank")
SCORE_NUMBERS = ("value", "ci_low", "ci_high", "n", "seed", "seeds", "seeds_mean", "seeds_sd")
SCORE_COLUMNS = (*SCORE_TEXT[:4], *SCORE_NUMBERS, "blank")
FACTOR_TEXT = ("factor", "baseline", "modality", "task", "metric", "experiment", "measurable", "blank")
CHANGE = ("change_percent", "ci_low", "ci_high")
DIFFERENCE = ("difference", "difference_ci_low", "difference_ci_high")  # points; bits per second of `dev`
FACTOR_NUMBERS = (*CHANGE, *DIFFERENCE, "n", "p_holm")
FACTOR_COLUMNS = (*FACTOR_TEXT[:6], *FACTOR_NUMBERS, *FACTOR_TEXT[6:])
NO_MODALITY, NO_TASK, NO_SCORE, NO_FACTOR = "no such modality", "no such task", "no such score", "no such factor"
NOT_PUBLISHED = "not published"

Row = dict[str, Any]


def score_rows(experiments: Sequence[Experiment], paper: Paper | None) -> list[Row]:
    """SCORE_COLUMNS of every cell that an experiment has, modality by modality in the order of the experiments."""
    found = {each.name: _scores(each) for each in experiments}
    cells = {key for scores in found.values() for key in scores}
    keys = [
        (system, task, metric)
        for system in in_order(experiments, "systems")
        for task in sorted(in_order(experiments, "tasks"), key=lambda task: task == DEV)
        for metric in METRICS
        if (system, task, metric) in cells
    ]
    rows = []
    for key in keys:
        for each in experiments:
            numbers = found[each.name].get(key) or {"blank": _why_no_score(each, *key)}
            rows.append(_row(SCORE_COLUMNS, SCORE_TEXT[:3], key, each.name, numbers))
        if paper:
            system, task, metric = key
            value = paper.accuracy(system, task) if metric == "accuracy" else None
            numbers = {"blank": NOT_PUBLISHED} if value is None else {"value": value / 100}
            rows.append(_row(SCORE_COLUMNS, SCORE_TEXT[:3], key, PAPER, numbers))
    return rows


def factor_rows(experiments: Sequence[Experiment], paper: Paper | None) -> list[Row]:
    """FACTOR_COLUMNS of every change that an experiment has, as its own report states it."""
    found = {each.name: _changes(each) for each in experiments}
    rows = []
    for key in dict.fromkeys(key for changes in found.values() for key in changes):
        for each in experiments:
            numbers = found[each.name].get(key) or {"blank": _why_no_change(each, *key[:4])}
            rows.append(_row(FACTOR_COLUMNS, FACTOR_TEXT[:5], key, each.name, numbers))
        if paper:
            value = paper.change(*key[:4]) if key[4] != "couples" else None
            numbers = {"blank": NOT_PUBLISHED} if value is None else {"change_percent": value}
            rows.append(_row(FACTOR_COLUMNS, FACTOR_TEXT[:5], key, PAPER, numbers))
    return rows


def _row(columns: Sequence[str], names: Sequence[str], key: Sequence[str], experiment: str, numbers: Row) -> Row:
    place = dict(zip(names, key, strict=True))
    return {**dict.fromkeys(columns, ""), **place, "experiment": experiment, **_filled(numbers)}


def _filled(numbers: Row) -> Row:
    """Numbers of a csv: blank if NaN, whole if they count something, else rounded to six digits."""
    filled = {}
    for name, value in numbers.items():
        if isinstance(value, float):
            whole = name in ("n", "seed", "seeds")
            value = "" if np.isnan(value) else int(value) if whole else round(value, 6)
        filled[name] = value
    return filled


def _scores(experiment: Experiment) -> dict[tuple[str, str, str], Row]:
    """The summary's cells, each with the seed and, of accuracy and couples, the spread over further seeds."""
    spread = {}
    if experiment.config["seeds"] and experiment.corpus_tasks:
        seeds = read_table(experiment.table("seeds"), table_seeds.TEXT, table_seeds.NUMBERS)
        for row in records(seeds[seeds["metric"].isin(table_seeds.SCORES)]):
            numbers = {"seeds": row["seeds"], "seeds_mean": row["mean"] / 100, "seeds_sd": row["sd"] / 100}
            spread[row["modality"], row["task"], row["metric"].removesuffix("_percent")] = numbers
    found = {}
    for row in records(experiment.summary):
        key = (row["modality"], row["task"], row["metric"])
        seed = {} if row["modality"] in experiment.external_systems else {"seed": experiment.seed}
        found[key] = {name: row[name] for name in SCORE_NUMBERS[:4]} | seed | spread.get(key, {})
    return found


def _changes(experiment: Experiment) -> dict[tuple[str, ...], Row]:
    """The changes of factors.csv and bit_factors.csv by FACTOR_TEXT[:5]."""
    found = {}
    if experiment.config["factors"] and experiment.corpus_tasks:
        for row in records(read_table(experiment.table("factors"), table_factors.TEXT, table_factors.NUMBERS)):
            numbers = {name: row[name] for name in (*table_factors.CHANGE, "n", "p_holm")}
            numbers |= {"measurable": row["measurable"]}
            numbers |= dict(zip(DIFFERENCE, (row[name] for name in table_factors.POINTS), strict=True))
            found[tuple(row[name] for name in FACTOR_TEXT[:5])] = numbers
    if experiment.config["factors"]:
        in_bits = read_table(experiment.table("bit_factors"), table_bit_factors.KEY, table_bit_factors.NUMBERS)
        for row in records(in_bits):
            numbers = {name: row[name] for name in FACTOR_NUMBERS}
            found[*(row[name] for name in table_bit_factors.KEY), DEV, "bits_per_second"] = numbers
    return found


def _why_no_score(experiment: Experiment, system: str, task: str, metric: str) -> str:
    if system not in experiment.systems:
        return NO_MODALITY
    return NO_TASK if task not in experiment.tasks else NO_SCORE


def _why_no_change(experiment: Experiment, factor: str, baseline: str, modality: str, task: str) -> str:
    lines = experiment.config["factors"]
    if not any((line["name"], line["from"], line["to"]) == (factor, baseline, modality) for line in lines):
        missing = {baseline, modality} - set(experiment.systems)
        return NO_MODALITY if missing else NO_FACTOR
    return NO_SCORE if task in experiment.tasks else NO_TASK
