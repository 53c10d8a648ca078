"""Check that every audio file of a shard's cuts opens, has the stated rate and length, and decodes to its end.

Rate and length are read from the header. The last tenth of a second is decoded, because a truncated file has an intact
header. The rest is not read, so that a file takes milliseconds (the alignment drops a cut whose samples cannot be
decoded). Problems: missing, damaged, rate, length, channels.
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


def recordings_of(path: str | Path) -> dict[str, dict[str, Any]]:
    """The recordings of a file of cuts or items, by id."""
    return {cut["recording"]["id"]: cut["recording"] for cut in read_cuts(path)}


def problem(recording: dict[str, Any], root: Path) -> Problem | None:
    """The problem of a recording's file and its detail; None if there is none."""
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


def check(recordings: dict[str, dict[str, Any]], root: Path, progress: Progress) -> Iterator[dict[str, str]]:
    """Rows of COLUMNS for the recordings that have a problem."""
    for done, (name, recording) in enumerate(recordings.items(), start=1):
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

    by_id = recordings_of(args.cuts)
    progress = Progress(f"audio_check/{args.out.stem}", len(by_id), "files")
    rows = list(check(by_id, args.audio_root, progress))
    write_csv(args.out, COLUMNS, rows)
    counts = ", ".join(f"{count} {name}" for name, count in Counter(row["problem"] for row in rows).most_common())
    print(f"audio_check {args.cuts}: {len(by_id)} files, problems: {counts or 'none'}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
