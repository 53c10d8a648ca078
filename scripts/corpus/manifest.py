"""Any Lhotse cuts in LibriHeavy's schema become the corpus: checked one by one, dealt into shards.

Nothing is copied but the cuts themselves, and a cut keeps every field it came with. The manifest is read as a
stream; what grows with it is one number per cut (to find ids used twice) and a few per recording. A
recording's cuts stay in one shard: each new recording goes to the shard with the fewest seconds so far.

A file that is damaged as such (truncated, not JSON) is an error. A cut that cannot be used is dropped under a
reason: malformed, no-supervision, several-supervisions, no-text, empty-text, characters, digits, too-short,
too-long, outside-recording, duplicate-id, in-train (dev only: its recording is in the training manifest too, and
a dev loss on what was trained on says nothing). Whether the sound itself can be used is for the alignment to say.
"""

import argparse
import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.cuts import Cut
from scripts.common.files import atomic_path, read_json, read_jsonl, write_csv, write_json
from scripts.common.frames import SAMPLE_RATE
from scripts.common.seeds import derive
from scripts.corpus.drops import COLUMNS, dropped
from scripts.corpus.validate import CutError, Rules, checked

REPORT_EVERY = 250_000  # cuts between two lines of progress: how many there are is not known beforehand


class Recordings:
    """Which recordings have been met, whether their files are there, and what is notable about them."""

    def __init__(self, root: Path):
        self.root = root
        self.found: dict[str, bool] = {}
        self.resampled = self.averaged = 0
        self.example = ""

    def meet(self, recording: dict[str, Any]) -> None:
        """Look once whether a recording's file is there."""
        if recording["id"] in self.found:
            return
        path = self.root / recording["sources"][0]["source"]
        self.found[recording["id"]] = path.exists()
        self.example = self.example or str(path)
        self.resampled += recording["sampling_rate"] != SAMPLE_RATE
        self.averaged += len(recording.get("channel_ids") or [0]) > 1

    def check(self, manifest: Path) -> None:
        """ValueError if not a single file is there: then the root is wrong, not the data."""
        if self.found and not any(self.found.values()):
            raise ValueError(
                f"{manifest}: not one of its {len(self.found)} recordings exists, e.g. {self.example};"
                " check corpus.manifest.audio_root"
            )

    def summary(self) -> str:
        """What a reader should know."""
        missing = sum(not here for here in self.found.values())
        return (
            f"{len(self.found)} recordings ({missing} without a file, {self.resampled} to be resampled to"
            f" {SAMPLE_RATE} Hz, {self.averaged} with several channels to be averaged)"
        )


def check_root(root: Path) -> None:
    """OSError if the audio root is not a folder."""
    if not root.is_dir():
        raise OSError(f"corpus.manifest.audio_root: {root} is not a folder")


def usable(
    manifest: Path, rules: Rules, recordings: Recordings, taken: set[str], drops: list[dict[str, str]]
) -> Iterator[Cut]:
    """The manifest's cuts that can be used; the others are appended to `drops`.

    `taken` holds the recordings of the training split when this is another.
    """
    seen: set[int] = set()
    for number, line in enumerate(read_jsonl(manifest), start=1):
        name = str(line.get("id", f"{manifest.name}:{number}"))
        try:
            cut = checked(line, rules)
        except CutError as error:
            drops.append(dropped(name, error.reason, str(error)))
            continue
        if (key := derive(0, name)) in seen:
            drops.append(dropped(name, "duplicate-id", f"again at cut {number} of {manifest.name}"))
            continue
        seen.add(key)
        if (recording := cut["recording"]["id"]) in taken:
            drops.append(dropped(name, "in-train", f"recording {recording!r} is in the training manifest too"))
            continue
        recordings.meet(cut["recording"])
        yield cut


class Shards:
    """Open shard files and the deal: a recording goes to the shard with the fewest seconds when it is first met."""

    def __init__(self, paths: Sequence[Path], stack: ExitStack):
        self.seconds = [0.0] * len(paths)
        self.counts = [0] * len(paths)
        self.of: dict[str, int] = {}
        self.files = []
        for path in paths:
            raw = stack.enter_context(stack.enter_context(atomic_path(path)).open("wb"))
            self.files.append(stack.enter_context(gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="")))

    def write(self, cut: Cut) -> None:
        """Append a cut to its recording's shard."""
        shard = self.of.setdefault(cut["recording"]["id"], self.seconds.index(min(self.seconds)))
        self.seconds[shard] += cut["duration"]
        self.counts[shard] += 1
        self.files[shard].write(json.dumps(cut, ensure_ascii=False).encode() + b"\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="Lhotse cuts, .jsonl or .jsonl.gz")
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that audio paths are relative to")
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="files to deal the cuts into")
    parser.add_argument("--dropped", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, required=True, help="list to write: recordings that were used")
    parser.add_argument("--not-in", type=Path, nargs="*", default=[], help="such lists of splits to stay apart from")
    parser.add_argument("--config", type=Rules.parse, required=True, help="JSON: characters, min_ and max_seconds")
    args = parser.parse_args()

    check_root(args.audio_root)
    drops: list[dict[str, str]] = []
    taken = {name for path in args.not_in for name in read_json(path)}
    recordings = Recordings(args.audio_root)
    with ExitStack() as stack:
        shards = Shards(args.shards, stack)
        for done, cut in enumerate(usable(args.manifest, args.config, recordings, taken, drops), start=1):
            shards.write(cut)
            if done % REPORT_EVERY == 0:
                print(f"corpus/manifest {args.manifest.name}: {done:,} cuts", file=sys.stderr)
        reasons = Counter(row["reason"] for row in drops)
        told = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items())) or "none"
        if not sum(shards.counts):
            example = f", e.g. {drops[0]['id']}: {drops[0]['detail']}" if drops else ""
            raise ValueError(f"{args.manifest}: no usable cut (dropped: {told}{example})")
        recordings.check(args.manifest)
        if 0 in shards.counts:
            raise ValueError(
                f"{args.manifest}: {len(recordings.found)} recordings do not fill {len(args.shards)} shards;"
                " lower corpus.shards"
            )
        write_csv(args.dropped, COLUMNS, drops)
        write_json(args.recordings, sorted(shards.of))
    print(
        f"corpus/manifest {args.manifest.name}: {sum(shards.counts)} cuts, {sum(shards.seconds) / 3600:.3f} h in"
        f" {len(args.shards)} shards, {recordings.summary()}; dropped: {told}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
