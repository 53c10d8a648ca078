"""Check the Lhotse cuts of manifests in LibriHeavy's schema one by one and write them into the corpus' shards.

Audio is not copied. A cut keeps every field that it came with (of LibriHeavy's, all but `pre_texts`). The manifests are
read as one stream; memory grows by 12 to 24 bytes per cut (to find ids used twice) and by about 300 per recording. All
cuts of a recording are in one shard: a new recording is assigned to the shard with the fewest seconds so far.

A cut that is longer than its supervision is cut to it, since the text is of that part only.

A damaged file (truncated, not JSON) is an error. A cut that cannot be used is dropped with a reason: malformed,
no-supervision, several-supervisions, supervision-outside, transform-unsupported, no-text, empty-text, characters,
letters, digits, transcript (of book texts, with max_cer), too-short, too-long, outside-recording, duplicate-id,
in-train (dev only: its recording, or its speaker or book where asked, is in train too, so that the dev loss would be
measured on training data), audio-missing (with --need-audio; otherwise the alignment finds it). Above the shares of
`losses` they are an error.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.audio_errors import exists
from scripts.common.cli import run
from scripts.common.cuts import Cut
from scripts.common.files import read_json, read_jsonl, write_json
from scripts.common.frames import SAMPLE_RATE
from scripts.common.seeds import derive
from scripts.corpus.drops import DropError, Drops
from scripts.corpus.losses import hold_to_limits
from scripts.corpus.pronounce import beyond_ascii
from scripts.corpus.speech.seen_ids import SeenIds
from scripts.corpus.speech.shards import Shards
from scripts.corpus.speech.transcript_error import Histogram, transcript_error
from scripts.corpus.speech.transcripts import texts_of
from scripts.corpus.speech.validate import Rules, check_cut

REPORT_EVERY = 250_000  # cuts between two lines of progress; the total is not known in advance
SPLIT_KEYS = ("recording", "speaker", "book")


class Recordings:
    """The recordings of the cuts read so far: whether their files exist, how many are resampled or multi-channel.

    Attributes:
        cuts_without: cuts whose file does not exist.
        trimmed: cuts that were cut to their supervision.
        example: a file that does not exist or, if all do, one that does.
    """

    def __init__(self, root: Path):
        self.root = root
        self.exists: dict[str, bool] = {}
        self.resampled = self.multichannel = self.cuts_without = self.trimmed = 0
        self.example = ""

    def register(self, recording: dict[str, Any]) -> bool:
        """Return whether the files of a cut's recording exist; the disk is asked once per recording.

        Raises:
            UnreachableError: the disk does not answer.
        """
        known = self.exists.get(recording["id"])
        if known is not None:
            self.cuts_without += not known
            return known
        paths = [self.root / source["source"] for source in recording["sources"]]
        missing = [path for path in paths if not exists(path)]
        self.exists[recording["id"]] = not missing
        if missing and not self.cuts_without:
            self.example = str(missing[0])
        self.cuts_without += bool(missing)
        self.resampled += recording["sampling_rate"] != SAMPLE_RATE
        self.multichannel += len(recording.get("channel_ids") or [0]) > 1
        return self.exists[recording["id"]]

    def check(self, manifest: str | Path, section: str = "manifest") -> None:
        """Raise ValueError if no file exists at all: then the audio root is wrong, not the data."""
        if self.exists and not any(self.exists.values()):
            raise ValueError(
                f"{manifest}: not one of its {len(self.exists)} recordings exists, e.g. {self.example};"
                f" check corpus.{section}.audio_root"
            )

    def summary(self) -> str:
        """Counts for the log."""
        missing = sum(not exists for exists in self.exists.values())
        return (
            f"{len(self.exists)} recordings ({missing} without a file, {self.resampled} to be resampled to"
            f" {SAMPLE_RATE} Hz, {self.multichannel} with several channels)"
            + (f", {self.trimmed} cuts cut to their supervision" if self.trimmed else "")
        )


def check_root(root: Path, section: str = "manifest") -> None:
    """Raise OSError if the audio root is not a folder."""
    if not root.is_dir():
        raise OSError(f"corpus.{section}.audio_root: {root} is not a folder")


class SplitExclusion:
    """Keeps the cuts of one split disjoint from other splits: in recordings always, in speakers and books where asked.

    A book is the text that was read (`custom.text_path`), by any speaker. Cuts without one, and speakers called
    "unknown", are not compared.

    Args:
        keys: those of SPLIT_KEYS to compare, besides recording.
        others: names that each other split uses, by key.
    """

    def __init__(self, keys: Iterable[str], others: Iterable[dict[str, list[str]]]):
        self.keys = [key for key in SPLIT_KEYS if key == "recording" or key in keys]
        self.excluded: dict[str, set[str]] = {key: set() for key in SPLIT_KEYS}
        for other in others:
            for key, names in other.items():
                self.excluded[key].update(names)
        self.used: dict[str, set[str]] = {key: set() for key in SPLIT_KEYS}

    def names_of(self, cut: Cut) -> tuple[str | None, str | None, str | None]:
        """Recording, speaker and book of a cut, in the order of SPLIT_KEYS."""
        speaker = cut["supervisions"][0]["speaker"]
        book = (cut.get("custom") or {}).get("text_path")
        return cut["recording"]["id"], (None if speaker == "unknown" else speaker), book

    def conflict(self, names: Sequence[str | None]) -> str | None:
        """The first of a cut's names that another split uses, with its key; None if there is none."""
        for key, name in zip(SPLIT_KEYS, names, strict=True):
            if key in self.keys and name in self.excluded[key]:
                return f"{key} {name!r}"
        return None

    def add(self, names: Sequence[str | None]) -> None:
        """Record the names of a cut of this split."""
        for key, name in zip(SPLIT_KEYS, names, strict=True):
            if name is not None:
                self.used[key].add(name)

    def to_json(self) -> dict[str, list[str]]:
        """The names that this split uses, by key: `others` of the next split."""
        return {key: sorted(names) for key, names in self.used.items()}


@dataclass(frozen=True)
class HeldOut:
    """Assigns about `share` of a manifest's speakers to dev, by a hash of seed and name."""

    share: float
    seed: int
    split: str

    def __call__(self, line: dict[str, Any]) -> bool:
        """Whether a cut, valid or not, belongs to this split."""
        supervisions = line.get("supervisions")
        first = supervisions[0] if isinstance(supervisions, list) and supervisions else None
        speaker = first.get("speaker") if isinstance(first, dict) else None
        dev = derive(self.seed, "corpus", "held-out", speaker) < self.share * 2**63
        return dev == (self.split == "dev")


def read_manifests(manifests: Sequence[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(file:line, cut) of several manifests in turn."""
    for manifest in manifests:
        for number, line in enumerate(read_jsonl(manifest), start=1):
            yield f"{manifest.name}:{number}", line


def valid_cuts(
    manifests: Sequence[Path],
    rules: Rules,
    recordings: Recordings,
    exclusion: SplitExclusion,
    drops: Drops,
    *,
    held_out: HeldOut | None = None,
    need_audio: bool = False,
    listed: frozenset[str] = frozenset(),
    errors: Histogram | None = None,
) -> Iterator[Cut]:
    """The manifests' valid cuts of this split; its invalid ones are recorded in `drops`. `listed` as of `check_cut`.

    `errors` counts the errors of transcripts, where book texts have some.
    """
    seen_ids = SeenIds()
    for location, line in read_manifests(manifests):
        if held_out is not None and not held_out(line):
            continue
        name = str(line.get("id", location))
        try:
            cut = check_cut(line, rules, listed)
        except DropError as error:
            drops.add(name, error.reason, str(error))
            continue
        if errors is not None and rules.max_cer is not None:
            texts, (_, spoken) = texts_of(line["supervisions"][0]), cut["supervisions"][0]["custom"]["texts"]
            rate = transcript_error(texts, spoken)
            if rate is not None:
                errors.add(rate)
                if rate > rules.max_cer:
                    drops.add(name, "transcript", f"CER {rate:.0%} between book and transcript")
                    continue
        recordings.trimmed += cut["duration"] != line["duration"]
        names = exclusion.names_of(cut)
        if not seen_ids.add(name):
            drops.add(name, "duplicate-id", f"again at {location}")
            continue
        if (conflict := exclusion.conflict(names)) is not None:
            drops.add(name, "in-train", f"{conflict} is in the training manifest too")
            continue
        if not recordings.register(cut["recording"]) and need_audio:
            drops.add(name, "audio-missing", cut["recording"]["sources"][0]["source"])
            continue
        exclusion.add(names)
        yield cut


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, nargs="+", required=True, help="Lhotse cuts, .jsonl or .jsonl.gz")
    parser.add_argument("--section", default="manifest", help="name of the section of corpus, for messages")
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that audio paths are relative to")
    parser.add_argument("--need-audio", action="store_true", help="drop cuts whose file is missing")
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="files to write the cuts into")
    parser.add_argument("--dropped", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, required=True, help="list to write: recordings, speakers, books")
    parser.add_argument("--other-splits", type=Path, nargs="*", default=[], help="--recordings of splits to exclude")
    parser.add_argument("--split-exclusion", nargs="*", default=[], choices=SPLIT_KEYS, help="besides recording")
    parser.add_argument("--held-out", type=float, default=0.0, help="share of speakers assigned to dev")
    parser.add_argument("--split", choices=("train", "dev"), help="which of the two this is, for --held-out")
    parser.add_argument("--seed", type=int, default=0, help="for --held-out")
    parser.add_argument("--config", type=Rules.parse, required=True, help="JSON: characters, min_ and max_seconds, ...")
    parser.add_argument("--lexicon", type=Path, nargs="*", default=[], help="the user's pronunciations")
    args = parser.parse_args()

    check_root(args.audio_root, args.section)
    listed = beyond_ascii(args.lexicon)
    manifests = ", ".join(map(str, args.manifest))
    label = f"corpus/{args.section} {' '.join(path.name for path in args.manifest)}"
    recordings = Recordings(args.audio_root)
    exclusion = SplitExclusion(args.split_exclusion, map(read_json, args.other_splits))
    held_out = HeldOut(args.held_out, args.seed, args.split) if args.held_out else None
    errors = Histogram() if args.config.texts == "book" and args.config.max_cer is not None else None
    with ExitStack() as stack:
        drops = stack.enter_context(Drops.open(args.dropped))
        shards = Shards(args.shards, stack)
        cuts = valid_cuts(
            args.manifest,
            args.config,
            recordings,
            exclusion,
            drops,
            held_out=held_out,
            need_audio=args.need_audio,
            listed=listed,
            errors=errors,
        )
        for done, cut in enumerate(cuts, start=1):
            shards.write(cut)
            if done % REPORT_EVERY == 0:
                print(f"{label}: {done:,} cuts, dropped: {drops.summary()}", file=sys.stderr)
        recordings.check(manifests, args.section)
        kept = sum(shards.counts)
        # Without --need-audio the alignment drops what is missing: it is lost all the same.
        lost = drops.counts if args.need_audio else {**drops.counts, "audio-missing": recordings.cuts_without}
        present = kept if args.need_audio else kept - recordings.cuts_without
        if kept:
            examples = {"audio-missing": recordings.example} | drops.examples
            hold_to_limits(label, lost, present, args.config, examples)
        if not kept:
            example = f", e.g. {drops.example}" if drops.example else ""
            hint = (
                f"; corpus.{args.section}.held_out = {args.held_out:g} leaves {args.split} no speaker"
                if held_out
                else ""
            )
            raise ValueError(
                f"{manifests}: no usable cut (dropped: {drops.summary()}{example}){hint if not example else ''}"
            )
        if 0 in shards.counts:
            raise ValueError(
                f"{manifests}: {len(shards.shard_of)} recordings do not fill {len(args.shards)} shards;"
                " lower corpus.shards"
            )
        shards.finish()
        write_json(args.recordings, exclusion.to_json())
    if errors is not None:
        print(f"{label}: {errors}", file=sys.stderr)
    print(
        f"{label}: {sum(shards.counts)} cuts, {sum(shards.seconds) / 3600:.3f} h in {len(args.shards)} shards,"
        f" {recordings.summary()}; dropped: {drops.summary()}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
