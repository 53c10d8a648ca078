"""Crossed factors: what each changes before and after the others, their interaction, their mean over orders.

The rows of evaluation/crossing.csv; the readable forms have a row per task, metric and quantity.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv
from scripts.evaluation.crossing import COLUMNS
from scripts.report.labels import display_name
from scripts.report.render import Column, Table, format_interval, write_formats
from scripts.report.result_files import read_table, records

TEXT = ("crossing", "task", "metric", "quantity", "factor", "given", "modality", "at_chance")
NUMBERS = ("value", "ci_low", "ci_high", "n", "seeds")
METRIC_LABELS = {"accuracy": "pairs", "couples": "couples", "bits_per_second": "bits per second"}


def quantity_words(row: Mapping[str, Any]) -> str:
    """What a row holds, in words: `B after C`, `B x C after A`, `B, mean over orders`."""
    after = "" if row["given"] in ("", "none") else f" after {row['given'].replace('+', ' and ')}"
    match row["quantity"]:
        case "cell":
            return f"{row['given']}: {display_name(row['modality'])}"
        case "change":
            return f"{row['factor']}{after or ' first'}"
        case "interaction":
            return f"interaction {row['factor']}{after}"
        case "shapley":
            return f"{row['factor']}, mean over orders"
        case "share":
            return f"{row['factor']}, mean over orders, % of the whole"
    return "the whole"


def at_chance_words(names: str) -> str:
    """`Phone-Repeat, Speech-HuBERT` of the modalities that are listed."""
    return ", ".join(display_name(name) for name in names.split(", ") if name)


def build_table(path: str | Path) -> Table:
    """The formatted table of crossing.csv."""
    data = read_table(path, TEXT, NUMBERS)
    columns = [Column(name, text=True) for name in ("crossing", "task", "measure", "quantity")]
    columns += [Column("value"), Column("not above chance", text=True)]
    rows = [
        [
            row["crossing"],
            display_name(row["task"]),
            METRIC_LABELS[row["metric"]],
            quantity_words(row),
            format_interval(*(row[name] for name in NUMBERS[:3]), sign=row["quantity"] not in ("cell", "share")),
            at_chance_words(row["at_chance"]),
        ]
        for row in records(data)
    ]
    seeds = int(data["seeds"].max()) if len(data) else 1
    notes = [
        "Changes in points of pairs or mirrored couples that are right, or in bits per second of dev. A change after"
        " another factor is what it adds where that one is there already; the interaction is the difference between a"
        " factor's change after the other and before it, and 0 if the two add up. Mean over orders: the Shapley value;"
        " the means of all factors add up to the whole. Their share is blank where the whole is not shown to differ"
        " from 0.",
        f"Brackets: 95% bootstrap interval over couples of items (utterances of bits), {_trained(seeds)}; all"
        " modalities are resampled alike.",
        "Not above chance: modalities of the row whose interval reaches chance. A loss that ends there may be larger"
        " than what is seen, and an interaction may be that of the floor.",
    ]
    return Table("crossing", "Crossed factors", columns, rows, notes)


def _trained(seeds: int) -> str:
    return "for one training seed" if seeds == 1 else f"and over {seeds} training seeds"


def main() -> None:
    """Command line of rule report_table_crossing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crossing", type=Path, required=True, help="evaluation/crossing.csv")
    parser.add_argument("--output", type=Path, required=True, help="folder for crossing.{csv,md,tex,html}")
    args = parser.parse_args()
    read_table(args.crossing, TEXT, NUMBERS)  # a damaged file is named before anything is written
    write_csv(args.output / "crossing.csv", COLUMNS, read_csv(args.crossing))
    write_formats(args.output, build_table(args.output / "crossing.csv"))


if __name__ == "__main__":
    run(main)
