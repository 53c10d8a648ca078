"""Count the tokens of a modality and their rates per second: stats.json, the source of Table 2.

Tokens are counted without <s> and </s>. `tokens_per_second` divides by the cuts' durations, the same for all
modalities. `tokens_per_frame_second` divides by the duration of the frames (frames / frame rate), which leaves out the
end of a cut in which no window fits; it equals the frame rate if every frame is a token.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.files import read_json, write_json
from scripts.tokens import store
from scripts.tokens.modality import Modality, from_json


def describe(counts: Mapping[str, int | float], modality: Modality) -> dict[str, Any]:
    """Counts and rates of one token file; rates are null where the denominator is zero."""
    frame_seconds = counts["frames"] / modality.frame_rate if modality.frame_rate else 0.0
    return {
        **counts,
        "seconds": round(counts["seconds"], 4),
        "tokens_per_second": counts["tokens"] / counts["seconds"] if counts["seconds"] else None,
        "tokens_per_frame_second": counts["tokens"] / frame_seconds if frame_seconds else None,
        "phones_lost_share": counts["phones_lost"] / counts["phones"] if counts["phones"] else None,
    }


def vocabulary_size(folder: Path) -> int:
    """Vocabulary size of a tokenizer folder, special tokens included."""
    return len(read_json(folder / "tokenizer.json")["model"]["vocab"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--splits", nargs="+", required=True, help="token files of the splits")
    parser.add_argument("--tasks", nargs="*", default=[], help="token files of the tasks")
    parser.add_argument("--tokenizer", required=True, type=Path, help="tokenizer folder")
    parser.add_argument("--modality", required=True, help="the modality, JSON")
    parser.add_argument("--output", required=True, help="stats.json")
    args = parser.parse_args()
    modality = from_json(args.modality)
    splits = {Path(path).stem: describe(store.totals(path), modality) for path in args.splits}
    tasks = {Path(path).stem: describe(store.totals(path), modality) for path in args.tasks}
    stats = {
        "modality": modality.name,
        "vocab_size": vocabulary_size(args.tokenizer),
        "frame_rate": modality.frame_rate if modality.timed else None,
        "splits": splits,
        "tasks": tasks,
    }
    write_json(args.output, stats)
    for name, row in (splits | tasks).items():
        rate = f"{row['tokens_per_second']:.2f}" if row["tokens_per_second"] else "no"
        print(
            f"{modality.name}: {name}: {row['tokens']} tokens, {rate} per second, {row['unknown']} unknown",
            file=sys.stderr,
        )


if __name__ == "__main__":
    run(main)
