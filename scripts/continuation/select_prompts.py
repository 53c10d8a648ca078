"""Select the prompts that all models continue, and their real continuations.

Both come from dev, which is not trained on: a prompt is the beginning of an utterance up to the end of a word (of a
sentence, if one ends nearby), the real continuation is the speech that follows. Real continuations are encoded,
synthesised, transcribed and judged like generated ones, which measures the cost of these steps. Prompts and
continuations are ordinary cuts, from which every modality reads its symbols.

Listed prompts (`corpus/prompts.jsonl`) may replace those from dev; they have no real continuations, so these are always
from dev.
"""

import argparse
import heapq
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, book_text, phone_alignment, read_cuts, spoken_text, supervision
from scripts.common.files import read_jsonl, write_jsonl
from scripts.common.seeds import derive
from scripts.continuation.config import Selection

PROMPT, REAL = "prompt", "real"  # suffix of the cut's id, after the prompt's id
SHORTEST_REAL = 0.25  # minimum duration of a real continuation, relative to continuation.seconds
END_MARKS = (".", "?", "!")
NEAR = 1e-6  # seconds; tolerance in comparisons of times, which are sums of floats


@dataclass(frozen=True)
class Word:
    """A word as spoken and as written in the book; times in seconds from the start of the cut."""

    spoken: str
    written: str
    start: float
    end: float


class UnusableError(Exception):
    """An utterance that cannot be split into prompt and continuation; its argument is the reason."""


def aligned_words(cut: Cut) -> list[Word]:
    """The cut's words with their times.

    Raises:
        UnusableError: book text and spoken text differ in their number of words.
        ValueError: the cut has no alignment.
    """
    aligned = (supervision(cut).get("alignment") or {}).get("word")
    if not aligned:
        raise ValueError(f"cut {cut['id']}: has no word alignment; expected a cut from alignment/cuts")
    written = book_text(cut).split()
    if len(written) != len(aligned):
        raise UnusableError("text and speech have different words")
    return [
        Word(spoken, text, start, start + duration)
        for (spoken, start, duration, *_), text in zip(aligned, written, strict=True)
    ]


def prompt_length(words: list[Word], prompt_seconds: float) -> int:
    """Number of words of the prompt: up to the end of a sentence near `prompt_seconds`, otherwise of a word."""

    def distance(count: int) -> float:
        return abs(words[count - 1].end - prompt_seconds)

    counts = range(1, len(words))
    ends = [n for n in counts if words[n - 1].written.endswith(END_MARKS) and distance(n) <= prompt_seconds / 2]
    return min(ends or counts, key=distance, default=0)


def cut_segment(cut: Cut, name: str, words: list[Word], start: float, end: float) -> Cut:
    """The segment of a cut from `start` to `end` seconds, both at word boundaries, with its alignment."""
    old = supervision(cut)
    phones = [(symbol, at, length) for symbol, at, length in phone_alignment(cut) if start - NEAR <= at < end - NEAR]
    inside = [[symbol, round(at - start, 8), length] for symbol, at, length in phones]
    new = {
        **old,
        "id": name,
        "start": 0.0,
        "duration": round(end - start, 8),
        "custom": {
            **old["custom"],
            "texts": [" ".join(w.written for w in words), " ".join(w.spoken for w in words)],
        },
        "alignment": {
            "word": [[w.spoken, round(w.start - start, 8), round(w.end - w.start, 8)] for w in words],
            "phone": inside,
        },
    }
    return {
        **cut,
        "id": name,
        "start": round(cut["start"] + start, 8),
        "duration": new["duration"],
        "supervisions": [new],
    }


def split_utterance(cut: Cut, name: str, config: Selection) -> tuple[Cut, Cut]:
    """(prompt, real continuation) of an utterance; UnusableError if it cannot be split."""
    words = aligned_words(cut)
    count = prompt_length(words, config.prompt_seconds)
    if not count or words[count - 1].end > 2 * config.prompt_seconds:
        raise UnusableError("no word ends near prompt_seconds")
    middle = words[count - 1].end
    rest = [word for word in words[count:] if word.end <= middle + config.seconds + NEAR]
    if not rest or rest[-1].end - middle < SHORTEST_REAL * config.seconds:
        raise UnusableError("too little follows")
    # The last word of an utterance is followed by silence, which belongs to the continuation.
    end = cut["duration"] if rest[-1] is words[-1] else rest[-1].end
    return (
        cut_segment(cut, f"{name}/{PROMPT}", words[:count], 0.0, middle),
        cut_segment(cut, f"{name}/{REAL}", rest, middle, end),
    )


def select(cuts: Iterable[Cut], config: Selection, seed: int) -> Iterator[tuple[str, str, Cut, Cut]]:
    """(prompt's id, utterance, prompt, continuation) of `config.prompts` utterances, drawn by the hash of their ids.

    The cuts are streamed: at most `config.prompts` are in memory. A smaller number is reported on stderr with reasons.

    Raises:
        ValueError: no utterance can be used; the message counts why.
    """
    reasons: Counter[str] = Counter()
    kept: list[tuple[int, str, Cut]] = []  # a heap, the largest hash on top
    for cut in cuts:
        priority = derive(seed, "continuation/prompts", cut["id"])
        if len(kept) == config.prompts and priority >= -kept[0][0]:
            continue
        try:
            split_utterance(cut, "", config)
        except UnusableError as error:
            reasons[str(error)] += 1
            continue
        heapq.heappush(kept, (-priority, cut["id"], cut))
        if len(kept) > config.prompts:
            heapq.heappop(kept)
    for number, (_, utterance, cut) in enumerate(sorted(kept, reverse=True)):
        name = f"dev{number:03d}"
        yield name, utterance, *split_utterance(cut, name, config)
    if len(kept) < config.prompts:
        why = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common()) or "no more utterances"
        message = f"continuation.prompts is {config.prompts}; dev gives {len(kept)} ({why})"
        if not kept:
            raise ValueError(f"config: {message}; shorten continuation.prompt_seconds and seconds, or set prompts to 0")
        print(f"continuation: {message}", file=sys.stderr)


def topics(scripts: Iterable[Path]) -> dict[str, str]:
    """Topic of each utterance, from the scripts of the world; empty without scripts."""
    return {line["id"]: line["topic"] for path in scripts for line in read_jsonl(path)}


def main() -> None:
    """Command line of rule continuation_select_prompts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", nargs="+", required=True, help="aligned dev shards")
    parser.add_argument("--scripts", nargs="*", type=Path, default=[], help="their scripts with topics, for the world")
    parser.add_argument("--listed", nargs="?", type=Path, help="corpus/prompts.jsonl, for prompts_from: list")
    parser.add_argument("--config", required=True, help="JSON: keys of the section continuation")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="cuts of prompts and real continuations")
    parser.add_argument("--prompts", type=Path, required=True, help="texts of the prompts (.jsonl)")
    args = parser.parse_args()
    config = parse(Selection, args.config, "continuation")
    topic_by_utterance = topics(args.scripts)
    cuts: list[Cut] = []
    rows: list[dict[str, Any]] = []
    for line in read_jsonl(args.listed) if args.listed else ():
        texts = {"text": line["text"], "real": None, "spoken": spoken_text(line["cut"])}
        rows.append({"id": line["id"], "utterance": line["id"], "topic": line["topic"], **texts})
    for name, utterance, prompt, real in select((c for path in args.cuts for c in read_cuts(path)), config, args.seed):
        cuts += [prompt, real]
        texts = {"text": book_text(prompt), "real": book_text(real), "spoken": spoken_text(prompt)}
        rows.append({"id": name, "utterance": utterance, "topic": topic_by_utterance.get(utterance), **texts})
    write_jsonl(args.out, cuts)
    write_jsonl(args.prompts, rows)
    pairs = len(cuts) // 2
    seconds = [sum(cut["duration"] for cut in cuts[part::2]) / pairs for part in (0, 1)]
    print(
        f"continuation: {pairs} prompts from dev of {seconds[0]:.1f} s and continuations of {seconds[1]:.1f} s on"
        f" average, {len(rows) - pairs} listed prompts",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
