"""What the two layer figures share: reading evaluation/layers and evaluation/tuned_lens."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.report.read import read_table

NUMBERS = ("layer", "value", "ci_low", "ci_high", "n", "chance")


def read_layers(folders: dict[str, Path], modalities: Sequence[str], tasks: Sequence[str]) -> pd.DataFrame:
    """task, modality, lens, layer (0 = embeddings), value (a share), ci_low, ci_high, n, chance; rising by layer.

    `folders` holds the folder of {task}/{modality}.csv of each lens, plain and tuned.
    """
    found = []
    for task in tasks:
        for modality in modalities:
            for lens, folder in folders.items():
                data = read_table(folder / task / f"{modality}.csv", [], NUMBERS).sort_values("layer", kind="stable")
                found.append(data.assign(task=task, modality=modality, lens=lens))
    return pd.concat(found, ignore_index=True)[["task", "modality", "lens", *NUMBERS]]
