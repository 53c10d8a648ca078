"""Dev loss of every model during training, per token and per second of speech.

Losses per token cannot be compared across vocabularies. The loss in bits times the tokens per second of speech (EOS of
each utterance included, since it is predicted) is in bits per second, which can be compared.
"""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from scripts.common.cli import run
from scripts.report.result_files import read_stats, read_table
from scripts.report.style import legend_above, modality_styles, new_figure, save

NUMBERS = ("step", "epoch", "tokens", "train_loss", "dev_loss")
PANELS = {"dev_loss": "dev loss, nats per token", "dev_bits_per_second": "dev loss, bits per second"}


def curves(logs: Path, tokens: Path, modalities: Sequence[str]) -> pd.DataFrame:
    """The rows of lm/{modality}/log.csv that hold a dev loss, with `dev_bits_per_second`."""
    tables = []
    for modality in modalities:
        path = logs / modality / "log.csv"
        data = read_table(path, [], NUMBERS)
        data = data[data["dev_loss"].notna()]
        if data.empty:
            raise ValueError(f"{path}: no row holds a dev_loss")
        dev = read_stats(tokens / modality / "stats.json")["splits"]["dev"]
        rate = (dev["tokens"] + dev["utterances"]) / dev["seconds"]
        bits = data["dev_loss"] / math.log(2) * rate
        tables.append(data.assign(modality=modality, dev_bits_per_second=bits.round(6)))
    return pd.concat(tables, ignore_index=True)[["modality", *NUMBERS, "dev_bits_per_second"]]


def draw(data: pd.DataFrame, prefix: Path, formats: Sequence[str]) -> None:
    """Two panels over epochs, one line per modality."""
    styles = modality_styles(list(dict.fromkeys(data["modality"])))
    with new_figure(1, len(PANELS), 2.9) as (figure, axes):
        for panel, (column, label) in zip(axes[0], PANELS.items(), strict=True):
            for modality, part in data.groupby("modality", sort=False):
                panel.plot(part["epoch"], part[column], **{**styles[str(modality)], "markersize": 2.5})
            panel.set_xlabel("epoch")
            panel.set_ylabel(label)
            panel.set_ylim(bottom=0)
        legend_above(figure, axes[0, 0])
        save(figure, prefix, formats, data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=Path, required=True, help="folder with {modality}/log.csv")
    parser.add_argument("--tokens", type=Path, required=True, help="folder with {modality}/stats.json")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--formats", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="path without ending")
    args = parser.parse_args()
    draw(curves(args.logs, args.tokens, args.modalities), args.output, args.formats)


if __name__ == "__main__":
    run(main)
