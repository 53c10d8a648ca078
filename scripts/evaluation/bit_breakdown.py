"""Where a modality's bits go: to beginnings, insides and ends of words, to silence, to repeated frames, to the end.

Every token of dev is put into one of PARTS by the symbols that it holds; -log2 p of the parts adds up to the bits of
bits.py. A text's words are its runs of letters and digits; a phone belongs to the aligned word that it lies in; a frame
to the phone at its centre, whether the frame's symbol is a phone or a unit.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cuts import Cut, book_text, phone_alignment, read_cuts, word_alignment
from scripts.evaluation.accuracy import interval
from scripts.evaluation.bits import Utterance
from scripts.tokens.encoder import load_spans
from scripts.tokens.modality import Modality
from scripts.tokens.sources import SILENCE, phone_at_frames, read

COLUMNS = ("part", "metric", "value", "ci_low", "ci_high", "n")
PARTS = {
    "word": "a whole word or more",
    "initial": "the beginning of a word",
    "internal": "the inside of a word",
    "final": "the end of a word",
    "between": "silence; in text spaces and punctuation",
    "repeated": "a frame like the one before it, in a word",
    "repeated-between": "a frame like the one before it, in silence",
    "unplaced": "tokens that others made",
    "end": "the end of the utterance",
}
BEGINS, ENDS, INSIDE = 1, 2, 4
WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")


def _text(cut: Cut, modality: Modality) -> np.ndarray:
    text = book_text(cut)
    marks = np.zeros(len(text), np.int64)
    for word in WORD.finditer(text):
        marks[word.start() : word.end()] |= INSIDE
        marks[word.start()] |= BEGINS
        marks[word.end() - 1] |= ENDS
    return marks


def _aligned(cut: Cut) -> np.ndarray:
    """Marks of every aligned phone, SIL included."""
    words, phones = word_alignment(cut), phone_alignment(cut)
    if not words:
        return np.zeros(len(phones), np.int64)
    starts = np.array([start for _, start, _ in words])
    ends = np.array([start + duration for _, start, duration in words])
    middles = np.array([start + duration / 2 for _, start, duration in phones])
    word = np.searchsorted(starts, middles, side="right") - 1  # [P], the last word that began before
    inside = (word >= 0) & (np.array([name for name, *_ in phones]) != SILENCE)
    inside &= middles < ends[np.maximum(word, 0)]
    word = np.where(inside, word, -1)
    before, after = np.concatenate([[-1], word[:-1]]), np.concatenate([word[1:], [-1]])
    return inside * INSIDE + (inside & (before != word)) * BEGINS + (inside & (after != word)) * ENDS


def _phones(cut: Cut, modality: Modality) -> np.ndarray:
    kept = [modality.silence == "keep" or name != SILENCE for name, *_ in phone_alignment(cut)]
    return _aligned(cut)[np.array(kept, bool)]


def _frames(cut: Cut, modality: Modality) -> np.ndarray:
    return _aligned(cut)[phone_at_frames(cut, modality.frame_rate or 0.0)]


# (source, has a frame rate) -> BEGINS, ENDS and INSIDE of every symbol, int64 [symbols]
PLACES: dict[tuple[str, bool], Callable[[Cut, Modality], np.ndarray]] = {
    ("text", False): _text,
    ("phones", False): _phones,
    ("phones", True): _frames,
    ("units", True): _frames,
}


def part(marks: np.ndarray, repeated: np.ndarray) -> str:
    """The part of a token whose symbols have these marks, and are like the symbol before or not; [symbols] both."""
    again = len(repeated) > 0 and bool(repeated.all())
    held = int(np.bitwise_or.reduce(marks)) if len(marks) else 0
    if not held:
        return "repeated-between" if again else "between"
    if again:
        return "repeated"
    return {BEGINS | ENDS: "word", BEGINS: "initial", ENDS: "final", 0: "internal"}[held & (BEGINS | ENDS)]


def parts(cut: Cut, symbols: Sequence[str], spans: list[tuple[int, int]], modality: Modality) -> list[str]:
    """The part of every token of an utterance after BOS, EOS included."""
    places = PLACES.get((modality.source, modality.framed))
    if places is None:
        return ["unplaced"] * len(spans) + ["end"]
    marks = places(cut, modality)
    names = np.array(list(symbols), dtype=np.str_)
    repeated = np.zeros(len(names), bool)
    if modality.framed:
        repeated[1:] = names[1:] == names[:-1]
    return [part(marks[a:b], repeated[a:b]) for a, b in spans] + ["end"]


def read_parts(
    shards: Sequence[Path], streams: Sequence[Path], tokenizer: Path, modality: Modality
) -> Iterator[tuple[str, list[str]]]:
    """(id, part of every token after BOS) of the utterances of aligned shards; streams as `sources.read` wants them."""
    spans = load_spans(tokenizer)
    files: Sequence[Path | None] = streams or [None] * len(shards)
    for shard, stream in zip(shards, files, strict=True):
        for cut, utterance in zip(read_cuts(shard), read(shard, stream, modality), strict=True):
            yield utterance.id, parts(cut, utterance.symbols, spans(utterance.symbols), modality)


def table(
    utterances: list[Utterance],
    logprobs: dict[str, np.ndarray],
    placed: Iterable[tuple[str, list[str]]],
    samples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Rows with bits_per_second, tokens_per_second and bits_per_token of every part that occurs.

    Args:
        utterances: of dev.
        logprobs: id -> nats of every token after BOS.
        placed: (id, part of every token after BOS) of each of them.
        samples: resamples of utterances per interval.
        seed: of the resamples.

    Raises:
        ValueError: naming the cut, if its parts are not as many as its tokens.
    """
    names = list(PARTS)
    bits, counts = np.zeros((2, len(utterances), len(names)))
    places = {one.id: at for at, one in enumerate(utterances)}
    for name, token_parts in placed:
        nats = logprobs[name]
        if len(token_parts) != len(nats):
            raise ValueError(
                f"cut {name}: has {len(nats)} tokens, its tokenizer makes {len(token_parts)}; encode dev again"
            )
        which = np.array([names.index(part) for part in token_parts])
        np.add.at(bits[places[name]], which, -nats / np.log(2))
        np.add.at(counts[places[name]], which, 1)
    seconds = np.array([one.seconds for one in utterances])
    rows = []
    for column, name in enumerate(names):
        if not counts[:, column].any():
            continue
        per = {
            "bits_per_second": (bits, seconds),
            "tokens_per_second": (counts, seconds),
            "bits_per_token": (bits, counts[:, column]),
        }
        for metric, (what, weights) in per.items():
            found_interval = interval(what[:, column], samples, seed, weights)
            rows.append({"part": name, "metric": metric, **found_interval._asdict()})
    return rows
