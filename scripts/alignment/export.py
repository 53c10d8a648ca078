"""Aligned cuts as Kaldi CTM and as Praat TextGrids, words and phones.

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


def items(cut: Cut, kind: str) -> list[ctm.Item]:
    """(symbol, start, duration) of a cut's words or phones; ValueError naming the cut if it was never aligned."""
    found = (supervision(cut).get("alignment") or {}).get(kind)
    if not found:
        raise ValueError(f"cut {cut['id']}: has no {kind} alignment; expected a cut from alignment/cuts")
    return [(symbol, start, duration) for symbol, start, duration, *_ in found]


def covering(found: list[ctm.Item], end: float) -> list[textgrid.Interval]:
    """Intervals from 0 to `end`, the gaps between items empty."""
    result: list[textgrid.Interval] = []
    now = 0.0
    for symbol, start, duration in found:
        if start > now + 1e-6:
            result.append((now, start, ""))
        now = start + duration
        result.append((start, now, symbol))
    return [*result, (now, end, "")] if end > now + 1e-6 else result


def export(path: str, folder: Path) -> int:
    """Write one shard or task; how many cuts it holds. Memory: one file's cuts."""
    cuts = list(read_cuts(path))
    for name, kind in TIERS.items():
        ctm.write(folder / f"{name}.ctm", ((cut["id"], items(cut, kind)) for cut in cuts))
    for cut in cuts:
        tiers = {name: covering(items(cut, kind), cut["duration"]) for name, kind in TIERS.items()}
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
