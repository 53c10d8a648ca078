"""Alignments made elsewhere (Montreal Forced Aligner, Kaldi) in the place of our own, for one file of cuts or items.

`--external` is a folder of either kind, ids being the cuts':

    <cut id>.TextGrid            tiers `words` and `phones` (MFA's), in folders of any depth; links are followed
    words.ctm and phones.ctm     Kaldi's, `id channel start duration symbol`

Every cut is checked, in both forms alike: it must have a readable alignment of its own length (to LENGTH_TOLERANCE), of
ARPAbet phones and of the transcript's words, each of which begins after the last one ends, lasts, and lies in the cut.
What fails is dropped with its reason and counted, as in scripts.alignment.align, and the job goes on. The output is as
there, but for scores, which other aligners do not give.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Container, Iterator
from math import isfinite
from pathlib import Path
from typing import Any

from scripts.alignment import ctm, textgrid
from scripts.alignment.align import DROPPED_COLUMNS, GUESSED_COLUMNS, DropError, check_ids
from scripts.alignment.lexicon import SILENCE, SPOKEN_NOISE
from scripts.common import audio
from scripts.common.cli import run
from scripts.common.cuts import Cut, Item, is_item, read_cuts, sides, spoken_text, supervision, with_sides
from scripts.common.file_tree import files, report_skipped
from scripts.common.files import read_jsonl, write_csv, write_jsonl
from scripts.corpus.letters import fold_letters, listed_form
from scripts.corpus.pronounce import is_phone

LENGTH_TOLERANCE = 0.05  # seconds between the end of an alignment and of its cut; two frames and a half of 20 ms
OVERLAP = 0.001  # seconds that a phone may begin before the last one ends: rounding
TEXTGRID = ".textgrid"  # in any case
SILENCES = {"", "SIL", "SP", "<EPS>", "<SIL>"}
NOISES = {"SPN", "NSN", "LAU", "<UNK>"}

Aligned = tuple[list[ctm.Item], list[ctm.Item]]  # phones, words


def phone_name(symbol: str) -> str:
    """ARPAbet with stress, SIL or SPN; Kaldi's word positions (_B _I _E _S) go. DropError for another phone."""
    name = symbol.upper()
    if name[-2:] in ("_B", "_I", "_E", "_S"):
        name = name[:-2]
    if name in SILENCES:
        return SILENCE
    if name in NOISES:
        return SPOKEN_NOISE
    if is_phone(name):
        return name
    raise DropError("external-phones", f"{symbol!r} is not an ARPAbet phone (vowels end in 0, 1 or 2)")


class External:
    """Alignments of a folder, found by cut id.

    Memory: of CTM files what concerns the wanted cuts, about 300 bytes a phone; TextGrids are read one by one.
    """

    def __init__(self, folder: str | Path, wanted: Container[str]):
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise ValueError(f"alignment.external: {folder} is not a folder of TextGrids or CTM files")
        self.damaged: dict[str, str] = {}
        self.grids: dict[str, Path] = {}
        for path in files(self.folder, lambda name: name.lower().endswith(TEXTGRID), report_skipped):
            name = str(path.relative_to(folder))[: -len(TEXTGRID)]
            if (first := self.grids.setdefault(name, path)) is not path:
                self.damaged[name] = f"{path}: a second TextGrid of this id beside {first.name}; remove one"
        tables = [self.folder / f"{name}.ctm" for name in ("phones", "words")]
        missing = [path for path in tables if not path.is_file()]
        if not self.grids and missing:
            raise ValueError(f"alignment.external: {folder} holds no TextGrid, and {missing[0].name} is missing")
        self.phones, self.words = ({}, {}) if self.grids else (ctm.read(path, wanted, self.damaged) for path in tables)
        if others := [problem for name, problem in self.damaged.items() if name not in wanted]:
            print(
                f"{folder}: {len(others)} further ids have lines that cannot be read, e.g. {others[0]}", file=sys.stderr
            )

    def __call__(self, name: str) -> Aligned | None:
        """Phones and words of a cut as they stand there, or None; DropError external-damaged."""
        if name in self.damaged:
            raise DropError("external-damaged", self.damaged[name])
        if not self.grids:
            return (self.phones[name], self.words.get(name, [])) if name in self.phones else None
        path = self.grids.get(name)
        if path is None:
            return None
        try:
            tiers = textgrid.read(path)
        except ValueError as error:
            raise DropError("external-damaged", str(error)) from None
        absent = {"phones", "words"} - set(tiers)
        if absent:
            raise DropError(
                "external-damaged", f"{path}: has no tier {min(absent)!r}; its tiers are {', '.join(tiers) or 'none'}"
            )
        phones, words = ([(s, a, b - a) for a, b, s in tiers[tier]] for tier in ("phones", "words"))
        return phones, words


def check_times(items: list[ctm.Item], end: float) -> None:
    """Check that phones or words follow each other, each with a length of its own, between 0 and `end` seconds.

    Raises:
        DropError: external-order or external-length, naming the first that does not.
    """
    now = 0.0
    for symbol, start, duration in items:
        if not (isfinite(start) and isfinite(duration)):
            raise DropError("external-order", f"{symbol!r} begins at {start} s and lasts {duration} s")
        if duration <= 0:
            raise DropError("external-order", f"{symbol!r} at {start:.3f} s lasts {duration:.3f} s")
        if start < now - OVERLAP:
            raise DropError("external-order", f"{symbol!r} begins at {start:.3f} s, before {now:.3f} s")
        now = start + duration
        # Kaldi's last frame may end some milliseconds behind the cut, but nothing begins there.
        if now > end + LENGTH_TOLERANCE or start >= end:
            raise DropError("external-length", f"{symbol!r} ends at {now:.3f} s, the cut at {end:.3f} s")


def gapless(phones: list[ctm.Item], end: float) -> list[ctm.Item]:
    """Phones that cover 0 to `end`: named as ours, gaps become SIL, neighbouring SIL are joined.

    Raises:
        DropError: external-length, external-order or external-phones.
    """
    if not phones:
        raise DropError("external-length", f"the alignment has no phones, and the cut lasts {end:.3f} s")
    *earlier, (symbol, start, duration) = phones
    if symbol.upper() in SILENCES and end <= start and start + duration <= end + LENGTH_TOLERANCE:
        phones = earlier  # rounding moved the silence after the last phone behind the cut
    check_times(phones, end)
    boundaries: list[tuple[str, float]] = []
    now = 0.0
    for symbol, start, duration in phones:
        if start > now + OVERLAP:
            boundaries.append((SILENCE, now))
        boundaries.append((phone_name(symbol), start if start > now + OVERLAP else now))
        now = start + duration
    # Kaldi's last frame ends up to 25 ms early, and a CTM without silences ends where the last word does.
    if now < end - LENGTH_TOLERANCE:
        boundaries.append((SILENCE, now))
    joined = [
        boundary for i, boundary in enumerate(boundaries) if not (i and boundary[0] == boundaries[i - 1][0] == SILENCE)
    ]
    times = [round(start, 4) for _, start in joined] + [end]
    return [(name, times[i], round(times[i + 1] - times[i], 8)) for i, (name, _) in enumerate(joined)]


def _spelling(word: str) -> str:
    """A word in ASCII letters and apostrophes, as far as it has such."""
    return fold_letters(listed_form(word)).upper()


def imported(cut: Cut, aligned: Aligned | None) -> Cut:
    """The cut with an alignment made elsewhere; DropError, with reason external-*, where it does not fit."""
    if aligned is None:
        raise DropError("external-missing", "no alignment has this id")
    phones = gapless(aligned[0], cut["duration"])
    words = [item for item in aligned[1] if item[0].upper() not in SILENCES]
    check_times(words, cut["duration"])
    aligned_words, text_words = [word.upper() for word, _, _ in words], spoken_text(cut).split()
    # The aligner may have read another spelling than ours: café for CAFE.
    if len(aligned_words) != len(text_words) or any(
        _spelling(a) != _spelling(b) and a not in NOISES for a, b in zip(aligned_words, text_words, strict=True)
    ):
        detail = f"its words are {' '.join(aligned_words)[:60]!r}, the transcript's {' '.join(text_words)[:60]!r}"
        raise DropError("external-words", detail)
    alignment: dict[str, Any] = {
        "word": [
            [word, start, round(min(duration, cut["duration"] - start), 8), None]
            for word, (_, start, duration) in zip(text_words, words, strict=True)
        ],
        "phone": [[phone, start, duration, None] for phone, start, duration in phones],
    }
    return {**cut, "supervisions": [{**supervision(cut), "alignment": alignment}]}


def import_lines(
    lines: list[Cut] | list[Item],
    external: External,
    split: str,
    dropped: list[dict[str, str]],
    audio_root: str | None = None,
    notes: Counter[str] | None = None,
) -> Iterator[Cut | Item]:
    """Cuts, or items all of whose sides have a fitting alignment, in order; the others go to `dropped`.

    With `audio_root` the audio is read through too, since no other step has read it yet; `notes` as in `audio.read`.
    """

    def import_cut(cut: Cut) -> Cut | None:
        try:
            aligned = imported(cut, external(cut["id"]))
            if audio_root is not None:
                audio.read(cut, audio_root, notes)
            return aligned
        except audio.AudioError as error:
            dropped.append({"split": split, "id": cut["id"], "reason": error.reason, "detail": str(error)})
            return None
        except DropError as drop:
            dropped.append({"split": split, "id": cut["id"], "reason": drop.reason, "detail": drop.detail})
            return None

    for line in lines:
        if is_item(line):
            imported_sides = [import_cut(cut) for cut in sides(line)]
            if None not in imported_sides:
                yield with_sides(line, [cut for cut in imported_sides if cut])
        elif (cut := import_cut(line)) is not None:
            yield cut


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, help="cuts or task items, jsonl.gz")
    parser.add_argument("--external", required=True, help="folder of TextGrids, or of words.ctm and phones.ctm")
    parser.add_argument("--audio-root", help="read every cut's audio from here too, and drop what cannot be read")
    parser.add_argument("--split", required=True, help="name for the first column of --dropped")
    parser.add_argument("--out", required=True, help="the same lines with alignments, jsonl.gz")
    parser.add_argument("--dropped", required=True, help="csv of what was dropped and why")
    parser.add_argument("--guessed", required=True, help="csv with no rows: nothing is guessed here")
    args = parser.parse_args()

    lines, cuts = list(read_jsonl(args.cuts)), list(read_cuts(args.cuts))
    check_ids(cuts, args.cuts)
    external = External(args.external, {cut["id"] for cut in cuts})
    dropped: list[dict[str, str]] = []
    notes: Counter[str] = Counter()
    kept = write_jsonl(args.out, import_lines(lines, external, args.split, dropped, args.audio_root, notes))
    write_csv(args.dropped, DROPPED_COLUMNS, dropped)
    write_csv(args.guessed, GUESSED_COLUMNS, [])
    print(f"alignment/{args.split}: {kept} of {len(lines)} kept with alignments of {args.external}", file=sys.stderr)
    for note, count in notes.items():
        print(f"alignment/{args.split}: audio of {count} cuts {note}", file=sys.stderr)
    examples = {row["reason"]: f"{row['id']}: {row['detail']}" for row in reversed(dropped)}
    for reason, count in Counter(row["reason"] for row in dropped).most_common():
        print(f"alignment/{args.split}: dropped {count} cuts: {reason}, e.g. {examples[reason]}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
