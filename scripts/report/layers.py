"""What the two layer figures share: reading evaluation/layers."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.report.read import read_table

NUMBERS = ("layer", "value", "ci_low", "ci_high", "n")


def read_layers(layers: Path, modalities: Sequence[str], tasks: Sequence[str]) -> pd.DataFrame:
    """task, modality, layer (0 = embeddings), value (a share), ci_low, ci_high, n; sorted by layer within each."""
    found = []
    for task in tasks:
        for modality in modalities:
            data = read_table(layers / task / f"{modality}.csv", [], NUMBERS).sort_values("layer", kind="stable")
            found.append(data.assign(task=task, modality=modality))
    return pd.concat(found, ignore_index=True)[["task", "modality", *NUMBERS]]
