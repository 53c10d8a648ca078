"""Unigram and n-gram models over a modality's tokens, the baselines of the language models.

The n-gram is interpolated Witten-Bell (Witten & Bell 1991; in the form of Chen & Goodman 1999, section
2.4): p(w|h) = (c(hw) + T(h) p(w|h')) / (c(h) + T(h)), where T(h) is the number of different tokens seen after h
and h' is h without its oldest token; unigrams are interpolated with the uniform distribution over the vocabulary.
Histories do not extend beyond BOS. The unigram baseline uses add-one smoothing. Both predict every token after BOS, EOS
included, like the language models.

An n-gram of up to four uint16 tokens is stored in one uint64, newest token in the lowest bits, and counted by sorting.
"""

import math
from typing import NamedTuple

import numpy as np

from scripts.common.ragged import Ragged

ORDER = 4  # maximum for a uint64 key
FIT_TOKENS = 10_000_000  # maximum of train; more changes the baselines little and needs gigabytes


class Table(NamedTuple):
    """Counts of the n-grams of one order, keys in increasing order.

    Attributes:
        grams, counts: uint64 and int64 [G], each n-gram and how often it was seen.
        histories, totals, types: [H], each n-gram without its newest token, how often it was seen
            and how many different tokens followed.
    """

    grams: np.ndarray
    counts: np.ndarray
    histories: np.ndarray
    totals: np.ndarray
    types: np.ndarray


def sample(tokens: Ragged, limit: int, rng: np.random.Generator) -> Ragged:
    """All sequences if they hold at most `limit` tokens, else a sample of about `limit` tokens without replacement."""
    if tokens.offsets[-1] <= limit:
        return tokens
    order = rng.permutation(len(tokens))
    chosen = np.sort(order[np.cumsum(tokens.lengths[order]) <= limit])
    return Ragged.join(tokens.ids[chosen].tolist(), [tokens[i] for i in chosen])


def fit(tokens: Ragged, order: int = ORDER) -> list[Table]:
    """Counts of the n-grams of orders 1 .. `order` in sequences BOS ... EOS."""
    return [_count(_grams(tokens, n)[0]) for n in range(1, order + 1)]


def unigram_logprobs(tables: list[Table], tokens: Ragged, vocab_size: int) -> list[float]:
    """Log-probability of each sequence in nats by add-one unigrams."""
    table = tables[0]
    grams, where = _grams(tokens, 1)
    probability = (_look_up(table.grams, table.counts, grams) + 1) / (table.counts.sum() + vocab_size)
    return _sum(tokens, where, probability)


def ngram_logprobs(tables: list[Table], tokens: Ragged, vocab_size: int) -> list[float]:
    """Log-probability of each sequence in nats by interpolated Witten-Bell n-grams of order len(tables)."""
    _, predicted = _grams(tokens, 1)
    probability = np.full(len(tokens.stream), 1 / vocab_size)
    for n, table in enumerate(tables, start=1):
        grams, where = _grams(tokens, n)
        count = _look_up(table.grams, table.counts, grams)
        total = _look_up(table.histories, table.totals, grams >> np.uint64(16))
        types = _look_up(table.histories, table.types, grams >> np.uint64(16))
        seen = total > 0
        where, count, total, types = where[seen], count[seen], total[seen], types[seen]
        probability[where] = (count + types * probability[where]) / (total + types)
    return _sum(tokens, predicted, probability[predicted])


def _grams(tokens: Ragged, n: int) -> tuple[np.ndarray, np.ndarray]:
    """uint64 key of every n-gram that ends in a predicted token, and the position of that token in the stream."""
    starts = np.repeat(tokens.offsets[:-1], tokens.lengths)
    where = np.flatnonzero(np.arange(len(tokens.stream)) - starts >= max(1, n - 1))
    stream = np.asarray(tokens.stream)
    keys = np.zeros(len(where), dtype=np.uint64)
    for back in range(n):
        keys |= stream[where - back].astype(np.uint64) << np.uint64(16 * back)
    return keys, where


def _count(keys: np.ndarray) -> Table:
    grams, counts = np.unique(keys, return_counts=True)
    histories, first, types = np.unique(grams >> np.uint64(16), return_index=True, return_counts=True)
    totals = np.add.reduceat(counts, first) if len(first) else counts
    return Table(grams, counts, histories, totals, types)


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The value of each wanted key, 0 if it is not among the (sorted) keys."""
    if len(keys) == 0:
        return np.zeros(len(wanted), dtype=np.int64)
    index = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[index] == wanted, values[index], 0)


def _sum(tokens: Ragged, where: np.ndarray, probability: np.ndarray) -> list[float]:
    """Sum of the log-probabilities of each sequence."""
    logs = np.zeros(len(tokens.stream))
    logs[where] = np.log(probability)
    # fsum is exact: sequences of the same tokens in another order must have equal unigram scores.
    return [math.fsum(logs[a:b]) for a, b in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)]
