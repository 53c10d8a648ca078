"""Parts of the page of `snakemake compare`: sentences about differences, and tables with a column per experiment."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from scripts.report.experiment_pairs import YES
from scripts.report.experiment_scores import CHANGE, DIFFERENCE, PAPER
from scripts.report.experiments import DEV
from scripts.report.findings import POINTS, listed
from scripts.report.headline import domain
from scripts.report.labels import display_name
from scripts.report.render import NO_VALUE, Column, Table, format_interval, format_number, format_p_value
from scripts.report.result_files import grouped, records
from scripts.report.table_factors import LEVEL
from scripts.report.table_factors import YES as MEASURABLE

LONGEST = 90  # letters of a setting's value
METRIC_TITLES = {
    "accuracy": "{task}: pairs right, %",
    "couples": "{task}: mirrored couples right, %",
    "bits_per_second": "Bits per second of {task}",
}
COUNTED = {"accuracy": "items", "couples": "couples", "bits_per_second": "utterances"}
Row = Mapping[str, Any]


def sentences(differences: pd.DataFrame) -> list[str]:
    """A sentence per pair of experiments, and per task: where the corrected tests of accuracy and bits show what."""
    chosen = differences[differences["metric"] != "couples"]
    found = grouped(chosen, "baseline_experiment", "experiment", "task")
    return [_sentence(base, other, task, rows) for (base, other, task), rows in found.items()]


def _sentence(base: str, other: str, task: str, rows: Sequence[Row]) -> str:
    reasons = list(dict.fromkeys(row["paired"] for row in rows if row["paired"] != YES))
    paired = [row for row in rows if row["paired"] == YES]
    unit, what = ("bits per second", "utterances") if task == DEV else ("points", "items")
    digits = 2 if task == DEV else 1
    found: dict[str, list[Row]] = {}
    for row in paired:
        found.setdefault(_finding(row), []).append(row)
    clauses = []
    for finding, shown in found.items():
        values = sorted(row["difference"] for row in shown)
        low, high = (format_number(values[at], digits, sign=True) for at in (0, -1))
        size = f" ({low if low == high else f'{low} to {high}'} {unit})"
        clauses.append(f"{finding} {listed([_name(row, base, other) for row in shown])}{size}")
    clauses += reasons
    counts = sorted({f"{row['n']:,.0f}" for row in paired})
    basis = f" ({' or '.join(counts)} {what} of both)" if counts else ""
    subject = f"Other systems of {base} against its models" if base == other else f"{other} against {base}"
    return f"{subject}, {'bits' if task == DEV else domain(task)}{basis}: {'; '.join(clauses)}."


def _finding(row: Row) -> str:
    """What the corrected tests show of a paired row; bits have no test of equivalence."""
    if row["p_holm"] < LEVEL:
        return "higher for" if row["difference"] > 0 else "lower for"
    return f"the same within {POINTS} points for" if row["p_equivalence_holm"] < LEVEL else "no difference shown for"


def _name(row: Row, base: str, other: str) -> str:
    name = display_name(row["modality"])
    return f"{name} than {display_name(row['baseline'])}" if base == other else name


def score_tables(scores: pd.DataFrame, differences: pd.DataFrame, experiments: Sequence[str]) -> Iterator[Table]:
    """A table per task and metric: a row per modality, a column per experiment, then the paired differences."""
    first, *others = [name for name in experiments if name != PAPER]
    for task, metric in dict.fromkeys(zip(scores["task"], scores["metric"], strict=True)):
        part = scores[(scores["task"] == task) & (scores["metric"] == metric)]
        shown = [name for name in experiments if name != PAPER or metric == "accuracy"]
        own = differences[(differences["task"] == task) & (differences["metric"] == metric)]
        pairs = {(row["experiment"], row["modality"]): row for row in records(own) if row["experiment"] != first}
        scale, digits, unit = (1, 2, "bits per second") if task == DEV else (100, 1, "points")
        counted = COUNTED[metric]
        columns = [Column("modality", text=True), *(Column(name, "scores") for name in shown)]
        columns += [
            Column(name, f"{other} − {first}") for other in others for name in (f"difference, {unit}", counted, "p")
        ]
        lines = []
        for (modality,), rows in grouped(part, "modality").items():
            cells = {row["experiment"]: row for row in rows}
            line = [display_name(modality), *(_score(cells[name], scale, digits) for name in shown)]
            for other in others:
                line += _difference(pairs.get((other, modality)), digits)
            lines.append(line)
        title = METRIC_TITLES[metric].format(task=display_name(task))
        yield Table(f"compare-{task}-{metric}", title, columns, lines)


def _score(row: Row, scale: int, digits: int) -> str:
    if row["blank"]:
        return f"{NO_VALUE} [{row['blank']}]"
    value, low, high = (scale * row[name] for name in ("value", "ci_low", "ci_high"))
    return format_interval(value, low, high, digits)


def _difference(row: Row | None, digits: int) -> list[str]:
    if row is None:
        return [f"{NO_VALUE} [not in both]", NO_VALUE, NO_VALUE]
    if row["paired"] != YES:
        return [f"{NO_VALUE} [{row['paired']}]", NO_VALUE, NO_VALUE]
    value, low, high = (row[name] for name in DIFFERENCE)
    return [format_interval(value, low, high, digits, sign=True), f"{row['n']:,.0f}", format_p_value(row["p_holm"])]


def system_table(differences: pd.DataFrame) -> Table | None:
    """Other systems against every model of the experiment that holds their scores; None if there are none."""
    rows = [row for row in records(differences) if row["experiment"] == row["baseline_experiment"]]
    if not rows:
        return None
    columns = [Column("system", text=True), Column("against", text=True), Column("task", text=True)]
    columns += [Column("of", text=True), Column("difference, points"), Column("items"), Column("p")]
    lines = [
        [display_name(row["modality"]), display_name(row["baseline"]), display_name(row["task"]),
         "couples" if row["metric"] == "couples" else "pairs", *_difference(row, 1)]
        for row in rows
    ]  # fmt: skip
    return Table("compare-systems", f"Other systems against the models of {rows[0]['experiment']}", columns, lines)


def factor_table(factors: pd.DataFrame, experiments: Sequence[str]) -> Table | None:
    """The change in % by each factor, a column per experiment; None if no experiment has factors."""
    if factors.empty:
        return None
    columns = [Column("factor", text=True), Column("from → to", text=True), Column("task", text=True)]
    columns += [Column(name, "change in %") for name in experiments]
    lines = []
    for (factor, baseline, modality, task, metric), rows in grouped(factors, *factors.columns[:5]).items():
        cells = {row["experiment"]: row for row in rows}
        of = {"accuracy": "", "couples": ", couples", "bits_per_second": ", bits", "perplexity": ""}[metric]
        lines.append(
            [
                factor,
                f"{display_name(baseline)} → {display_name(modality)}",
                f"{display_name(task)}{of}",
                *(_change(cells[name]) if name in cells else NO_VALUE for name in experiments),
            ]
        )
    notes = [
        "As each experiment's own report states it, with its intervals. A change of bits or of perplexity above 0 is a"
        " cost, a change of accuracy or couples below 0."
    ]
    return Table("compare-factors", "What each factor changes", columns, lines, notes)


def _change(row: Row) -> str:
    hidden = "not measurable" if row["metric"] == "perplexity" and row["measurable"] not in ("", MEASURABLE) else ""
    if reason := row["blank"] or hidden:
        return f"{NO_VALUE} [{reason}]"
    return format_interval(*(row[name] for name in CHANGE), sign=True)


def seed_table(scores: pd.DataFrame, experiments: Sequence[str]) -> Table | None:
    """Mean and standard deviation over training seeds, where experiments have several; None if none has."""
    if scores["seeds"].isna().all():
        return None
    columns = [Column("modality", text=True), Column("task", text=True), *(Column(name) for name in experiments)]
    lines = []
    for (modality, task), rows in grouped(scores[scores["metric"] == "accuracy"], "modality", "task").items():
        cells = {row["experiment"]: row for row in rows}
        lines.append([display_name(modality), display_name(task), *(_spread(cells[name]) for name in experiments)])
    note = "Mean accuracy in % ± standard deviation over training seeds [their number], from each report's seeds.csv."
    return Table("compare-seeds", "Accuracy over training seeds", columns, lines, [note])


def _spread(row: Row) -> str:
    if row["seeds"] != row["seeds"]:
        return f"{NO_VALUE} [{row['blank'] or 'one seed'}]"
    return f"{100 * row['seeds_mean']:.1f} ± {100 * row['seeds_sd']:.1f} [{row['seeds']:.0f} seeds]"


def setting_table(settings: pd.DataFrame, experiments: Sequence[str]) -> Table | None:
    """Keys in which the configurations differ, a column per experiment; None if they agree."""
    if settings.empty:
        return None
    columns = [Column("key", text=True), *(Column(name, text=True) for name in experiments)]
    lines = []
    for (key,), rows in grouped(settings, "key").items():
        values = {row["experiment"]: row["value"] for row in rows}
        lines.append([key, *(_cut(values[name]) for name in experiments)])
    return Table("compare-settings", "What differs between the configurations", columns, lines)


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST else value[: LONGEST - 1] + "…"
