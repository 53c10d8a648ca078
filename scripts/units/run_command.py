"""Let the user's program compute the units of a shard of cuts, or of all sides of a task's items.

The program (`units.command`) gets a list of sound files and writes the units of each as a line, as in fairseq's `.km`.
It runs once for at most PORTION_HOURS of speech, whose files (16 kHz, mono, 16 bits: 115 MB per hour) are in a
temporary folder for as long, so the disk's use does not grow with the shard. What it wrote is checked as every import
is (scripts.units.import_external).
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from scripts.common import audio
from scripts.common.cli import run
from scripts.common.cuts import Cut, read_cuts
from scripts.common.files import text_lines, write_jsonl
from scripts.common.frames import SAMPLE_RATE
from scripts.common.progress import Progress

SETTING = "units.command"
PORTION_HOURS = 10.0
LAST_WORDS = 200  # characters of the program's last line that an error repeats


def portions(cuts: Iterable[Cut], hours: float) -> Iterator[list[Cut]]:
    """Consecutive cuts of together at most so many hours, at least one cut each."""
    portion: list[Cut] = []
    seconds = 0.0
    for cut in cuts:
        if portion and seconds + cut["duration"] > hours * 3600:
            yield portion
            portion, seconds = [], 0.0
        portion.append(cut)
        seconds += cut["duration"]
    if portion:
        yield portion


def compute(cuts: list[Cut], root: str | Path, command: str, timeout: float) -> list[list[int]]:
    """The units of each cut, by one run of the program.

    Args:
        cuts: whose audio is given to the program, in this order.
        root: folder that audio paths are relative to.
        command: the program and its arguments, with {files} and {units}, split as a shell would; no shell runs.
        timeout: seconds after which the program is ended.

    Raises:
        ValueError: the program cannot run, fails, takes too long, or does not write a line of whole numbers per file.
    """
    with tempfile.TemporaryDirectory(prefix="units-") as folder:
        files, units = Path(folder, "files.txt"), Path(folder, "units.km")
        names = [Path(folder, f"{number:06}.wav") for number in range(len(cuts))]
        for cut, name in zip(cuts, names, strict=True):
            wave = np.clip(audio.read(cut, root), -1.0, 1.0 - 2.0**-15)
            soundfile.write(name, wave, SAMPLE_RATE, subtype="PCM_16")
        files.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        words = [part.replace("{files}", str(files)).replace("{units}", str(units)) for part in shlex.split(command)]
        _run(words, timeout)
        if not units.is_file():
            raise ValueError(f"{SETTING}: {words[0]} succeeded but did not write {{units}}")
        rows = [
            _numbers(row, f"{SETTING}: line {i} that {words[0]} wrote") for i, row in enumerate(text_lines(units), 1)
        ]
    if len(rows) != len(cuts):
        raise ValueError(f"{SETTING}: {words[0]} wrote {len(rows)} lines for {len(cuts)} files; expected one per file")
    return rows


def _run(words: list[str], timeout: float) -> None:
    """Run the program in a process group of its own, which a timeout or an error here ends; pass its output on."""
    with tempfile.TemporaryFile() as output:
        try:
            process = subprocess.Popen(words, stdout=output, stderr=output, start_new_session=True)
        except OSError as error:
            raise ValueError(f"{SETTING}: {words[0]} cannot run ({error.strerror})") from None
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ValueError(
                f"{SETTING}: {words[0]} had not ended after units.command_timeout, {timeout:g} seconds"
            ) from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        output.seek(0)
        said = output.read().decode(errors="replace")
    if status:
        last = (said.strip() or "nothing").splitlines()[-1][-LAST_WORDS:]
        raise ValueError(f"{SETTING}: {words[0]} ended with {status}; its last line of output: {last}")
    sys.stderr.write(said)


def _numbers(row: str, where: str) -> list[int]:
    try:
        numbers = [int(word) for word in row.split()]
    except ValueError:
        numbers = [-1]
    if any(number < 0 for number in numbers):
        raise ValueError(f"{where} is {row.strip()[:60]!r}; expected whole numbers from 0 with spaces between")
    return numbers


def lines(cuts: Iterable[Cut], root: str | Path, command: str, timeout: float, name: str) -> Iterator[dict[str, Any]]:
    """{"id", "units"} of every cut once, in their order; a cut that items share is computed once."""
    once = {cut["id"]: cut for cut in cuts}
    progress, done = Progress(f"units/command {name}", len(once), "cuts"), 0
    for portion in portions(once.values(), PORTION_HOURS):
        for cut, units in zip(portion, compute(portion, root, command, timeout), strict=True):
            yield {"id": cut["id"], "units": units}
        done += len(portion)
        progress.update(done)


def main() -> None:
    """Command line of rules units_command and units_command_task."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, help="aligned cuts or task items")
    parser.add_argument("--audio-root", required=True, help="folder that audio paths are relative to")
    parser.add_argument("--command", required=True, help="the program; {files}: list of files, {units}: what it writes")
    parser.add_argument("--timeout", required=True, type=float, help="seconds that one run of the program may take")
    parser.add_argument("--out", required=True, type=Path, help="lines {id, units} (jsonl.gz)")
    args = parser.parse_args()
    name = args.out.parent.name + "/" + args.out.name.split(".")[0]
    write_jsonl(args.out, lines(read_cuts(args.cuts), args.audio_root, args.command, args.timeout, name))


if __name__ == "__main__":
    run(main)
