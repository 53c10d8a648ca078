"""Merge the tables of words with a guessed pronunciation, adding up their occurrences in the kept cuts."""

import argparse
import sys
from collections import Counter

from scripts.alignment.align import GUESSED_COLUMNS
from scripts.common.cli import run
from scripts.common.files import read_csv, write_csv


def gather(paths: list[str]) -> list[dict[str, str | int]]:
    """Sum of the counts of several tables, most frequent first; ValueError naming a file with other columns."""
    counts: Counter[tuple[str, str]] = Counter()
    for path in paths:
        for row in read_csv(path, GUESSED_COLUMNS):
            counts[row["word"], row["pronunciation"]] += int(row["count"])
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"word": word, "count": count, "pronunciation": phones} for (word, phones), count in ordered]


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guessed", required=True, nargs="+", help="csv files of scripts.alignment.align")
    parser.add_argument("--out", required=True, help="the table: word, count, pronunciation")
    args = parser.parse_args()
    rows = gather(args.guessed)
    write_csv(args.out, GUESSED_COLUMNS, rows)
    print(
        f"alignment/guessed: {len(rows)} words, {sum(int(row['count']) for row in rows)} occurrences", file=sys.stderr
    )


if __name__ == "__main__":
    run(main)
