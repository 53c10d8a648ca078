"""Write the tokens of a share of train: the first utterances in the order of their ids' hashes (data_shares.py)."""

import argparse
import sys
from pathlib import Path

import numpy as np

from scripts.common.cli import run
from scripts.common.files import atomic_path
from scripts.common.ragged import index_path, load_bin
from scripts.lm.data_shares import first_share
from scripts.tokens.store import COLUMNS


def take_share(source: Path, share: float, out: Path) -> int:
    """Write the share of the token file `source` and its index as `out`; return the number of utterances.

    The utterances keep their order; they are copied one by one, so memory does not grow with the file.

    Raises:
        ValueError: no utterance is left, or the source is damaged.
    """
    tokens = load_bin(source)
    kept = first_share(tokens, share)
    with np.load(index_path(source), allow_pickle=False) as index:
        columns = {name: index[name][kept] for name in COLUMNS}
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(tokens.lengths[kept])])
    with atomic_path(index_path(out)) as aside:
        np.savez(aside, ids=np.asarray(tokens.ids[kept]), offsets=offsets, **columns)
    with atomic_path(out) as aside, open(aside, "wb") as stream:
        for index in kept:
            stream.write(tokens[index].astype("<u2").tobytes())
    return len(kept)


def main() -> None:
    """Command line of rule shares_tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="token file of the whole of train")
    parser.add_argument("--share", type=float, required=True, help="share of its utterances, above 0 and below 1")
    parser.add_argument("--out", type=Path, required=True, help="token file to write; its index stands beside it")
    args = parser.parse_args()
    count = take_share(args.train, args.share, args.out)
    print(f"{args.out}: {count} utterances, a share of {args.share:g}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
