"""Frames of a context that differ between the two sides of an item, although their sound is the same there.

A story's context is one piece of sound, spliced before both endings (`shared_seconds` of the item). The units of a
frame depend on the whole utterance, what follows included, and so do aligned phones: a modality with a frame rate can
read the same context as two different ones. Without a frame rate no such question arises.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.cuts import sides
from scripts.common.files import read_jsonl, write_csv
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.tokens.modality import Modality, from_json
from scripts.tokens.sources import NO_TABLES, read
from scripts.tokens.tables import Tables, load_tables

COLUMNS = ("modality", "task", "items", "frames", "differing")


def count_differing(
    items: Path, units: Path | None, modality: Modality, tables: Tables = NO_TABLES
) -> tuple[int, int, int]:
    """(items with a shared context, frames whose window lies in it, those of them that differ between the sides).

    Args:
        items: a task's aligned items.
        units: the units of their sides, for a modality that reads units.
        modality: one with a symbol per frame of the cut.
        tables: what it needs of train.

    Raises:
        ValueError: as `sources.read`.
    """
    assert modality.frame_rate is not None
    found = frames = differing = 0
    if not any("shared_seconds" in item for item in read_jsonl(items)):
        return 0, 0, 0
    utterances = read(items, units, modality, tables)
    for item in read_jsonl(items):
        first, *others = [next(utterances).symbols for _ in sides(item)]
        if "shared_seconds" not in item:
            continue
        found += 1
        count = frame_count(round(item["shared_seconds"] * SAMPLE_RATE), modality.frame_rate)
        for other in others:
            frames += count
            differing += sum(one != two for one, two in zip(first[:count], other[:count], strict=True))
    return found, frames, differing


def rows(
    modalities: Sequence[Modality],
    tasks: Sequence[str],
    items: Sequence[Path],
    units: Sequence[Sequence[Path]],
    table_files: Sequence[Path] = (),
) -> Iterator[dict[str, object]]:
    """A row per modality and task with shared contexts; `units` has a list per modality, empty or one per task."""
    for modality, streams in zip(modalities, units, strict=True):
        tables = load_tables(table_files, modality)
        for number, (task, path) in enumerate(zip(tasks, items, strict=True)):
            found, frames, differing = count_differing(path, streams[number] if streams else None, modality, tables)
            if found:
                values = (modality.name, task, found, frames, differing)
                yield dict(zip(COLUMNS, values, strict=True))


def main() -> None:
    """Command line of rule tokens_shared_context."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modalities", nargs="+", required=True, help="JSON of each modality with a symbol per frame")
    parser.add_argument("--tasks", nargs="+", required=True)
    parser.add_argument("--items", type=Path, nargs="+", required=True, help="aligned items of each task")
    parser.add_argument("--units", type=Path, nargs="*", default=[], help="units of each task, for modalities of units")
    parser.add_argument("--tables", type=Path, nargs="*", default=[], help="tables of train that modalities need")
    parser.add_argument("--output", type=Path, required=True, help="table to write (.csv)")
    args = parser.parse_args()
    modalities = [from_json(text) for text in args.modalities]
    units = [args.units if modality.source == "units" else [] for modality in modalities]
    table = list(rows(modalities, args.tasks, args.items, units, args.tables))
    write_csv(args.output, COLUMNS, table)
    for row in table:
        share = 100 * int(str(row["differing"])) / int(str(row["frames"]))
        print(f"{row['task']}: {row['modality']}: {share:.1f}% of the shared context's frames differ", file=sys.stderr)


if __name__ == "__main__":
    run(main)
