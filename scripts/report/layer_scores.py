"""Read evaluation/layers and evaluation/tuned_lens, for the two figures of layers."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.report.result_files import read_table

NUMBERS = ("layer", "value", "ci_low", "ci_high", "n", "chance")


def read_layers(folders: dict[str, Path], modalities: Sequence[str], tasks: Sequence[str]) -> pd.DataFrame:
    """task, modality, lens, layer (0 = embeddings), value (a share), ci_low, ci_high, n, chance; sorted by layer.

    `folders` maps each lens (plain, tuned) to its folder of {task}/{modality}.csv.
    """
    tables = []
    for task in tasks:
        for modality in modalities:
            for lens, folder in folders.items():
                data = read_table(folder / task / f"{modality}.csv", [], NUMBERS).sort_values("layer", kind="stable")
                tables.append(data.assign(task=task, modality=modality, lens=lens))
    return pd.concat(tables, ignore_index=True)[["task", "modality", "lens", *NUMBERS]]
