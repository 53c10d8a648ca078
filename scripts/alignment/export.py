"""Export the words and phones of aligned cuts as Kaldi CTM and Praat TextGrids.

A shard becomes a folder: words.ctm, phones.ctm and textgrids/<cut id>.TextGrid (tiers words and phones).
"""

import argparse
import sys
from pathlib import Path

from scripts.alignment import ctm, textgrid
from scripts.common.cli import run
from scripts.common.cuts import Cut, read_cuts, supervision
from scripts.common.files import atomic_directory

TIERS = {"words": "word", "phones": "phone"}


def items(cut: Cut, level: str) -> list[ctm.Item]:
    """(symbol, start, duration) of a cut's words or phones; ValueError naming the cut if it is not aligned."""
    alignment = (supervision(cut).get("alignment") or {}).get(level)
    if not alignment:
        raise ValueError(f"cut {cut['id']}: has no {level} alignment; expected a cut from alignment/cuts")
    return [(symbol, start, duration) for symbol, start, duration, *_ in alignment]


def intervals(items: list[ctm.Item], end: float) -> list[textgrid.Interval]:
    """Intervals that cover 0 to `end`; gaps between items become empty intervals."""
    result: list[textgrid.Interval] = []
    last = 0.0
    for symbol, start, duration in items:
        if start > last + 1e-6:
            result.append((last, start, ""))
        last = start + duration
        result.append((start, last, symbol))
    return [*result, (last, end, "")] if end > last + 1e-6 else result


def export(path: str, folder: Path) -> int:
    """Write one shard or task; return its number of cuts. Memory: one file's cuts."""
    cuts = list(read_cuts(path))
    for name, level in TIERS.items():
        ctm.write(folder / f"{name}.ctm", ((cut["id"], items(cut, level)) for cut in cuts))
    for cut in cuts:
        tiers = {name: intervals(items(cut, level), cut["duration"]) for name, level in TIERS.items()}
        textgrid.write(folder / "textgrids" / f"{cut['id']}.TextGrid", cut["duration"], tiers)
    return len(cuts)


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, help="aligned cuts or items, jsonl.gz")
    parser.add_argument("--out", required=True, help="folder for words.ctm, phones.ctm and textgrids/")
    args = parser.parse_args()
    with atomic_directory(args.out) as aside:
        count = export(args.cuts, aside)
    print(f"alignment/export: {count} cuts to {args.out}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
