"""The command lines of the tables, over a folder of results."""

from pathlib import Path

from scripts.report import (
    table_bit_breakdown,
    table_bit_factors,
    table_controls,
    table_decisions,
    table_dropped,
    table_factors,
    table_groups,
    table_modalities,
    table_results,
)
from tests.report import fake

PAPER = "resources/paper.yaml"
FACTORS = fake.factors_json(*fake.FACTORS)
ABOUT = {"name": "fake", "seed": 1, "source": "world", "isolated_words": 0, "epochs": 8,
         "patience": None, "score_normalization": "total"}  # fmt: skip


def chain_of(tables: Path) -> Path:
    """Data of the figure `chain`, beside the tables."""
    return tables.with_name(f"{tables.name}-figures") / "chain.csv"


def commands(folder, out, tasks=fake.TASKS, modalities=fake.MODALITIES, samples=200):
    paper = ("--paper", PAPER, "--output", out)
    summary_csv = folder / "evaluation/summary.csv"
    yield table_modalities, ("--tokens", folder / "tokens", "--modalities", *modalities, "--config", FACTORS, *paper)
    yield table_results, ("--summary", summary_csv, "--modalities", *modalities, "--tasks", *tasks,
                          "--score-normalization", "total", *paper)  # fmt: skip
    if tasks:
        yield table_factors, ("--evaluation", folder / "evaluation", "--dropped", folder / "evaluation/dropped.csv",
                              "--config", FACTORS, "--tasks", *tasks, "--score-normalization", "total",
                              "--samples", samples, "--seed", 1, *paper)  # fmt: skip
        yield table_decisions, ("--evaluation", folder / "evaluation", "--dropped", folder / "evaluation/dropped.csv",
                              "--config", FACTORS, "--tasks", *tasks,
                                "--samples", samples, "--seed", 1, "--output", out)  # fmt: skip
        yield table_groups, ("--groups", folder / "evaluation/groups.csv", "--modalities", *modalities,
                             "--tasks", *tasks, "--output", out)  # fmt: skip
        yield table_controls, ("--controls", folder / "evaluation/controls.csv", "--modalities", *modalities,
                               "--output", out)  # fmt: skip
    yield table_bit_factors, ("--bits", folder / "evaluation/utterance_bits", "--config", FACTORS, "--samples", samples,
                              "--seed", 1, *paper)  # fmt: skip
    yield (
        table_bit_breakdown,
        ("--bit-breakdown", folder / "evaluation/bit_breakdown", "--modalities", *modalities, "--output", out),
    )
    yield table_dropped, ("--corpus", folder / "corpus/dropped.csv", "--alignment", folder / "alignment/dropped.csv",
                          "--evaluation", folder / "evaluation/dropped.csv", "--output", out)  # fmt: skip
