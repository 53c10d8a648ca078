"""Perplexity of the continuations, as columns of the tables of results and factors.

As in the paper, a cell is the mean over all continuations that have words. Median and standard deviation are given as
well, since one continuation can dominate a mean.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common.seeds import generator
from scripts.evaluation.config import Factor
from scripts.report.labels import display_name
from scripts.report.paper_values import Paper
from scripts.report.render import NO_VALUE, Column, format_interval, format_number
from scripts.report.result_files import read_table, records

TASK, REAL = "continuation", "continuation-real"
SPOKEN, SPOKEN_REAL = "continuation-spoken", "continuation-spoken-real"  # text after voice and recogniser
TASKS = (TASK, REAL, SPOKEN, SPOKEN_REAL)
METRIC = "perplexity"
TEXT = ("modality", "task", "metric")
MEASURABLE, YES = "measurable", "yes"  # a column of continuation/summary.csv, and its value where all is well
NUMBERS = ("value", "ci_low", "ci_high", "n")
COLUMNS = [
    Column("ours", "continuation, perplexity"),
    Column("sd", "continuation, perplexity"),
    Column("median", "continuation, perplexity"),
    Column("paper, mean / sd", "continuation, perplexity"),
    Column("real speech, median", "continuation, perplexity"),
]
NOT_MEASURABLE = "not measurable"
NOTE = (
    "Continuations: perplexity under one judge, lower is more fluent; mean with a 95% bootstrap interval over prompts,"
    " standard deviation and median over the continuations that have words. Real speech: the real continuations after"
    " the same encoding, synthesis and transcription. Values depend on the judge: compare within a column only."
)


def rows(path: str | Path, modalities: Sequence[str]) -> pd.DataFrame:
    """The rows of continuation/summary.csv of these modalities, in their order; blank numbers are NaN.

    Raises:
        ValueError: names the file, if a row appears twice or a modality in it has no perplexity.
    """
    data = read_table(path, (*TEXT, MEASURABLE), NUMBERS)[[*TEXT, *NUMBERS, MEASURABLE]]
    data = data[data["modality"].isin(modalities) & data["task"].isin(TASKS)]
    repeated = data[data.duplicated(list(TEXT))]
    if len(repeated):
        raise ValueError(f"{path}: {' '.join(repeated.iloc[0][list(TEXT)])} appears twice")
    present = set(data[list(TEXT)].itertuples(index=False, name=None))
    for modality in dict.fromkeys(data["modality"]):
        if (modality, TASK, METRIC) not in present:
            raise ValueError(f"{path}: no row for {modality}, {TASK}, {METRIC}")
    position = {name: i for i, name in enumerate(modalities)}
    return data.loc[data["modality"].map(position).sort_values(kind="stable").index].reset_index(drop=True)


def cells(modality: str, lines: Mapping[tuple[str, str, str], Mapping[str, Any]], paper: Paper) -> list[str]:
    """COLUMNS of one modality, given the rows by (modality, task, metric)."""

    def value(task: str, metric: str) -> str:
        line = lines.get((modality, task, metric))
        return format_number(line["value"]) if line and line[MEASURABLE] == YES else NO_VALUE

    line = lines.get((modality, TASK, METRIC))
    mean, sd = paper.accuracy(modality, TASK), paper.accuracy(modality, f"{TASK}_sd")
    return [
        mean_cell(line),
        value(TASK, f"{METRIC}_sd"),
        value(TASK, f"{METRIC}_median"),
        NO_VALUE if mean is None else f"{format_number(mean)} / {format_number(sd)}",
        value(REAL, f"{METRIC}_median"),
    ]


def mean_cell(line: Mapping[str, Any] | None) -> str:
    """The mean with its interval, NOT_MEASURABLE, or a dash without a row."""
    if line is None:
        return NO_VALUE
    measured = line[MEASURABLE] == YES
    return format_interval(line["value"], line["ci_low"], line["ci_high"]) if measured else NOT_MEASURABLE


def failures(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence for each reason why perplexities of continuations are not measurable, with the modalities."""
    modalities: dict[str, list[str]] = {}
    for line in lines:
        if line["task"] in (TASK, SPOKEN) and line["metric"] == METRIC and line[MEASURABLE] != YES:
            name = display_name(line["modality"]) + (", spoken" if line["task"] == SPOKEN else "")
            modalities.setdefault(line[MEASURABLE], []).append(name)
    return [
        f"Continuations of {'; '.join(names)} are not measurable: {reason}. Their numbers stand in the csv file alone."
        for reason, names in modalities.items()
    ]


def measured(path: str | Path) -> dict[tuple[str, str], str]:
    """(modality, task) -> YES or why its perplexity is no result, from continuation/summary.csv."""
    lines = records(read_table(path, (*TEXT, MEASURABLE), []))
    return {(line["modality"], line["task"]): line[MEASURABLE] for line in lines if line["metric"] == METRIC}


def by_prompt(path: Path) -> pd.Series:
    """Mean perplexity per prompt, float64 indexed by prompt; continuations without words are left out."""
    table = read_table(path, ["prompt", "status"], [METRIC])
    if table.empty:
        raise ValueError(f"{path}: holds no continuations")
    return table[table["status"] == "ok"].groupby("prompt", sort=True)[METRIC].mean()


def change(base_path: Path, new_path: Path, samples: int, rng: np.random.Generator) -> tuple[float, ...]:
    """(change in %, low, high, prompts) of the mean perplexity over the prompts of both files, NaN if none."""
    base, new = by_prompt(base_path).align(by_prompt(new_path), join="inner")
    if base.empty:
        return float("nan"), float("nan"), float("nan"), 0
    drawn = rng.integers(0, len(base), (samples, len(base)))  # [samples, prompts]
    ratios = new.to_numpy()[drawn].mean(axis=1) / base.to_numpy()[drawn].mean(axis=1)
    low, high = 100 * (np.percentile(ratios, [2.5, 97.5]) - 1)
    return 100 * (new.mean() / base.mean() - 1), float(low), float(high), len(base)


def factor_rows(
    folder: Path,
    spoken: Path | None,
    factors: Sequence[Factor],
    reasons: Mapping[tuple[str, str], str],
    samples: int,
    seed: int,
) -> list[tuple[str, str, str, str, tuple[float, ...], str]]:
    """(factor, from, to, task, change, measurable) of each factor whose two modalities have a csv in the folder.

    `reasons` is the result of `measured`; a change is measurable if both perplexities are.

    Where `spoken` has a file of the factor's first modality, a second row measures the change from there: from text
    that was synthesised and transcribed too, so that errors of these two steps are no part of the change.
    """
    changes = []
    for factor in factors:
        new = folder / f"{factor.to}.csv"
        for task, source in ((TASK, folder), (SPOKEN, spoken)):
            base = source / f"{factor.from_}.csv" if source else new
            if source and base.exists() and new.exists():
                rng = generator(seed, "report/factors", *factor.key, task)
                either = [reasons[factor.from_, task], reasons[factor.to, TASK]]
                why = next((reason for reason in either if reason != YES), YES)
                changes.append((*factor.key, task, change(base, new, samples, rng), why))
    return changes
