"""The paper's Table 2: what each modality looks like to a language model.

Counts are of the training split, without BOS and EOS.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report.names import display
from scripts.report.paper import Paper, read_paper
from scripts.report.read import read_stats, read_table, records
from scripts.report.render import NONE, Column, Table, count, number, write_forms

TEXT = ("modality", "factor")
NUMBERS = ("vocab_size", "tokens", "seconds", "tokens_per_second")
COLUMNS = ("modality", "vocab_size", "tokens", "seconds", "tokens_per_second", "factor")


def rows(tokens: Path, modalities: Sequence[str], factors: Sequence[Mapping[str, str]]) -> list[dict[str, object]]:
    """One row per modality; `factor` names the factors that lead to it, separated by spaces."""
    found = []
    for modality in modalities:
        stats = read_stats(tokens / modality / "stats.json")
        train = stats["splits"]["train"]
        leads = dict.fromkeys(factor["name"] for factor in factors if factor["to"] == modality)
        found.append(
            {
                "modality": modality,
                "vocab_size": stats["vocab_size"],
                "tokens": train["tokens"],
                "seconds": round(train["seconds"], 3),
                "tokens_per_second": round(train["tokens_per_second"], 4),
                "factor": " ".join(leads),
            }
        )
    return found


def layout(path: str | Path, paper: Paper) -> Table:
    """The table for readers from modalities.csv, the paper's columns beside ours."""
    data: pd.DataFrame = read_table(path, TEXT, NUMBERS)
    columns = [
        Column("modality", text=True),
        Column("factor", text=True),
        Column("ours", "vocabulary"),
        Column("paper", "vocabulary"),
        Column("ours", "tokens"),
        Column("paper", "tokens"),
        Column("ours", "tokens per second"),
        Column("paper", "tokens per second"),
    ]
    lines = [
        [
            display(row["modality"]),
            row["factor"] or NONE,
            count(row["vocab_size"]),
            count(paper.modality(row["modality"], "vocab_size")),
            count(row["tokens"]),
            count(paper.modality(row["modality"], "tokens")),
            number(row["tokens_per_second"], 2),
            number(paper.modality(row["modality"], "tokens_per_second"), 2),
        ]
        for row in records(data)
    ]
    notes = [
        f"Training split, {data['seconds'].max() / 3600:,.2f} h of speech; tokens without BOS and EOS."
        f" Paper: {paper.source}, Table 2, 43,000 h.",
        "Factor: what changes when a model moves to this modality from its baseline.",
    ]
    return Table("modalities", "The modalities as token streams", columns, lines, notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=Path, required=True, help="folder with {modality}/stats.json")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--config", type=json.loads, required=True, help='JSON: {"factors": [...]} of the config')
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder for modalities.{csv,md,tex,html}")
    args = parser.parse_args()
    write_csv(args.output / "modalities.csv", COLUMNS, rows(args.tokens, args.modalities, args.config["factors"]))
    write_forms(args.output, layout(args.output / "modalities.csv", read_paper(args.paper)))


if __name__ == "__main__":
    run(main)
