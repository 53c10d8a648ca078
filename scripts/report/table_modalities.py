"""The paper's Table 2: vocabulary, tokens and tokens per second of each modality.

Counts are of the training split, without BOS and EOS.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.evaluation.config import Factor, parse_factors
from scripts.report.labels import display_name
from scripts.report.paper_values import Paper, read_paper
from scripts.report.render import NO_VALUE, Column, Table, format_count, format_number, write_formats
from scripts.report.result_files import read_stats, read_table, records

TEXT = ("modality", "factor", "start")
NUMBERS = ("vocab_size", "tokens", "seconds", "tokens_per_second")
COLUMNS = ("modality", "vocab_size", "tokens", "seconds", "tokens_per_second", "factor", "start")


def rows(
    tokens: Path, modalities: Sequence[str], factors: Sequence[Factor], starts: Mapping[str, str]
) -> list[dict[str, object]]:
    """One row per modality; `factor` lists the factors whose second modality it is, separated by spaces.

    `start` is what its model's training started from, empty for random weights.
    """
    table_rows = []
    for modality in modalities:
        stats = read_stats(tokens / modality / "stats.json")
        train = stats["splits"]["train"]
        names = dict.fromkeys(factor.name for factor in factors if factor.to == modality)
        table_rows.append(
            {
                "modality": modality,
                "vocab_size": stats["vocab_size"],
                "tokens": train["tokens"],
                "seconds": round(train["seconds"], 3),
                "tokens_per_second": round(train["tokens_per_second"], 4),
                "factor": " ".join(names),
                "start": starts.get(modality, ""),
            }
        )
    return table_rows


def build_table(path: str | Path, paper: Paper) -> Table:
    """The formatted table of modalities.csv, with the paper's columns."""
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
            display_name(row["modality"]),
            row["factor"] or NO_VALUE,
            format_count(row["vocab_size"]),
            format_count(paper.modality(row["modality"], "vocab_size")),
            format_count(row["tokens"]),
            format_count(paper.modality(row["modality"], "tokens")),
            format_number(row["tokens_per_second"], 2),
            format_number(paper.modality(row["modality"], "tokens_per_second"), 2),
        ]
        for row in records(data)
    ]
    notes = [
        f"Training split, {data['seconds'].max() / 3600:,.2f} h of speech; tokens without BOS and EOS."
        f" Paper: {paper.source}, Table 2, 43,000 h.",
        "Factor: the factor that separates this modality from its baseline modality.",
    ]
    names = set(data["modality"])
    started = [
        f"{display_name(row['modality'])} from {display_name(row['start']) if row['start'] in names else row['start']}"
        for row in records(data)
        if row["start"]
    ]
    if started:
        notes.append(
            f"Training started from another model's weights: {', '.join(started)}; others from random weights."
        )
    return Table("modalities", "Token streams of the modalities", columns, lines, notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=Path, required=True, help="folder with {modality}/stats.json")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--config", required=True, help='JSON: {"factors": [...]} of the config')
    parser.add_argument("--starts", nargs="*", default=[], help="MODALITY=START of models that did not start at random")
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder for modalities.{csv,md,tex,html}")
    args = parser.parse_args()
    starts = dict(pair.split("=", 1) for pair in args.starts)
    table = rows(args.tokens, args.modalities, parse_factors(args.config), starts)
    write_csv(args.output / "modalities.csv", COLUMNS, table)
    write_formats(args.output, build_table(args.output / "modalities.csv", read_paper(args.paper)))


if __name__ == "__main__":
    run(main)
