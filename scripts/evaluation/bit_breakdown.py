"""Bit breakdown: a modality's bits divided by what the tokens represent.

Every token of dev is assigned to one of PARTS by its symbols; the bits (-log2 p) of the parts add up to those of
bits.py. Words of a text are its sequences of letters and digits; a phone belongs to the aligned word around its centre;
a frame to its phone, for units that at the frame's centre. Beginning and end of a word are those of its phones, also
where a modality leaves out what stands there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cuts import Cut, book_text, read_cuts
from scripts.evaluation.accuracy import interval
from scripts.evaluation.bits import Utterance
from scripts.tokens.aligned import phone_at_frames, phone_words
from scripts.tokens.config import UNIT_RATE
from scripts.tokens.modality import Modality
from scripts.tokens.sources import NO_TABLES, read
from scripts.tokens.sources import Utterance as Read
from scripts.tokens.span_encoder import load_spans
from scripts.tokens.tables import Tables
from scripts.tokens.text_form import WORD

COLUMNS = ("part", "metric", "value", "ci_low", "ci_high", "n")
PARTS = {
    "word": "a whole word or more",
    "initial": "the beginning of a word",
    "internal": "the inside of a word",
    "final": "the end of a word",
    "between": "silence; in text spaces and punctuation",
    "repeated": "a frame with the symbol of the frame before it, in a word",
    "repeated-between": "a frame with the symbol of the frame before it, in silence",
    "unplaced": "external tokens, which cannot be aligned to words",
    "end": "the end of the utterance",
}
BEGINS, ENDS, INSIDE = 1, 2, 4  # flags of a symbol: first of a word, last of a word, in a word


def _text_flags(cut: Cut) -> np.ndarray:
    """Flags of every character of the book text."""
    text = book_text(cut)
    flags = np.zeros(len(text), np.int64)
    for word in WORD.finditer(text):
        flags[word.start() : word.end()] |= INSIDE
        flags[word.start()] |= BEGINS
        flags[word.end() - 1] |= ENDS
    return flags


def _phone_flags(cut: Cut) -> np.ndarray:
    """Flags of every aligned phone, SIL included."""
    word = phone_words(cut)
    inside = word >= 0
    previous, following = np.concatenate([[-1], word[:-1]]), np.concatenate([word[1:], [-1]])
    return inside * INSIDE + (inside & (previous != word)) * BEGINS + (inside & (following != word)) * ENDS


def _frame_flags(cut: Cut) -> np.ndarray:
    """Flags of every frame of the units' clock."""
    return _phone_flags(cut)[phone_at_frames(cut, UNIT_RATE)]


# source -> flags of everything in a cut that a symbol may stand for (`places` of sources.py)
FLAGS: dict[str, Callable[[Cut], np.ndarray]] = {
    "text": _text_flags,
    "phones": _phone_flags,
    "units": _frame_flags,
}


def token_part(flags: np.ndarray, repeated: np.ndarray) -> str:
    """The part of a token, given flags and `repeated` (equals the symbol before it) of its symbols, [symbols] each."""
    all_repeated = len(repeated) > 0 and bool(repeated.all())
    union = int(np.bitwise_or.reduce(flags)) if len(flags) else 0
    if not union:
        return "repeated-between" if all_repeated else "between"
    if all_repeated:
        return "repeated"
    return {BEGINS | ENDS: "word", BEGINS: "initial", ENDS: "final", 0: "internal"}[union & (BEGINS | ENDS)]


def parts(cut: Cut, utterance: Read, spans: list[tuple[int, int]], modality: Modality) -> list[str]:
    """The part of every token of an utterance after BOS, EOS included."""
    if modality.source not in FLAGS:
        return ["unplaced"] * len(spans) + ["end"]
    flags = np.append(FLAGS[modality.source](cut), 0)[utterance.places]  # a symbol that stands for nothing has no flag
    names = np.array(list(utterance.symbols), dtype=np.str_)
    repeated = np.zeros(len(names), bool)
    if modality.repeats == "count":
        repeated[1::2] = True  # a run's length stands for its repeats
        repeated[2::2] = names[2::2] == names[:-2:2]  # the rest of a run beyond LONGEST_RUN
    elif modality.framed:
        repeated[1:] = names[1:] == names[:-1]
    return [token_part(flags[a:b], repeated[a:b]) for a, b in spans] + ["end"]


def read_parts(
    shards: Sequence[Path], streams: Sequence[Path], tokenizer: Path, modality: Modality, tables: Tables = NO_TABLES
) -> Iterator[tuple[str, list[str]]]:
    """(id, part of every token after BOS) of the utterances of aligned shards; streams and tables as for `read`."""
    spans = load_spans(tokenizer)
    files: Sequence[Path | None] = streams or [None] * len(shards)
    for shard, stream in zip(shards, files, strict=True):
        for cut, utterance in zip(read_cuts(shard), read(shard, stream, modality, tables), strict=True):
            yield utterance.id, parts(cut, utterance, spans(utterance.symbols), modality)


def table(
    utterances: list[Utterance],
    logprobs: dict[str, np.ndarray],
    token_parts: Iterable[tuple[str, list[str]]],
    samples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Rows with bits_per_second, tokens_per_second and bits_per_token of every part that occurs.

    Args:
        utterances: of dev.
        logprobs: id -> nats of every token after BOS.
        token_parts: (id, part of every token after BOS) of each of them.
        samples: resamples of utterances per interval.
        seed: of the resamples.

    Raises:
        ValueError: names the cut, if it has another number of parts than of tokens.
    """
    names = list(PARTS)
    bits, counts = np.zeros((2, len(utterances), len(names)))
    row_of = {utterance.id: i for i, utterance in enumerate(utterances)}
    for name, names_of_parts in token_parts:
        nats = logprobs[name]
        if len(names_of_parts) != len(nats):
            raise ValueError(
                f"cut {name}: has {len(nats)} tokens, its tokenizer makes {len(names_of_parts)}; encode dev again"
            )
        columns = np.array([names.index(part) for part in names_of_parts])
        np.add.at(bits[row_of[name]], columns, -nats / np.log(2))
        np.add.at(counts[row_of[name]], columns, 1)
    seconds = np.array([utterance.seconds for utterance in utterances])
    rows = []
    for column, name in enumerate(names):
        if not counts[:, column].any():
            continue
        measures = {
            "bits_per_second": (bits, seconds),
            "tokens_per_second": (counts, seconds),
            "bits_per_token": (bits, counts[:, column]),
        }
        for metric, (amount, weights) in measures.items():
            result = interval(amount[:, column], samples, seed, weights)
            rows.append({"part": name, "metric": metric, **result._asdict()})
    return rows
