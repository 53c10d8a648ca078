"""Synthesise a task's script: one item per pair and voice, both sides, and both pairs of a couple, with one prosody.

A pair may have several candidates for its negative side. All are synthesised, and one is selected so that the sides
cannot be distinguished by their length in seconds (50 Hz frames, per voice), letters or phones
(`balance.select_candidates`). A pair that fails in one voice is dropped, and its mirror with it.

Keys of a line that only this step reads: `context_words`, the words at the start that all sides share (spoken once,
see scripts/corpus/world/splice.py; the item gets `shared_seconds`); `cue` and `target`, indices of words of the
positive side (the item gets `distance_seconds`, between their true starts).
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Item, sides, total_seconds
from scripts.common.files import atomic_directory, read_jsonl, write_csv, write_jsonl
from scripts.common.frames import SAMPLE_RATE, frame_count
from scripts.common.progress import Progress
from scripts.common.seeds import generator
from scripts.corpus.config import Limits, Voices
from scripts.corpus.drops import COLUMNS, complete_couples, dropped, examples_of
from scripts.corpus.losses import hold_to_limits
from scripts.corpus.pronounce import cmudict_lexicon
from scripts.corpus.world.arguments import add_voice_arguments
from scripts.corpus.world.balance import select_candidates, shorter_side_accuracy
from scripts.corpus.world.closures import with_closures
from scripts.corpus.world.espeak import Speech, SpeechError
from scripts.corpus.world.prosody import Prosody, draw_prosody, parse_voices
from scripts.corpus.world.recording import Utterance, write_recording
from scripts.corpus.world.splice import SpeechCache, check_context

PER_RECORDING = 200  # utterances in one FLAC, an even number: sides with one context lie side by side
SCRIPT_ONLY = {"voices", "positive", "negatives", "context_words", "cue", "target"}  # keys that an item has not
Side = dict[str, Any]


@dataclass(frozen=True)
class Measured:
    """A pair whose sides every voice can synthesise.

    Attributes:
        line: the script's line.
        negatives: candidates that every voice can synthesise.
        differences: int [candidates, speakers + 2], positive minus candidate: frames per speaker of the whole
            experiment (0 where the pair is not spoken), letters, phones.
    """

    line: dict[str, Any]
    negatives: list[Side]
    differences: np.ndarray


def letters(side: Side) -> int:
    """Characters of the words, spaces left out."""
    return sum(len(word["word"]) for word in side["words"])


def phones(side: Side) -> int:
    """Phones of the words."""
    return sum(len(word["phones"].split()) for word in side["words"])


def prosody_of(line: dict[str, Any], voices: Voices, seed: int, speaker: str) -> Prosody:
    """The prosody of all sides of a couple, or of a pair that is in none."""
    return draw_prosody(voices, seed, speaker, line.get("couple", line["id"]))


def word_starts(words: Sequence[Mapping[str, str]], speech: Speech) -> list[float]:
    """Seconds at which each spoken word begins, by the true times of its phones."""
    starts = [start for symbol, start, _ in with_closures(speech.phones, speech.wave) if symbol != "SIL"]
    counts = [len(word["phones"].split()) for word in words]
    return [starts[first] for first in np.cumsum([0, *counts[:-1]])]


def check_distance(line: dict[str, Any]) -> None:
    """ValueError unless `cue` and `target`, if any, are two words of the positive side in this order."""
    if ("cue" in line) != ("target" in line):
        raise ValueError("holds one of cue and target; expected both or neither")
    count = len(line["positive"]["words"])
    if "cue" in line and not 0 <= line["cue"] < line["target"] < count:
        raise ValueError(f"cue {line['cue']} and target {line['target']} must be 0 <= cue < target < {count} (words)")


def measure(line: dict[str, Any], voices: Voices, limits: Limits, seed: int, speeches: SpeechCache) -> Measured:
    """Speak all sides in all of the pair's voices and compare lengths.

    Raises:
        ValueError: the line's context or distance does not fit its words.
        SpeechError: the positive side, or every candidate, cannot be used; the message says why.
    """
    context = check_context(line)
    check_distance(line)

    def sizes(side: Side) -> np.ndarray:
        frames = np.zeros(voices.speakers, np.int64)
        for speaker in line["voices"]:
            speech = speeches.speak(side["words"], context, prosody_of(line, voices, seed, speaker)).speech
            if reason := limits.reason(speech.seconds):
                raise SpeechError(f"{reason}: {side['text']!r} lasts {speech.seconds:.2f} s")
            frames[int(speaker.removeprefix("speaker-"))] = frame_count(len(speech.wave))
        return np.array([*frames, letters(side), phones(side)])

    positive = sizes(line["positive"])
    negatives, differences, problem = [], [], SpeechError("there are no candidates for the negative side")
    for candidate in line["negatives"]:
        try:
            differences.append(positive - sizes(candidate))
            negatives.append(candidate)
        except SpeechError as error:
            problem = error
    if not negatives:
        raise problem
    return Measured(line, negatives, np.array(differences))


def measure_all(
    lines: Sequence[dict[str, Any]],
    voices: Voices,
    limits: Limits,
    seed: int,
    speeches: SpeechCache,
    drops: list[dict[str, str]],
) -> Iterator[Measured]:
    """The pairs that can be synthesised; the others are appended to `drops`."""
    ids: set[str] = set()
    for line in lines:
        if line["id"] in ids:
            raise ValueError(f"the script holds pair {line['id']!r} twice")
        ids.add(line["id"])
        try:
            yield measure(line, voices, limits, seed, speeches)
        except SpeechError as error:
            drops.append(dropped(line["id"], "unspeakable", str(error)))
        except ValueError as error:
            raise ValueError(f"pair {line['id']}: {error}") from None


def without_half_couples(
    lines: Sequence[dict[str, Any]], pairs: Sequence[Measured], drops: list[dict[str, str]]
) -> list[Measured]:
    """The pairs whose whole couple is left; the others are appended to `drops`."""
    gone = {row["id"] for row in drops}
    lost = {line["couple"] for line in lines if line["id"] in gone and "couple" in line}
    kept, rows = complete_couples([pair.line for pair in pairs], lost)
    drops += rows
    ids = {line["id"] for line in kept}
    return [pair for pair in pairs if pair.line["id"] in ids]


def unknown_words(side: Side, lexicon: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Pronunciations, as spoken, of words for which the lexicon has another or none."""
    spoken = {word["word"].upper(): word["phones"] for word in side["words"]}
    return {word: phones for word, phones in spoken.items() if phones not in lexicon.get(word, ())}


def utterances_of(
    line: dict[str, Any],
    negative: Side,
    speaker: str,
    prosody: Prosody,
    speeches: SpeechCache,
    lexicon: Mapping[str, Sequence[str]],
) -> tuple[list[Utterance], dict[str, float]]:
    """Both sides of a pair in one voice, positive first, and `shared_seconds` and `distance_seconds` of its item."""
    context = check_context(line)
    texts = {"positive": line["positive"], "negative": negative}
    spoken = [speeches.speak(side["words"], context, prosody) for side in texts.values()]
    loudest = [float(np.abs(one.speech.wave).max()) for one in spoken]
    # One factor for both sides where they share samples.
    peaks = [max(loudest)] * 2 if context else loudest
    shared = min(one.shared for one in spoken)  # the shorter of two pauses
    times: dict[str, float] = {}
    if context:
        times["shared_seconds"] = shared / SAMPLE_RATE
    if "cue" in line:
        starts = word_starts(line["positive"]["words"], spoken[0].speech)
        times["distance_seconds"] = round(starts[line["target"]] - starts[line["cue"]], 3)
    utterances = [
        Utterance(
            id=f"{line['id']}-{speaker}-{name}",
            speaker=speaker,
            text=side["text"],
            words=side["words"],
            wave=prosody.apply_gain(one.speech.wave, peak),
            pronunciations=unknown_words(side, lexicon),
            shared=shared if name == "negative" else 0,
        )
        for (name, side), one, peak in zip(texts.items(), spoken, peaks, strict=True)
    ]
    return utterances, times


def record_all(
    chosen: Sequence[tuple[dict[str, Any], Side]],
    voices: Voices,
    seed: int,
    speeches: SpeechCache,
    folder: Path,
    source: str,
) -> list[Item]:
    """Write the chosen sides into long FLACs per speaker; the items, pair by pair."""
    lexicon = cmudict_lexicon()
    items: dict[tuple[str, str], Item] = {}
    speakers = sorted({speaker for line, _ in chosen for speaker in line["voices"]})
    for done, speaker in enumerate(speakers):
        todo = [(line, negative) for line, negative in chosen if speaker in line["voices"]]
        progress = Progress(f"corpus/speak {source} {done + 1}/{len(speakers)}", len(todo), "pairs")
        for first in range(0, len(todo), PER_RECORDING // 2):
            pairs = todo[first : first + PER_RECORDING // 2]
            spoken = [
                utterances_of(line, negative, speaker, prosody_of(line, voices, seed, speaker), speeches, lexicon)
                for line, negative in pairs
            ]
            path = f"{speaker}/{2 * first // PER_RECORDING:03d}.flac"
            rng = generator(seed, "record", source, path)
            utterances = [utterance for both, _ in spoken for utterance in both]
            cuts = write_recording(utterances, folder / path, f"{source}/{path}", voices.noise, rng)
            for (line, _), (_, times), positive, negative in zip(pairs, spoken, cuts[::2], cuts[1::2], strict=True):
                kept = {key: value for key, value in line.items() if key not in SCRIPT_ONLY}
                items[line["id"], speaker] = {**kept, **times, "positive": positive, "negative": negative}
            progress.update(first + len(pairs))
    return [items[line["id"], speaker] for line, _ in chosen for speaker in line["voices"]]


def report(pairs: Sequence[Measured], picks: Sequence[int], speakers: int) -> str:
    """What a length-only score would reach, per unit of length and voice."""
    table = np.array([pair.differences[pick] for pair, pick in zip(pairs, picks, strict=True)])  # [P, speakers + 2]
    spoken = [np.array([f"speaker-{s}" in pair.line["voices"] for pair in pairs], dtype=bool) for s in range(speakers)]
    frames = np.concatenate([table[mask, s] for s, mask in enumerate(spoken)])
    parts = [f"frames {shorter_side_accuracy(frames):.1%} ({np.mean(frames == 0):.0%} ties)"]
    parts += [f"speaker-{s} {shorter_side_accuracy(table[mask, s]):.1%}" for s, mask in enumerate(spoken) if mask.any()]
    parts += [f"letters {shorter_side_accuracy(table[:, -2]):.1%}", f"phones {shorter_side_accuracy(table[:, -1]):.1%}"]
    return "the shorter side is right in: " + ", ".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_voice_arguments(parser)
    parser.add_argument("--items", type=Path, required=True)
    args = parser.parse_args()
    voices, limits = parse_voices(args.config), parse(Limits, args.limits, "corpus")

    lines = list(read_jsonl(args.script))
    drops: list[dict[str, str]] = []
    progress = Progress(f"corpus/speak {args.source}, choosing", len(lines), "pairs")
    pairs: list[Measured] = []
    speeches = SpeechCache()
    for pair in measure_all(lines, voices, limits, args.seed, speeches, drops):
        pairs.append(pair)
        progress.update(len(pairs) + len(drops))
    pairs = without_half_couples(lines, pairs, drops)
    if not pairs:
        raise ValueError(f"{args.script}: no pair is left ({len(drops)} dropped)")
    counts = Counter(row["reason"] for row in drops)
    hold_to_limits(f"corpus/speak_tasks {args.script}", counts, len(pairs), limits, examples_of(drops), "pairs")
    picks = select_candidates([pair.differences for pair in pairs])
    chosen = [(pair.line, pair.negatives[pick]) for pair, pick in zip(pairs, picks, strict=True)]
    with atomic_directory(args.audio) as aside:
        items = record_all(chosen, voices, args.seed, speeches, aside, args.source)
    write_csv(args.dropped, COLUMNS, drops)
    write_jsonl(args.items, items)
    seconds = total_seconds(cut for item in items for cut in sides(item))
    print(
        f"corpus/speak {args.source}: {len(pairs)} pairs, {len(items)} items,"
        f" {seconds / 3600:.3f} h, {len(drops)} pairs dropped;"
        f" {report(pairs, picks, voices.speakers)}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
