"""Synthesise one shard of the script: long FLACs, cuts that point into them, and the true phone times.

A shard holds whole chapters, so that shards are synthesised in parallel without sharing a file. Only tests read the
true phone times.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, total_seconds
from scripts.common.files import atomic_directory, read_jsonl, write_csv, write_jsonl
from scripts.common.progress import Progress
from scripts.common.seeds import generator
from scripts.corpus.config import Limits, Voices
from scripts.corpus.drops import COLUMNS, dropped, examples_of
from scripts.corpus.losses import hold_to_limits
from scripts.corpus.world.arguments import add_voice_arguments
from scripts.corpus.world.closures import with_closures
from scripts.corpus.world.espeak import Speech, SpeechError, speak
from scripts.corpus.world.prosody import draw_prosody, parse_voices
from scripts.corpus.world.recording import Utterance, write_recording

Line = dict[str, Any]


def chapters(lines: Iterable[Line]) -> dict[tuple[str, str], list[Line]]:
    """Lines by (speaker, chapter), in order of first appearance; ValueError if an id appears twice."""
    by_chapter: dict[tuple[str, str], list[Line]] = {}
    ids: set[str] = set()
    for line in lines:
        if line["id"] in ids:
            raise ValueError(f"the script holds utterance {line['id']!r} twice")
        ids.add(line["id"])
        by_chapter.setdefault((line["speaker"], line["chapter"]), []).append(line)
    return by_chapter


def truth(name: str, speech: Speech) -> dict[str, Any]:
    """The utterance's true phones: [symbol, start, duration] in seconds; `unsure` lists guessed starts.

    A voiceless stop has its closure (scripts/corpus/world/closures.py).
    """
    marked = with_closures(speech.phones, speech.wave)
    phones = [[symbol, start, round(end - start, 6)] for symbol, start, end in marked]
    return {"id": name, "phones": phones, "unsure": speech.unsure}


def speak_chapter(
    lines: list[Line], voices: Voices, limits: Limits, seed: int, drops: list[dict[str, str]]
) -> Iterator[tuple[Utterance, dict[str, Any]]]:
    """Each utterance with its true phone times; what cannot be used is appended to `drops`."""
    for line in lines:
        prosody = draw_prosody(voices, seed, line["speaker"], line["id"])
        try:
            speech = speak(line["words"], **prosody.settings)
        except SpeechError as error:
            drops.append(dropped(line["id"], "unspeakable", str(error)))
            continue
        except ValueError as error:
            raise ValueError(f"utterance {line['id']}: {error}") from None
        if reason := limits.reason(speech.seconds):
            drops.append(dropped(line["id"], reason, f"{speech.seconds:.2f} s"))
            continue
        wave = prosody.apply_gain(speech.wave)
        yield Utterance(line["id"], line["speaker"], line["text"], line["words"], wave), truth(line["id"], speech)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_voice_arguments(parser)
    parser.add_argument("--cuts", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    args = parser.parse_args()
    voices, limits = parse_voices(args.config), parse(Limits, args.limits, "corpus")

    began = time.monotonic()
    book = chapters(read_jsonl(args.script))
    progress = Progress(f"corpus/speak {args.source}", len(book), "chapters")
    cuts: list[Cut] = []
    truths: list[dict[str, Any]] = []
    drops: list[dict[str, str]] = []
    with atomic_directory(args.audio) as aside:
        for done, ((speaker, chapter), lines) in enumerate(book.items(), start=1):
            spoken = list(speak_chapter(lines, voices, limits, args.seed, drops))
            if spoken:
                source = f"{args.source}/{speaker}/{chapter}.flac"
                rng = generator(args.seed, "record", source)
                file = aside / speaker / f"{chapter}.flac"
                cuts += write_recording([utterance for utterance, _ in spoken], file, source, voices.noise, rng)
                truths += [true for _, true in spoken]
            progress.update(done)
    if not cuts:
        raise ValueError(f"{args.script}: no utterance is left ({len(drops)} dropped: see {args.dropped})")
    counts = Counter(row["reason"] for row in drops)
    hold_to_limits(f"corpus/speak {args.script}", counts, len(cuts), limits, examples_of(drops))
    write_csv(args.dropped, COLUMNS, drops)
    write_jsonl(args.truth, truths)
    write_jsonl(args.cuts, cuts)
    seconds = total_seconds(cuts)
    print(
        f"corpus/speak {args.source}: {len(cuts)} utterances, {seconds / 3600:.3f} h in {len(book)} chapters,"
        f" {len(drops)} dropped, {seconds / (time.monotonic() - began):.0f} x real time",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
