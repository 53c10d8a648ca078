"""What each factor changes in the bits per second of dev: the result of a corpus without tasks.

Both modalities of a factor encode the same utterances, so bits per second can be compared across vocabularies, and the
change is paired: each resample draws the same utterances for both. In % it is the same per second and per word. The
p-value is that of a paired randomisation test of utterances (scripts/evaluation/significance.py), corrected by Holm's
procedure for all factors.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.common.seeds import generator
from scripts.evaluation.accuracy import bootstrap_means, percentiles
from scripts.evaluation.config import Factor, parse_factors
from scripts.evaluation.significance import holm, sign_flip
from scripts.report.labels import display_name
from scripts.report.paper_values import Paper, read_paper
from scripts.report.render import Column, Table, format_interval, format_number, format_p_value, write_formats
from scripts.report.result_files import read_table, records

KEY = ("factor", "baseline", "modality")
CHANGE = ("change_percent", "ci_low", "ci_high")
DIFFERENCE = ("difference", "difference_ci_low", "difference_ci_high")  # bits per second
NUMBERS = ("baseline_bits_per_second", "bits_per_second", *CHANGE, *DIFFERENCE, "n", "p_value", "p_holm")
COLUMNS = (*KEY, *NUMBERS)


def read_bits(path: Path) -> pd.DataFrame:
    """Columns seconds and bits of every utterance of dev, indexed by id, sorted.

    Raises:
        ValueError: the file holds no utterance, the same one twice, or a blank number.
    """
    table = read_table(path, ["id"], ["seconds", "bits"])
    if table.empty:
        raise ValueError(f"{path}: holds no utterances")
    if table["id"].duplicated().any():
        raise ValueError(f"{path}: {table['id'][table['id'].duplicated()].iloc[0]!r} appears twice")
    if table.isna().any(axis=None):
        raise ValueError(f"{path}:{table.index[table.isna().any(axis=1)][0] + 2}: seconds or bits are blank")
    return table.set_index("id").sort_index()


def compare(base: pd.DataFrame, new: pd.DataFrame, samples: int, seed: int, rng: np.random.Generator) -> dict[str, Any]:
    """NUMBERS but for `p_holm` of two modalities over the same utterances (`read_bits`)."""
    bits = np.stack([base["bits"], new["bits"], base["seconds"]], axis=1)  # [N, 3]
    resampled = bootstrap_means(bits, samples, seed)  # [samples, 3]
    before, after, seconds = bits.sum(axis=0)
    percent = percentiles(100 * (resampled[:, 1] / resampled[:, 0] - 1))
    difference = percentiles((resampled[:, 1] - resampled[:, 0]) / resampled[:, 2])
    values = (
        *(before / seconds, after / seconds, 100 * (after / before - 1), *percent),
        *((after - before) / seconds, *difference, len(bits), sign_flip(bits[:, 1] - bits[:, 0], rng)),
    )
    return {name: round(float(value), 6) for name, value in zip(NUMBERS[:-1], values, strict=True)}


def rows(folder: Path, factors: Sequence[Factor], samples: int, seed: int) -> list[dict[str, Any]]:
    """COLUMNS of every factor, in the order of the configuration.

    Raises:
        ValueError: the files of a factor hold different utterances.
    """
    found: list[dict[str, Any]] = []
    for factor in factors:
        base, new = (read_bits(folder / f"{name}.csv") for name in factor.pair)
        if not base.index.equals(new.index):
            other = sorted(set(base.index) ^ set(new.index))
            raise ValueError(
                f"{folder / factor.to}.csv: holds other utterances than {factor.from_}.csv ({len(other)} are in one"
                f" file only, e.g. {other[0]!r}); a change is measured on the same utterances"
            )
        rng = generator(seed, "report/bit_factors", *factor.key)
        found.append({**dict(zip(KEY, factor.key, strict=True)), **compare(base, new, samples, seed, rng)})
    for row, p_value in zip(found, holm([row["p_value"] for row in found]), strict=True):
        row |= {"n": int(row["n"]), "p_holm": round(p_value, 6)}
    return found


def build_table(path: str | Path, paper: Paper) -> Table:
    """The formatted table of bit_factors.csv: one row per factor and pair of modalities."""
    data = read_table(path, KEY, NUMBERS)
    columns = [
        Column("factor", text=True),
        Column("from → to", text=True),
        Column("before", "bits per second"),
        Column("after", "bits per second"),
        Column("change", "bits per second"),
        Column("change in %"),
        Column("p"),
    ]
    lines = [
        [
            row["factor"],
            f"{display_name(row['baseline'])} → {display_name(row['modality'])}",
            format_number(row["baseline_bits_per_second"]),
            format_number(row["bits_per_second"]),
            format_interval(*(row[name] for name in DIFFERENCE), sign=True),
            format_interval(*(row[name] for name in CHANGE), sign=True),
            format_p_value(row["p_holm"]),
        ]
        for row in records(data)
    ]
    notes = [
        "Bits per second of speech that the language model needs for dev; more bits are a cost. The change in % is the"
        " same per second and per word. Brackets: 95% paired bootstrap interval over"
        f" {data['n'].max():,.0f} utterances, for one training seed. p: paired randomisation test of utterances,"
        f" corrected by Holm's procedure for {len(data)} comparisons.",
        "A modality whose tokens also represent durations or acoustic detail has more to predict: the cost includes"
        " what is new in the signal, not only what the model learns less well.",
    ]
    known = [
        f"{letter}: {paper.meanings[letter]}" for letter in dict.fromkeys(data["factor"]) if letter in paper.meanings
    ]
    return Table(
        "bit_factors",
        "What each factor costs in bits",
        columns,
        lines,
        [*notes, *("; ".join(known) + "." for _ in known[:1])],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bits", type=Path, required=True, help="folder with <modality>.csv, bits by utterance")
    parser.add_argument("--config", required=True, help='JSON: {"factors": [...]} of the config')
    parser.add_argument("--samples", type=int, required=True, help="bootstrap resamples")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--paper", required=True, help="resources/paper.yaml")
    parser.add_argument("--output", type=Path, required=True, help="folder for bit_factors.{csv,md,tex,html}")
    args = parser.parse_args()
    write_csv(
        args.output / "bit_factors.csv", COLUMNS, rows(args.bits, parse_factors(args.config), args.samples, args.seed)
    )
    write_formats(args.output, build_table(args.output / "bit_factors.csv", read_paper(args.paper)))


if __name__ == "__main__":
    run(main)
