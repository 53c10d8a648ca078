"""How each factor's change depends on the log-probability that decides a pair: total, per token, per second of speech.

The same models and the same items as in the table of factors; only what is compared within a pair differs. A change
that turns with the decision is a statement about lengths as much as about language.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.common.seeds import generator
from scripts.evaluation.accuracy import SCORE_NORMALIZATIONS, by_item
from scripts.evaluation.common_items import Dropped
from scripts.evaluation.rows import decided
from scripts.report.names import WAYS, display
from scripts.report.read import grouped, read_table, records
from scripts.report.render import Column, Table, interval, write_forms
from scripts.report.table_factors import change_percent, paired_interval

TEXT = ("factor", "baseline", "modality", "task", "score_normalization")
NUMBERS = ("change_percent", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS)


def rows(
    evaluation: Path,
    dropped: Dropped,
    factors: Sequence[Mapping[str, str]],
    tasks: Sequence[str],
    samples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """One row per factor's pair, task and decision, in the config's order; items that are compared, matched by id."""
    found = []
    scores: dict[tuple[str, str, str], np.ndarray] = {}
    items: dict[str, list[str]] = {}
    for task in tasks:
        for modality in dict.fromkeys(factor[side] for factor in factors for side in ("from", "to")):
            table = dropped.common_rows(evaluation / task / f"{modality}.csv")
            ids = [row["id"] for row in table]
            if items.setdefault(task, sorted(set(ids))) != sorted(set(ids)):
                raise ValueError(f"{evaluation / task / modality}.csv: holds other items than its task's other files")
            for way in SCORE_NORMALIZATIONS:
                scores[task, modality, way] = by_item(ids, decided(table, way))
    for factor in factors:
        for task in tasks:
            for way in SCORE_NORMALIZATIONS:
                base, new = (scores[task, factor[side], way] for side in ("from", "to"))
                rng = generator(seed, "report/factors", factor["name"], factor["from"], factor["to"], task)
                numbers = (change_percent(new.mean(), base.mean()), *paired_interval(base, new, samples, rng))
                place = (factor["name"], factor["from"], factor["to"], task, way)
                line = (*place, *(round(number, 6) for number in numbers), len(base))
                found.append(dict(zip(COLUMNS, line, strict=True)))
    return found


def turns(cells: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one decision shows a cost and another a gain, both with intervals that exclude zero."""
    return any(cell["ci_high"] < 0 for cell in cells) and any(cell["ci_low"] > 0 for cell in cells)


def layout(path: str | Path) -> Table:
    """The table for readers from decisions.csv: one row per factor's pair and decision."""
    data = read_table(path, TEXT, NUMBERS)
    tasks = list(dict.fromkeys(data["task"]))
    columns = [Column(name, text=True) for name in ("factor", "from → to", "decided by")]
    columns += [Column(display(task), "change in %") for task in tasks]
    lines = []
    for (factor, baseline, modality, way), group in grouped(data, *TEXT[:3], TEXT[4]).items():
        cells = {row["task"]: row for row in group}
        shown = [interval(*(cells[task][key] for key in NUMBERS[:3]), sign=True) for task in tasks]
        lines.append([factor, f"{display(baseline)} → {display(modality)}", WAYS[way], *shown])
    groups = grouped(data, *TEXT[:4])
    turning = [f"{key[0]} on {display(key[3])}" for key, cells in groups.items() if turns(cells)]
    said = f"The sign of {', '.join(turning)} turns" if turning else "No change turns its sign"
    counted = ", ".join(f"{display(row['task'])} {row['n']:,.0f}" for row in records(data.drop_duplicates("task")))
    notes = [
        "The same models and pairs as in the table of factors, decided in three ways; brackets: 95% paired bootstrap"
        f" interval over the items ({counted}). {said} with the decision, where intervals exclude 0."
    ]
    return Table("decisions", "What decides a pair", columns, lines, notes)


def main() -> None:
    """Command line of rule report_table_decisions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluation", type=Path, required=True, help="folder with {task}/{modality}.csv")
    parser.add_argument("--dropped", type=Dropped.read, required=True, help="csv of the items that are not compared")
    parser.add_argument("--config", type=json.loads, required=True, help='JSON: {"factors": [...]} of the config')
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--samples", type=int, required=True, help="bootstrap resamples")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for decisions.{csv,md,tex,html}")
    args = parser.parse_args()
    found = rows(args.evaluation, args.dropped, args.config["factors"], args.tasks, args.samples, args.seed)
    write_csv(args.output / "decisions.csv", COLUMNS, found)
    write_forms(args.output, layout(args.output / "decisions.csv"))


if __name__ == "__main__":
    run(main)
