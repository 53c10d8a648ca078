"""Bit breakdown: the bits per second of speech of each modality, divided by part."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.labels import display_name
from scripts.report.render import NO_VALUE, Column, Table, format_interval, format_number, write_formats
from scripts.report.result_files import read_table, records

TEXT = ("modality", "part", "metric")
NUMBERS = ("value", "ci_low", "ci_high", "n")
COLUMNS = (*TEXT, *NUMBERS)
# Parts with their labels, in the order of table and figure.
PARTS = {
    "word": "whole words",
    "initial": "word-initial",
    "internal": "word-internal",
    "final": "word-final",
    "repeated": "repeated frames",
    "between": "silence, spaces, punctuation",
    "repeated-between": "repeated frames of silence",
    "unplaced": "unplaced",
    "end": "end of utterance",
}


def read_bit_breakdown(folder: Path, modalities: Sequence[str]) -> pd.DataFrame:
    """COLUMNS of every modality's `<modality>.csv`, parts in the order of PARTS.

    Raises:
        ValueError: a file holds a part that is not in PARTS.
    """
    tables = []
    for modality in modalities:
        data = read_table(folder / f"{modality}.csv", TEXT[1:], NUMBERS).assign(modality=modality)
        unknown = sorted(set(data["part"]) - set(PARTS))
        if unknown:
            raise ValueError(f"{folder / modality}.csv: part {unknown[0]!r} is not one of {', '.join(PARTS)}")
        order = data["part"].map(list(PARTS).index)
        tables.append(data.assign(order=order).sort_values("order", kind="stable"))
    return pd.concat(tables, ignore_index=True)[list(COLUMNS)]


def build_table(path: str | Path) -> Table:
    """The formatted table of bit_breakdown.csv: bits and tokens per second and bits per token of every part."""
    data = read_table(path, TEXT, NUMBERS)
    cells = {(row["modality"], row["part"], row["metric"]): row for row in records(data)}
    lines = []
    for modality, part in dict.fromkeys((row["modality"], row["part"]) for row in records(data)):

        def cell(metric: str, key: tuple[str, str] = (modality, part)) -> str:
            row = cells.get((*key, metric))
            return format_interval(row["value"], row["ci_low"], row["ci_high"], 2) if row else NO_VALUE

        rate = cells.get((modality, part, "tokens_per_second"))
        lines.append(
            [
                *(display_name(modality), PARTS[part], cell("bits_per_second")),
                *(format_number(rate["value"], 2) if rate else NO_VALUE, cell("bits_per_token")),
            ]
        )
    columns = [
        *(Column("modality", text=True), Column("part", text=True), Column("bits per second")),
        *(Column("tokens per second"), Column("bits per token")),
    ]
    notes = [
        "Held-out speech (dev). The bits per second of the parts add up to those of the modality. 95% intervals over"
        f" {data['n'].max():,.0f} utterances. A token of several symbols is word-initial or word-final if it holds the"
        " beginning or the end of a word, and a whole word if it holds both. A frame is repeated if its symbol equals"
        " that of the frame before it.",
    ]
    return Table("bit_breakdown", "Bit breakdown", columns, lines, notes)


def main() -> None:
    """Command line of rule report_table_bit_breakdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bit-breakdown", required=True, type=Path, help="folder with {modality}.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for bit_breakdown.{csv,md,tex,html}")
    args = parser.parse_args()
    rows = [{**row, "n": int(row["n"])} for row in records(read_bit_breakdown(args.bit_breakdown, args.modalities))]
    write_csv(args.output / "bit_breakdown.csv", COLUMNS, rows)
    write_formats(args.output, build_table(args.output / "bit_breakdown.csv"))


if __name__ == "__main__":
    run(main)
