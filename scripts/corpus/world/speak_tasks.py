"""Synthesise a task's script: one item per pair and voice, both sides with the same prosody.

A pair may have several candidates for its negative side. All are synthesised, and one is selected so that the sides
cannot be distinguished by their length in seconds (50 Hz frames, per voice), letters or phones
(`balance.select_candidates`). A pair that fails in one voice is dropped.
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
from scripts.common.cuts import Cut, Item, total_seconds
from scripts.common.files import atomic_directory, read_jsonl, write_csv, write_jsonl
from scripts.common.frames import frame_count
from scripts.common.progress import Progress
from scripts.common.seeds import generator
from scripts.corpus.config import Limits, Voices
from scripts.corpus.drops import COLUMNS, dropped, examples_of
from scripts.corpus.losses import hold_to_limits
from scripts.corpus.pronounce import cmudict_lexicon
from scripts.corpus.world.arguments import add_voice_arguments
from scripts.corpus.world.balance import select_candidates, shorter_side_accuracy
from scripts.corpus.world.espeak import SpeechError, speak
from scripts.corpus.world.prosody import draw_prosody, parse_voices
from scripts.corpus.world.recording import Utterance, write_recording

PER_RECORDING = 200  # utterances in one FLAC
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


def measure(line: dict[str, Any], voices: Voices, limits: Limits, seed: int) -> Measured:
    """Speak all sides in all of the pair's voices and compare lengths.

    Raises:
        SpeechError: the positive side, or every candidate, cannot be used; the message says why.
    """

    def sizes(side: Side) -> np.ndarray:
        frames = np.zeros(voices.speakers, np.int64)
        for speaker in line["voices"]:
            prosody = draw_prosody(voices, seed, speaker, line["id"])
            speech = speak(side["words"], **prosody.settings)
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
    lines: Sequence[dict[str, Any]], voices: Voices, limits: Limits, seed: int, drops: list[dict[str, str]]
) -> Iterator[Measured]:
    """The pairs that can be synthesised; the others are appended to `drops`."""
    ids: set[str] = set()
    for line in lines:
        if line["id"] in ids:
            raise ValueError(f"the script holds pair {line['id']!r} twice")
        ids.add(line["id"])
        try:
            yield measure(line, voices, limits, seed)
        except SpeechError as error:
            drops.append(dropped(line["id"], "unspeakable", str(error)))
        except ValueError as error:
            raise ValueError(f"pair {line['id']}: {error}") from None


def unknown_words(side: Side, lexicon: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Pronunciations, as spoken, of words for which the lexicon has another or none."""
    spoken = {word["word"].upper(): word["phones"] for word in side["words"]}
    return {word: phones for word, phones in spoken.items() if phones not in lexicon.get(word, ())}


def record_all(
    chosen: Sequence[tuple[dict[str, Any], Side]], voices: Voices, seed: int, folder: Path, source: str
) -> dict[str, Cut]:
    """Speak the chosen sides into long FLACs per speaker; the cuts by id `{pair}-{speaker}-{side}`."""
    lexicon = cmudict_lexicon()
    cuts: dict[str, Cut] = {}
    speakers = sorted({speaker for line, _ in chosen for speaker in line["voices"]})
    for done, speaker in enumerate(speakers):
        todo = [
            (line, name, side)
            for line, negative in chosen
            if speaker in line["voices"]
            for name, side in (("positive", line["positive"]), ("negative", negative))
        ]
        progress = Progress(f"corpus/speak {source} {done + 1}/{len(speakers)}", len(todo), "utterances")
        for first in range(0, len(todo), PER_RECORDING):
            utterances = []
            for line, name, side in todo[first : first + PER_RECORDING]:
                prosody = draw_prosody(voices, seed, speaker, line["id"])
                utterances.append(
                    Utterance(
                        id=f"{line['id']}-{speaker}-{name}",
                        speaker=speaker,
                        text=side["text"],
                        words=side["words"],
                        wave=prosody.apply_gain(speak(side["words"], **prosody.settings).wave),
                        pronunciations=unknown_words(side, lexicon),
                    )
                )
            path = f"{speaker}/{first // PER_RECORDING:03d}.flac"
            rng = generator(seed, "record", source, path)
            made = write_recording(utterances, folder / path, f"{source}/{path}", voices.noise, rng)
            cuts.update((cut["id"], cut) for cut in made)
            progress.update(first + len(utterances))
    return cuts


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
    for pair in measure_all(lines, voices, limits, args.seed, drops):
        pairs.append(pair)
        progress.update(len(pairs) + len(drops))
    if not pairs:
        raise ValueError(f"{args.script}: no pair is left ({len(drops)} dropped)")
    picks = select_candidates([pair.differences for pair in pairs])
    chosen = [(pair.line, pair.negatives[pick]) for pair, pick in zip(pairs, picks, strict=True)]
    with atomic_directory(args.audio) as aside:
        cuts = record_all(chosen, voices, args.seed, aside, args.source)
    items: list[Item] = [
        {
            **{key: value for key, value in line.items() if key not in ("voices", "positive", "negatives")},
            "positive": cuts[f"{line['id']}-{speaker}-positive"],
            "negative": cuts[f"{line['id']}-{speaker}-negative"],
        }
        for line, _ in chosen
        for speaker in line["voices"]
    ]
    counts = Counter(row["reason"] for row in drops)
    hold_to_limits(f"corpus/speak_tasks {args.script}", counts, len(pairs), limits, examples_of(drops), "pairs")
    write_csv(args.dropped, COLUMNS, drops)
    write_jsonl(args.items, items)
    print(
        f"corpus/speak {args.source}: {len(pairs)} pairs, {len(items)} items,"
        f" {total_seconds(cuts.values()) / 3600:.3f} h, {len(drops)} pairs dropped;"
        f" {report(pairs, picks, voices.speakers)}",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
