"""Join the tables of all audio checks into one and count the files per problem."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv
from scripts.corpus.speech.audio_check import COLUMNS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", type=Path, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    # Tasks may share a file; a split's recordings are each in one shard.
    rows = {row["file"]: row for part in args.parts for row in read_csv(part, ["file"])}
    write_csv(args.out, COLUMNS, rows.values())
    counts = ", ".join(
        f"{count} {name}" for name, count in sorted(Counter(row["problem"] for row in rows.values()).items())
    )
    print(
        f"audio_check: {len(rows)} files have a problem{f' ({counts})' if counts else ''}: {args.out}", file=sys.stderr
    )


if __name__ == "__main__":
    run(main)
