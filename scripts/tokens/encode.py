"""Encode one file of aligned cuts or task items in one modality as <s> ... </s> per cut.

No utterance is dropped: a character or symbol that the tokenizer does not have becomes <unk>, an utterance
without symbols becomes <s> </s>; both are counted.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from scripts.common.cli import run
from scripts.common.files import read_text
from scripts.common.ragged import Ragged, load_npz
from scripts.tokens import store
from scripts.tokens.modality import from_json
from scripts.tokens.sources import Utterance, read
from scripts.tokens.span_encoder import BOS, EOS, MADE_BY, UNKNOWN, Encoder, load
from scripts.tokens.tables import load_tables


def encode(utterances: Iterable[Utterance], encoder: Encoder) -> tuple[Ragged, dict[str, list[float]]]:
    """Tokens per utterance, and the columns of store.COLUMNS.

    Raises:
        ValueError: if an id appears twice.
    """
    ids: list[str] = []
    sequences: list[np.ndarray] = []
    columns: dict[str, list[float]] = {name: [] for name in store.COLUMNS}
    for utterance in utterances:
        tokens = np.array([BOS, *encoder(utterance.symbols), EOS], np.uint16)
        ids.append(utterance.id)
        sequences.append(tokens)
        columns["unknown"].append(int(np.count_nonzero(tokens == UNKNOWN)))
        columns["symbols"].append(len(utterance.symbols))
        for name in columns.keys() - {"unknown", "symbols"}:
            columns[name].append(getattr(utterance, name))
    return Ragged.join(ids, sequences), columns


def check_units(units: str | None, tokenizer: str) -> None:
    """ValueError if the units and the tokenizer come from different k-means."""
    path = Path(tokenizer) / MADE_BY
    if units is None or not path.exists():
        return
    expected, actual = read_text(path).strip(), load_npz(units).made_by
    if actual != expected:
        raise ValueError(
            f"{units}: its units were made by k-means {actual[:12] or 'of unknown origin'}, those of {tokenizer} by"
            f" {expected[:12]}; the unit numbers are not comparable, make the units again"
        )


def summary(tokens: Ragged, columns: dict[str, list[float]]) -> str:
    """Counts of utterances, tokens, unknown symbols and lost phones, in one line."""
    lengths = tokens.lengths - 2
    unknown = int(sum(columns["unknown"]))
    parts = [
        f"{len(tokens)} utterances, {int(lengths.sum())} tokens",
        f"{unknown} unknown in {sum(count > 0 for count in columns['unknown'])} utterances" if unknown else "",
        f"{int((lengths == 0).sum())} without a token" if (lengths == 0).any() else "",
        f"{int(sum(columns['phones_lost']))} of {int(sum(columns['phones']))} phones in no frame"
        if sum(columns["phones_lost"])
        else "",
    ]
    return ", ".join(part for part in parts if part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--cuts", required=True, help="aligned cuts or task items")
    parser.add_argument("--units", nargs="?", help="units of the same cuts, for source units")
    parser.add_argument("--tables", nargs="*", default=[], help="tables of train that the modality needs")
    parser.add_argument("--tokenizer", required=True, help="tokenizer folder")
    parser.add_argument("--modality", required=True, help="the modality, JSON")
    parser.add_argument("--output", required=True, help=".bin; its .idx.npz is written beside it")
    args = parser.parse_args()
    modality = from_json(args.modality)
    check_units(args.units, args.tokenizer)
    tables = load_tables(args.tables, modality)
    try:
        tokens, columns = encode(read(args.cuts, args.units, modality, tables), load(args.tokenizer))
    except ValueError as error:
        # Errors of `read` name the file; that of a repeated id does not.
        raise ValueError(error if args.cuts in str(error) else f"{args.cuts}: {error}") from None
    store.save(args.output, tokens, columns)
    print(f"{modality.name}: {args.cuts}: {summary(tokens, columns)}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
