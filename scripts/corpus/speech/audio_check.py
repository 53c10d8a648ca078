"""Whether every file that a shard's cuts point at opens, has the stated rate and length, and decodes to its end.

The header says rate and length; the last tenth of a second is decoded, for the header of a truncated file is whole.
What is in between is not read (the alignment drops a cut whose samples cannot be decoded): a file costs milliseconds,
not minutes. Problems: missing, damaged, rate, length, channels.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import soundfile

from scripts.common.cli import run
from scripts.common.cuts import ROUNDING, read_cuts
from scripts.common.files import write_csv
from scripts.common.progress import Progress

COLUMNS = ("recording", "file", "problem", "detail")
TAIL = 0.1  # seconds decoded at the end

Problem = tuple[str, str]


def recordings(path: str | Path) -> dict[str, dict[str, Any]]:
    """The recordings of a file of cuts or items, by id."""
    return {cut["recording"]["id"]: cut["recording"] for cut in read_cuts(path)}


def problem(recording: dict[str, Any], root: Path) -> Problem | None:
    """What is wrong with a recording's file, None if nothing is."""
    path = root / recording["sources"][0]["source"]
    if not path.exists():
        return "missing", "does not exist"
    try:
        with soundfile.SoundFile(path) as file:
            rate, frames, channels = file.samplerate, file.frames, file.channels
            tail = min(frames, round(TAIL * rate))
            file.seek(frames - tail)
            decoded = len(file.read(tail, dtype="int16"))
    except (soundfile.LibsndfileError, RuntimeError) as error:
        return "damaged", str(error).removeprefix(f"Error opening {str(path)!r}: ").strip()
    if rate != recording["sampling_rate"]:
        return "rate", f"{rate} Hz; the manifest says {recording['sampling_rate']}"
    if abs(frames / rate - recording["duration"]) > ROUNDING:
        return "length", f"{frames / rate:.3f} s; the manifest says {recording['duration']:.3f}"
    stated = recording.get("channel_ids")
    if stated is not None and channels != len(stated):
        return "channels", f"{channels}; the manifest says {len(stated)}"
    if decoded < tail:
        return "damaged", f"decodes {decoded} of its last {tail} samples"
    return None


def check(found: dict[str, dict[str, Any]], root: Path, progress: Progress) -> Iterator[dict[str, str]]:
    """Rows of COLUMNS for the recordings that have a problem."""
    for done, (name, recording) in enumerate(found.items(), start=1):
        if wrong := problem(recording, root):
            row = (name, recording["sources"][0]["source"], *wrong)
            yield dict(zip(COLUMNS, row, strict=True))
        progress.update(done)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=Path, required=True, help="cuts or task items")
    parser.add_argument("--audio-root", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="csv of the files that have a problem")
    args = parser.parse_args()

    found = recordings(args.cuts)
    progress = Progress(f"audio_check/{args.out.stem}", len(found), "files")
    rows = list(check(found, args.audio_root, progress))
    write_csv(args.out, COLUMNS, rows)
    told = ", ".join(f"{count} {name}" for name, count in Counter(row["problem"] for row in rows).most_common())
    print(f"audio_check {args.cuts}: {len(found)} files, problems: {told or 'none'}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
