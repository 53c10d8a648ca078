"""Tables of exposures, reach and schedules of invented models, made by the real steps from simulated scores."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scripts.common.files import write_csv
from scripts.common.seeds import generator
from scripts.evaluation import exposures, reach, schedules
from scripts.evaluation.config import Summarising
from tests.report import fake

# Where a modality's accuracy is midway between chance and its ceiling: exposures of a word, words of distance.
MIDPOINTS = dict(zip(fake.MODALITIES, (2, 2.5, 3, 5, 26, 420), strict=True))
DISTANCES = dict(zip(fake.MODALITIES, (40, 9, 30, 7, 1.6, 0.5), strict=True))


def score_rows(shares: dict[float, float], column: str, name: str, couples: int = 30, group: str = "g") -> list[dict]:
    """Rows of mirrored couples, so many at each level, of which the given share is right."""
    rng = generator(1, "fake-curves", name)
    rows = []
    for level, share in shares.items():
        for couple in range(couples):
            for side in "ab":
                margin = abs(rng.standard_normal()) * (1 if rng.random() < share else -1)
                rows.append(
                    {"id": f"{group}-{level:g}-{couple}{side}", "voice": "v", "subset": "all", "group": group,
                     "couple": f"{group}-{level:g}-{couple}", "exposure": "", "distance": "", "distance_seconds": "",
                     column: f"{level:g}", "logprob_positive": f"{margin:.4f}", "logprob_negative": "0",
                     "correct": f"{margin > 0:g}", "dropped": ""}
                )  # fmt: skip
    return rows


def logistic_shares(levels: Sequence[float], midpoint: float, slope: float, lapse: float = 0.02) -> dict[float, float]:
    """Accuracy of pairs at each level; a negative slope falls."""
    return {level: float(0.5 + (0.5 - lapse) / (1 + np.exp(-slope * np.log2(level / midpoint)))) for level in levels}


def write(
    folder: Path, modalities: Sequence[str] = fake.MODALITIES, tasks: Sequence[str] = fake.TASKS, samples: int = 50
) -> None:
    """Write exposures.csv, reach.csv and schedules.csv into `folder`/evaluation."""
    config = Summarising(bootstrap_samples=samples, score_normalization="total")
    curves = exposures.Curves("swuggy", config, 1)
    found: list[dict] = []
    for modality in modalities:
        rows = score_rows(logistic_shares([1, 4, 16, 64, 256], MIDPOINTS[modality], 1.0), "exposure", modality)
        drift = 0.35 if "bpe" in modality else 0.0
        baseline = [
            {"id": row["id"], "voice": "v", "baseline": "tokens",
             "correct": f"{generator(2, row['id']).random() < 0.5 + drift * np.log2(float(row['exposure'])) / 8:g}"}
            for row in rows
        ]  # fmt: skip
        found += curves.modality(modality, rows, baseline)
    for factor in fake.FACTORS:
        found += curves.factor(*factor.key)
    write_csv(folder / "evaluation/exposures.csv", exposures.COLUMNS, found)
    found = []
    for task, scale in (("sblimp", 1.0), ("topic-storycloze", 2.5)):
        for modality in modalities:
            shares = logistic_shares([1, 2, 3, 4, 6, 10, 14, 20], scale * DISTANCES[modality], -1.2)
            rows = score_rows(shares, "distance", f"{task}-{modality}")
            rows = [{**row, "distance_seconds": f"{0.31 * float(row['distance']):.3f}"} for row in rows]
            probes = score_rows({4: 0.6}, "distance", modality, group="attractor-number")
            found += reach.reach(modality, task, [*rows, *probes], config, 1)
    write_csv(folder / "evaluation/reach.csv", reach.COLUMNS, found)
    found = []
    for task in tasks:
        for at, modality in enumerate(modalities):
            models = {f"{modality}-data25": 0.25, f"{modality}-data50": 0.5, modality: 1.0}
            final = fake.TRUE[task][at % 6]
            rows_of = {
                name: score_rows(
                    {1: 0.5 + (final - 0.5) * (1 + 0.4 * np.log2(share) / 2)}, "distance", f"{task}-{name}", 75
                )
                for name, share in models.items()
            }
            rate = fake.RATES.get(modality, 20.0)
            trained = {name: (round(share * 3 * 3600 * rate), 3 * share) for name, share in models.items()}
            found += schedules.schedules(modality, task, models, rows_of, trained, samples, 1)
    write_csv(folder / "evaluation/schedules.csv", schedules.COLUMNS, found)
