"""Force-align one file of cuts, or one file of task items, with the trained model.

A cut that cannot be used is dropped with a reason; a task item is dropped if any of its sides is, or if another item of
its couple is (couple-incomplete). Frame t of the aligner covers the time from t to t + 1 hops; the last phone ends with
the cut. The phones cover the cut without gaps, SIL included.

`--cuts` is a shard (one cut per line) or a task (`positive` and `negative` cuts per line); `--out` has the same form.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from scripts.alignment.calibration import Thresholds, thresholds
from scripts.alignment.confidence import LikelihoodBound, mean_score
from scripts.alignment.config import Aligning, problems
from scripts.alignment.decoding_graph import Graphs, Segment, min_frames, segments, split_words
from scripts.alignment.features import FeatureExtractor
from scripts.alignment.g2p import G2pModel
from scripts.alignment.lexicon import Dictionary, Entry, OutOfVocabularyError, read_lexicon, spoken_noise
from scripts.alignment.model import AcousticModel, load
from scripts.common import audio
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, Item, is_item, num_samples, read_cuts, sides, supervision, with_sides
from scripts.common.files import read_jsonl, write_csv, write_jsonl
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.common.progress import Progress
from scripts.corpus.drops import complete_couples

DROPPED_COLUMNS = ("split", "id", "reason", "detail")
GUESSED_COLUMNS = ("word", "count", "pronunciation")


class DropError(Exception):
    """A cut that cannot be aligned; `reason` is its key in dropped.csv."""

    def __init__(self, reason: str, detail: str):
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def align_cut(
    cut: Cut,
    entries: list[Entry],
    graphs: Graphs,
    bound: LikelihoodBound,
    lowest: Thresholds,
    extractor: FeatureExtractor,
    config: Aligning,
) -> list[Segment]:
    """Align a cut; its phones in order.

    Raises:
        DropError: with reason audio-*, too-short, alignment-failed or low-likelihood.
    """
    samples = num_samples(cut)
    if frame_count(samples) < 2:  # frames of 25 ms every 20 ms: later stages need two
        raise DropError("too-short", f"{samples / SAMPLE_RATE * 1000:.0f} ms; at least 45 ms are needed")
    if not entries:
        raise DropError("alignment-failed", "the cut has no words")
    try:
        features = extractor(cut)
    except audio.AudioError as error:
        raise DropError(error.reason, str(error)) from None
    needed = min_frames(entries)
    if len(features) < needed:
        raise DropError("alignment-failed", f"{len(features)} frames; its phones need at least {needed}")
    best_path = graphs.search(graphs.compile(entries), features, *config.beam)
    if best_path is None:
        raise DropError(
            "alignment-failed", f"no path within beam {config.beam[1]:g}; do words and audio belong together?"
        )
    phones = segments(graphs.model, *best_path)
    likelihood, threshold = mean_score(phones), lowest(len(features))
    score = likelihood - bound(features, limit=likelihood - threshold)
    if score < threshold:
        limit = f"the threshold for {len(features)} frames is {threshold:.2f}"
        raise DropError("low-likelihood", f"{score:.2f} per frame against the best sounds; {limit}")
    return phones


def with_alignment(cut: Cut, phones: list[Segment], entries: list[Entry], frame_shift_ms: float) -> Cut:
    """A copy of the cut whose supervision holds phones and words as Lhotse AlignmentItems.

    An item is [symbol, start, duration, score]; times in seconds from the cut's start, score per frame.
    """
    # Durations are differences of rounded boundaries, so that adjacent items meet exactly.
    last = phones[-1].end
    times = {p.start: round(p.start * frame_shift_ms / 1000, 4) for p in phones} | {last: cut["duration"]}

    def item(symbol: str, parts: list[Segment]) -> list[Any]:
        start, end = times[parts[0].start], times[parts[-1].end]
        return [symbol, start, round(end - start, 8), round(mean_score(parts), 2)]

    alignment = {
        "word": [item(word, parts) for word, parts in split_words(phones, entries)],
        "phone": [item(p.phone, [p]) for p in phones],
    }
    return {**cut, "supervisions": [{**supervision(cut), "alignment": alignment}]}


class Aligner:
    """Aligns cuts and collects those that it drops.

    Args:
        model: the acoustic model.
        words: source of the pronunciations.
        cuts: all cuts to align; their words form the lexicon of the graphs.
        root: folder that audio paths are relative to.
        config: beams.
        lowest: scores below which an alignment is dropped.
        split: value of the first column of `dropped`.
    """

    def __init__(
        self,
        model: AcousticModel,
        words: Dictionary,
        cuts: Sequence[Cut],
        root: str,
        config: Aligning,
        lowest: Thresholds,
        split: str,
    ):
        self.words, self.config, self.lowest, self.split = words, config, lowest, split
        self.dropped: list[dict[str, str]] = []
        self.guessed: Counter[str] = Counter()  # occurrences in kept cuts of words with a guessed pronunciation
        self.scores: list[float] = []
        self.seconds = 0.0
        vocabulary: set[Entry] = set()
        for cut in cuts:
            try:
                vocabulary.update(words.entries(cut))
            except OutOfVocabularyError:
                continue
        self.graphs = Graphs(model, vocabulary)
        self.bound = LikelihoodBound(model.gaussians())
        self.extractor = FeatureExtractor(cuts, root, model.frame_shift_ms)

    def align(self, cut: Cut) -> Cut | None:
        """The cut with its alignment, or None if it is dropped."""
        try:
            entries = self.words.entries(cut)
            phones = align_cut(cut, entries, self.graphs, self.bound, self.lowest, self.extractor, self.config)
        except OutOfVocabularyError as error:
            self._drop(cut, "oov", str(error))
        except DropError as drop:
            self._drop(cut, drop.reason, drop.detail)
        else:
            self.scores.append(mean_score(phones))
            self.seconds += cut["duration"]
            guesses = self.words.guessed
            self.guessed.update(word for word, known in entries if known == (guesses.get(word),))
            return with_alignment(cut, phones, entries, self.graphs.model.frame_shift_ms)
        return None

    def align_items(self, items: list[Item], name: str) -> list[Item]:
        """Items of which all sides, and those of all items of their couples, could be aligned."""
        aligned = list(self.align_lines(items, name))
        left = {item["positive"]["id"] for item in aligned}
        lost = {item["couple"] for item in items if "couple" in item and item["positive"]["id"] not in left}
        kept, incomplete = complete_couples([{**item, "id": item["positive"]["id"]} for item in aligned], lost)
        self.dropped += [{"split": self.split, **row} for row in incomplete]
        whole = {item["id"] for item in kept}
        return [item for item in aligned if item["positive"]["id"] in whole]

    def align_lines(self, lines: list[Cut] | list[Item], name: str) -> Iterator[Cut | Item]:
        """Cuts, or items whose sides could all be aligned, in order."""
        progress = Progress(name, len(lines), "lines")
        for number, line in enumerate(lines, start=1):
            if is_item(line):
                aligned = [self.align(cut) for cut in sides(line)]
                if None not in aligned:
                    yield with_sides(line, [cut for cut in aligned if cut])
            else:
                cut = self.align(line)
                if cut is not None:
                    yield cut
            progress.update(number, f"{len(self.dropped)} dropped")

    def guesses(self) -> list[dict[str, Any]]:
        """Words of kept cuts with a guessed pronunciation, most frequent first."""
        return [
            {"word": word, "count": count, "pronunciation": " ".join(self.words.guessed[word])}
            for word, count in sorted(self.guessed.items(), key=lambda item: (-item[1], item[0]))
        ]

    def _drop(self, cut: Cut, reason: str, detail: str) -> None:
        self.dropped.append({"split": self.split, "id": cut["id"], "reason": reason, "detail": detail})


def summary(name: str, kept: int, total: int, aligner: Aligner, resampled: int, wall: float) -> str:
    """Counts, scores and speed for the log."""
    scores = aligner.scores or [float("nan")]
    lines = [
        f"{name}: {kept} of {total} kept, {aligner.seconds / 60:.1f} min,"
        f" log-likelihood per frame {np.mean(scores):.2f} (lowest {np.min(scores):.2f}),"
        f" {aligner.seconds / max(wall, 1e-9):.0f} x real time"
    ]
    if resampled:
        lines.append(f"{name}: audio of {resampled} cuts is not at {SAMPLE_RATE} Hz and was resampled")
    lines += [f"{name}: audio of {count} cuts {note}" for note, count in aligner.extractor.notes.items()]
    if aligner.guessed:
        total_guessed = aligner.guessed.total()
        lines.append(f"{name}: {len(aligner.guessed)} words, {total_guessed} occurrences, have a guessed pronunciation")
    counts = Counter(row["reason"] for row in aligner.dropped)
    lines += [f"{name}: dropped {count} cuts: {reason}" for reason, count in counts.most_common()]
    if total and not kept:
        reason, count = counts.most_common(1)[0]
        lines.append(
            f"error: {name}: none of {total} lines is kept; the most frequent reason is {reason} ({count}),"
            f" e.g. {aligner.dropped[0]['id']}: {aligner.dropped[0]['detail']}"
        )
    return "\n".join(lines)


def main() -> None:
    """Command line of the step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", required=True, help="cuts or task items, jsonl.gz")
    parser.add_argument("--audio-root", required=True, help="folder that audio paths are relative to")
    parser.add_argument("--model", required=True, help="folder written by scripts.alignment.train")
    parser.add_argument("--lexicon", required=True, help="'WORD PH ON ES' per line")
    parser.add_argument("--split", required=True, help="name for the first column of --dropped")
    parser.add_argument("--config", required=True, help="JSON: keys of the section alignment")
    parser.add_argument("--out", required=True, help="kept lines with alignments, jsonl.gz")
    parser.add_argument("--dropped", required=True, help="csv of dropped cuts with reasons")
    parser.add_argument("--guessed", required=True, help="csv of words without a known pronunciation")
    args = parser.parse_args()
    config = parse(Aligning, args.config, "alignment", problems)
    start = time.monotonic()

    model = load(args.model)
    lowest = thresholds(config.min_log_likelihood, args.model)
    guess = None if config.oov == "drop" else spoken_noise if config.oov == "noise" else G2pModel.load(Path(args.model))
    words = Dictionary(read_lexicon(args.lexicon), model.phones, guess)
    lines = list(read_jsonl(args.cuts))
    cuts = list(read_cuts(args.cuts))
    check_ids(cuts, args.cuts)
    aligner = Aligner(model, words, cuts, args.audio_root, config, lowest, args.split)
    name = f"alignment/{args.split}"
    align = aligner.align_items if lines and is_item(lines[0]) else aligner.align_lines
    kept = write_jsonl(args.out, align(lines, name))
    write_csv(args.dropped, DROPPED_COLUMNS, aligner.dropped)
    write_csv(args.guessed, GUESSED_COLUMNS, aligner.guesses())
    resampled = sum(cut["recording"]["sampling_rate"] != SAMPLE_RATE for cut in cuts)
    print(summary(name, kept, len(lines), aligner, resampled, time.monotonic() - start), file=sys.stderr)


def check_ids(cuts: list[Cut], path: str) -> None:
    """ValueError naming file and id if a cut id appears twice."""
    for first, second in pairwise(sorted(cut["id"] for cut in cuts)):
        if first == second:
            raise ValueError(f"{path}: cut id {first!r} appears twice; ids must be unique")


if __name__ == "__main__":
    run(main)
