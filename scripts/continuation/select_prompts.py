"""Select the beginnings that all models continue, and keep what really followed them.

Both come from dev, which no model saw: a prompt is the first seconds of an utterance up to the end of a word (of a
sentence, if one ends nearby), the real continuation is what its speaker said next. Real continuations
go through everything that generated ones go through, so they show what the way itself costs. Prompt
and continuation are cuts like any other: every modality reads its own symbols from them.

Prompts of a list (`corpus/prompts.jsonl`) may take the place of those from dev; nothing real followed them, so the
real continuations are still those of dev.
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

PROMPT, REAL = "prompt", "real"  # second part of the cuts' ids, after the prompt's
SHORTEST_REAL = 0.25  # share of the asked seconds that must really have been said after a prompt
END_MARKS = (".", "?", "!")
NEAR = 1e-6  # seconds; times are sums of floats, so edges are compared with this to spare


@dataclass(frozen=True)
class Word:
    """A spoken word as the book writes it; times in seconds from the cut's start."""

    spoken: str
    written: str
    start: float
    end: float


class UnusableError(Exception):
    """An utterance that no prompt can be made of; its only argument is the reason."""


def words_of(cut: Cut) -> list[Word]:
    """The cut's words with their times.

    Raises:
        UnusableError: the book text has another number of words than were spoken.
        ValueError: the cut was never aligned.
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


def split_at(words: list[Word], prompt_seconds: float) -> int:
    """How many words the prompt has: up to the end of a sentence near `prompt_seconds`, else of a word."""

    def distance(count: int) -> float:
        return abs(words[count - 1].end - prompt_seconds)

    counts = range(1, len(words))
    ends = [n for n in counts if words[n - 1].written.endswith(END_MARKS) and distance(n) <= prompt_seconds / 2]
    return min(ends or counts, key=distance, default=0)


def piece(cut: Cut, name: str, words: list[Word], start: float, end: float) -> Cut:
    """The part of a cut from `start` to `end` seconds, both the edges of words, with its part of the alignment."""
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


def pair(cut: Cut, name: str, config: Selection) -> tuple[Cut, Cut]:
    """(prompt, real continuation) of an utterance; UnusableError if it cannot be split."""
    words = words_of(cut)
    count = split_at(words, config.prompt_seconds)
    if not count or words[count - 1].end > 2 * config.prompt_seconds:
        raise UnusableError("no word ends near prompt_seconds")
    middle = words[count - 1].end
    rest = [word for word in words[count:] if word.end <= middle + config.seconds + NEAR]
    if not rest or rest[-1].end - middle < SHORTEST_REAL * config.seconds:
        raise UnusableError("too little follows")
    # A prompt that ends its utterance would end in silence; this one ends where its last word does.
    end = cut["duration"] if rest[-1] is words[-1] else rest[-1].end
    return (
        piece(cut, f"{name}/{PROMPT}", words[:count], 0.0, middle),
        piece(cut, f"{name}/{REAL}", rest, middle, end),
    )


def select(cuts: Iterable[Cut], config: Selection, seed: int) -> Iterator[tuple[str, str, Cut, Cut]]:
    """(prompt's id, utterance, prompt, continuation) of `config.prompts` utterances, drawn by hash of their ids.

    The cuts are a stream: no more than that many are held. Fewer are said on stderr with the reasons.

    Raises:
        ValueError: no utterance can be used; the message counts why.
    """
    reasons: Counter[str] = Counter()
    kept: list[tuple[int, str, Cut]] = []  # a heap, the largest hash on top
    for cut in cuts:
        mark = derive(seed, "continuation/prompts", cut["id"])
        if len(kept) == config.prompts and mark >= -kept[0][0]:
            continue
        try:
            pair(cut, "", config)
        except UnusableError as error:
            reasons[str(error)] += 1
            continue
        heapq.heappush(kept, (-mark, cut["id"], cut))
        if len(kept) > config.prompts:
            heapq.heappop(kept)
    for number, (_, utterance, cut) in enumerate(sorted(kept, reverse=True)):
        name = f"dev{number:03d}"
        yield name, utterance, *pair(cut, name, config)
    if len(kept) < config.prompts:
        why = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common()) or "no more utterances"
        message = f"continuation.prompts is {config.prompts}; dev gives {len(kept)} ({why})"
        if not kept:
            raise ValueError(f"config: {message}; shorten continuation.prompt_seconds and seconds, or set prompts to 0")
        print(f"continuation: {message}", file=sys.stderr)


def topics(scripts: Iterable[Path]) -> dict[str, str]:
    """Topic per utterance from the written world's scripts; empty without them."""
    return {line["id"]: line["topic"] for path in scripts for line in read_jsonl(path)}


def main() -> None:
    """Command line of rule continuation_select_prompts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", nargs="+", required=True, help="aligned dev shards")
    parser.add_argument("--scripts", nargs="*", type=Path, default=[], help="what was spoken in them, with topics")
    parser.add_argument("--listed", nargs="?", type=Path, help="corpus/prompts.jsonl, if those are continued")
    parser.add_argument("--config", required=True, help="JSON: keys of the section continuation")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="cuts of prompts and real continuations")
    parser.add_argument("--prompts", type=Path, required=True, help="the prompts in words (.jsonl)")
    args = parser.parse_args()
    config = parse(Selection, args.config, "continuation")
    known = topics(args.scripts)
    cuts: list[Cut] = []
    rows: list[dict[str, Any]] = []
    for line in read_jsonl(args.listed) if args.listed else ():
        texts = {"text": line["text"], "real": None, "spoken": spoken_text(line["cut"])}
        rows.append({"id": line["id"], "utterance": line["id"], "topic": line["topic"], **texts})
    for name, utterance, prompt, real in select((c for path in args.cuts for c in read_cuts(path)), config, args.seed):
        cuts += [prompt, real]
        texts = {"text": book_text(prompt), "real": book_text(real), "spoken": spoken_text(prompt)}
        rows.append({"id": name, "utterance": utterance, "topic": known.get(utterance), **texts})
    write_jsonl(args.out, cuts)
    write_jsonl(args.prompts, rows)
    pairs = len(cuts) // 2
    spoken = [sum(cut["duration"] for cut in cuts[part::2]) / pairs for part in (0, 1)]
    print(
        f"continuation: {pairs} beginnings from dev of {spoken[0]:.1f} s and continuations of {spoken[1]:.1f} s on"
        f" average, {len(rows) - pairs} listed prompts",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
