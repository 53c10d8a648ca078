"""Lhotse cuts in LibriHeavy's schema become the corpus: checked one by one, dealt into shards.

Nothing is copied but the cuts themselves, and a cut keeps every field it came with (of LibriHeavy's, all but
`pre_texts`). The manifests are read as one stream; what grows with it is 12 to 24 bytes per cut (to find ids used
twice) and about 300 per recording. A recording's cuts stay in one shard: each new recording goes to the shard with the
fewest seconds so far.

A file that is damaged as such (truncated, not JSON) is an error. A cut that cannot be used is dropped under a
reason: malformed, no-supervision, several-supervisions, no-text, empty-text, characters, digits, too-short,
too-long, outside-recording, duplicate-id, in-train (dev only: its recording, or its speaker or book where asked, is in
train too, and a dev loss on what was trained on says nothing), audio-missing (where asked: else whether the sound can
be used is for the alignment to say).
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.cuts import Cut
from scripts.common.files import read_json, read_jsonl, write_json
from scripts.common.frames import SAMPLE_RATE
from scripts.common.seeds import derive
from scripts.corpus.drops import Drops
from scripts.corpus.speech.seen_ids import Met
from scripts.corpus.speech.shards import Shards
from scripts.corpus.speech.validate import CutError, Rules, checked

REPORT_EVERY = 250_000  # cuts between two lines of progress: how many there are is not known beforehand
KINDS = ("recording", "speaker", "book")


class Recordings:
    """Which recordings have been met, whether their files are there, and what is notable about them."""

    def __init__(self, root: Path):
        self.root = root
        self.found: dict[str, bool] = {}
        self.resampled = self.several = 0
        self.example = ""

    def meet(self, recording: dict[str, Any]) -> bool:
        """Look once whether a recording's file is there; whether it is."""
        known = self.found.get(recording["id"])
        if known is not None:
            return known
        path = self.root / recording["sources"][0]["source"]
        self.found[recording["id"]] = path.exists()
        self.example = self.example or str(path)
        self.resampled += recording["sampling_rate"] != SAMPLE_RATE
        self.several += len(recording.get("channel_ids") or [0]) > 1
        return self.found[recording["id"]]

    def check(self, manifest: str | Path, section: str = "manifest") -> None:
        """ValueError if not a single file is there: then the root is wrong, not the data."""
        if self.found and not any(self.found.values()):
            raise ValueError(
                f"{manifest}: not one of its {len(self.found)} recordings exists, e.g. {self.example};"
                f" check corpus.{section}.audio_root"
            )

    def summary(self) -> str:
        """What a reader should know."""
        missing = sum(not here for here in self.found.values())
        return (
            f"{len(self.found)} recordings ({missing} without a file, {self.resampled} to be resampled to"
            f" {SAMPLE_RATE} Hz, {self.several} with several channels)"
        )


def check_root(root: Path, section: str = "manifest") -> None:
    """OSError if the audio root is not a folder."""
    if not root.is_dir():
        raise OSError(f"corpus.{section}.audio_root: {root} is not a folder")


class Apart:
    """What the splits must not share: recordings always, speakers and books where asked.

    A book is the text that was read from (`custom.text_path`), whoever read it; cuts without one, and speakers
    called "unknown", are not compared.

    Args:
        kinds: of KINDS; what to compare.
        taken: per kind, names that other splits use.
    """

    def __init__(self, kinds: Iterable[str], taken: Iterable[dict[str, list[str]]]):
        self.kinds = [kind for kind in KINDS if kind == "recording" or kind in kinds]
        self.taken: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for names in taken:
            for kind, found in names.items():
                self.taken[kind].update(found)
        self.used: dict[str, set[str]] = {kind: set() for kind in KINDS}

    def places(self, cut: Cut) -> tuple[str | None, str | None, str | None]:
        """Recording, speaker and book of a cut, in the order of KINDS."""
        speaker = cut["supervisions"][0]["speaker"]
        book = (cut.get("custom") or {}).get("text_path")
        return cut["recording"]["id"], (None if speaker == "unknown" else speaker), book

    def shared(self, places: Sequence[str | None]) -> str | None:
        """What of a cut another split has, in words."""
        for kind, name in zip(KINDS, places, strict=True):
            if kind in self.kinds and name in self.taken[kind]:
                return f"{kind} {name!r}"
        return None

    def use(self, places: Sequence[str | None]) -> None:
        """Note what a cut of this split uses."""
        for kind, name in zip(KINDS, places, strict=True):
            if name is not None:
                self.used[kind].add(name)

    def to_json(self) -> dict[str, list[str]]:
        """What this split uses, for the splits that stay apart from it."""
        return {kind: sorted(names) for kind, names in self.used.items()}


@dataclass(frozen=True)
class HeldOut:
    """Speakers of one manifest who are dev's: about `share` of them, by a hash of seed and name."""

    share: float
    seed: int
    split: str

    def __call__(self, line: dict[str, Any]) -> bool:
        """Whether a cut, sound or not, is of this split."""
        supervisions = line.get("supervisions")
        first = supervisions[0] if isinstance(supervisions, list) and supervisions else None
        speaker = first.get("speaker") if isinstance(first, dict) else None
        dev = derive(self.seed, "corpus", "held-out", speaker) < self.share * 2**63
        return dev == (self.split == "dev")


def lines(manifests: Sequence[Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where a cut stands, and the cut, of several manifests in turn."""
    for manifest in manifests:
        for number, line in enumerate(read_jsonl(manifest), start=1):
            yield f"{manifest.name}:{number}", line


def usable(
    manifests: Sequence[Path],
    rules: Rules,
    recordings: Recordings,
    apart: Apart,
    drops: Drops,
    *,
    mine: HeldOut | None = None,
    need_audio: bool = False,
) -> Iterator[Cut]:
    """The manifests' cuts that can be used; the others go to `drops`, but for those that are of another split."""
    met = Met()
    for place, line in lines(manifests):
        if mine is not None and not mine(line):
            continue
        name = str(line.get("id", place))
        try:
            cut = checked(line, rules)
        except CutError as error:
            drops.add(name, error.reason, str(error))
            continue
        places = apart.places(cut)
        if not met.add(name):
            drops.add(name, "duplicate-id", f"again at {place}")
            continue
        if (shared := apart.shared(places)) is not None:
            drops.add(name, "in-train", f"{shared} is in the training manifest too")
            continue
        if not recordings.meet(cut["recording"]) and need_audio:
            drops.add(name, "audio-missing", cut["recording"]["sources"][0]["source"])
            continue
        apart.use(places)
        yield cut


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, nargs="+", required=True, help="Lhotse cuts, .jsonl or .jsonl.gz")
    parser.add_argument("--section", default="manifest", help="of the configuration's corpus, for messages")
    parser.add_argument("--audio-root", type=Path, required=True, help="folder that audio paths are relative to")
    parser.add_argument("--need-audio", action="store_true", help="drop cuts whose file is missing")
    parser.add_argument("--shards", type=Path, nargs="+", required=True, help="files to deal the cuts into")
    parser.add_argument("--dropped", type=Path, required=True)
    parser.add_argument("--recordings", type=Path, required=True, help="list to write: recordings, speakers, books")
    parser.add_argument("--not-in", type=Path, nargs="*", default=[], help="such lists of splits to stay apart from")
    parser.add_argument("--apart", nargs="*", default=[], choices=KINDS, help="what of them besides recordings")
    parser.add_argument("--held-out", type=float, default=0.0, help="share of speakers that are dev's")
    parser.add_argument("--split", choices=("train", "dev"), help="which of the two this is, for --held-out")
    parser.add_argument("--seed", type=int, default=0, help="for --held-out")
    parser.add_argument("--config", type=Rules.parse, required=True, help="JSON: characters, min_ and max_seconds, ...")
    args = parser.parse_args()

    check_root(args.audio_root, args.section)
    told = ", ".join(map(str, args.manifest))
    label = f"corpus/{args.section} {' '.join(path.name for path in args.manifest)}"
    recordings = Recordings(args.audio_root)
    apart = Apart(args.apart, map(read_json, args.not_in))
    mine = HeldOut(args.held_out, args.seed, args.split) if args.held_out else None
    with ExitStack() as stack:
        drops = stack.enter_context(Drops.open(args.dropped))
        shards = Shards(args.shards, stack)
        cuts = usable(args.manifest, args.config, recordings, apart, drops, mine=mine, need_audio=args.need_audio)
        for done, cut in enumerate(cuts, start=1):
            shards.write(cut)
            if done % REPORT_EVERY == 0:
                print(f"{label}: {done:,} cuts, dropped: {drops.told()}", file=sys.stderr)
        recordings.check(told, args.section)
        if not sum(shards.counts):
            example = f", e.g. {drops.example}" if drops.example else ""
            hint = (
                f"; corpus.{args.section}.held_out = {args.held_out:g} leaves {args.split} no speaker" if mine else ""
            )
            raise ValueError(f"{told}: no usable cut (dropped: {drops.told()}{example}){hint if not example else ''}")
        if 0 in shards.counts:
            raise ValueError(
                f"{told}: {len(shards.of)} recordings do not fill {len(args.shards)} shards; lower corpus.shards"
            )
        shards.finish()
        write_json(args.recordings, apart.to_json())
    print(
        f"{label}: {sum(shards.counts)} cuts, {sum(shards.seconds) / 3600:.3f} h in {len(args.shards)} shards,"
        f" {recordings.summary()}; dropped: {drops.told()}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
