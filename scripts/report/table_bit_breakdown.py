"""Where each modality's bits go: the table of parts, per second of speech."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.names import display
from scripts.report.read import read_table, records
from scripts.report.render import NONE, Column, Table, interval, number, write_forms

TEXT = ("modality", "part", "metric")
NUMBERS = ("value", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS)
# Parts in the order they are drawn, as readers know them.
PARTS = {
    "word": "whole words",
    "initial": "word-initial",
    "internal": "word-internal",
    "final": "word-final",
    "repeated": "repeated frames",
    "between": "silence, spaces, marks",
    "repeated-between": "repeated frames of silence",
    "unplaced": "unplaced",
    "end": "end of utterance",
}


def read_bit_breakdown(folder: Path, modalities: Sequence[str]) -> pd.DataFrame:
    """COLUMNS of every modality's `<modality>.csv`, parts in the order of PARTS.

    Raises:
        ValueError: a file names a part that is not of PARTS.
    """
    found = []
    for modality in modalities:
        data = read_table(folder / f"{modality}.csv", TEXT[1:], NUMBERS).assign(modality=modality)
        strange = sorted(set(data["part"]) - set(PARTS))
        if strange:
            raise ValueError(f"{folder / modality}.csv: part {strange[0]!r} is not one of {', '.join(PARTS)}")
        order = data["part"].map(list(PARTS).index)
        found.append(data.assign(order=order).sort_values("order", kind="stable"))
    return pd.concat(found, ignore_index=True)[list(COLUMNS)]


def layout(path: str | Path) -> Table:
    """The table for readers from bit_breakdown.csv: bits and tokens per second and bits per token of every part."""
    data = read_table(path, TEXT, NUMBERS)
    cells = {(row["modality"], row["part"], row["metric"]): row for row in records(data)}
    lines = []
    for modality, part in dict.fromkeys((row["modality"], row["part"]) for row in records(data)):

        def cell(metric: str, key: tuple[str, str] = (modality, part)) -> str:
            row = cells.get((*key, metric))
            return interval(row["value"], row["ci_low"], row["ci_high"], 2) if row else NONE

        rate = cells.get((modality, part, "tokens_per_second"))
        lines.append(
            [
                *(display(modality), PARTS[part], cell("bits_per_second")),
                *(number(rate["value"], 2) if rate else NONE, cell("bits_per_token")),
            ]
        )
    columns = [
        *(Column("modality", text=True), Column("tokens that are", text=True), Column("bits per second")),
        *(Column("tokens per second"), Column("bits per token")),
    ]
    notes = [
        "Held-out speech (dev); the bits per second of a modality's parts add up to its whole. 95% intervals over"
        f" {data['n'].max():,.0f} utterances. A token of several symbols is initial or final where it holds a word's"
        " beginning or end, a whole word where it holds both. A frame is repeated where its symbol is that of the frame"
        " before it.",
    ]
    return Table("bit_breakdown", "Where the bits go", columns, lines, notes)


def main() -> None:
    """Command line of rule report_table_bit_breakdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bit-breakdown", required=True, type=Path, help="folder with {modality}.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for bit_breakdown.{csv,md,tex,html}")
    args = parser.parse_args()
    rows = [{**row, "n": int(row["n"])} for row in records(read_bit_breakdown(args.bit_breakdown, args.modalities))]
    write_csv(args.output / "bit_breakdown.csv", COLUMNS, rows)
    write_forms(args.output, layout(args.output / "bit_breakdown.csv"))


if __name__ == "__main__":
    run(main)
