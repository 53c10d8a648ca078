"""Check that every audio file of a shard's cuts opens, has the stated rate and length, and decodes to its end.

Rate and length are read from the header; the samples that it promises must be in the file. The last tenth of a second
is decoded, because a truncated FLAC or MP3 has an intact header. The rest is not read, so that a file takes
milliseconds (the alignment drops a cut whose samples cannot be decoded); only a FLAC from a pipe, whose header has no
length, is decoded to find it. Where a recording has lazy transforms, its file is compared with what they begin with.
Problems: missing, damaged, rate, length, channels, transform. A file that cannot be reached ends the job.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from scripts.common import audio_transforms
from scripts.common.audio_errors import AudioError, reach
from scripts.common.cli import run
from scripts.common.cuts import ROUNDING, read_cuts
from scripts.common.files import write_csv
from scripts.common.progress import Progress
from scripts.common.sound_file import broken_off, open_sound

COLUMNS = ("recording", "file", "problem", "detail")
TAIL = 0.1  # seconds decoded at the end

Problem = tuple[str, str]


def recordings_of(path: str | Path) -> dict[str, dict[str, Any]]:
    """The recordings of a file of cuts or items, by id."""
    return {cut["recording"]["id"]: cut["recording"] for cut in read_cuts(path)}


def problem(recording: dict[str, Any], root: Path) -> Problem | None:
    """The first problem of a recording's files and its detail; None if there is none.

    Raises:
        UnreachableError: naming a file that cannot be read.
    """
    try:
        chain = audio_transforms.steps(recording)
    except ValueError as error:
        return "transform", str(error)
    rate, seconds = audio_transforms.file_rate(recording), recording["duration"] * audio_transforms.speed(chain)
    sources = recording["sources"]
    for source in sources:
        path = root / source["source"]
        stated = recording.get("channel_ids") if len(sources) == 1 else source.get("channels")
        try:
            found = reach(path, partial(_problem, path, rate, seconds, None if stated is None else len(stated)))
        except AudioError as error:
            return error.reason.removeprefix("audio-"), str(error).removeprefix(f"{path} ")
        if found:
            return found
    return None


def _problem(path: Path, rate: float, seconds: float, channels: int | None) -> Problem | None:
    """The problem of one file; AudioError and OSError as `open_sound`."""
    with open_sound(path) as sound:
        if sound.broken_off:
            raise broken_off(sound)
        frames = sound.frames()
        # Without a stated length the file was decoded to its end just now.
        tail = 0 if sound.stated is None else min(frames, round(TAIL * sound.rate) + sound.slack)
        decoded = len(sound.read(frames - tail, tail)) if tail else 0
        if sound.rate != rate:
            return "rate", f"{sound.rate} Hz; the manifest says {rate:g}"
        if abs(frames / sound.rate - seconds) > max(ROUNDING, sound.slack / sound.rate):
            return "length", f"{frames / sound.rate:.3f} s; the manifest says {seconds:.3f}"
        if channels is not None and sound.channels != channels:
            return "channels", f"{sound.channels}; the manifest says {channels}"
        if decoded < tail - sound.slack:
            raise AudioError("audio-damaged", f"{path} decodes {decoded} of its last {tail} samples")
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
