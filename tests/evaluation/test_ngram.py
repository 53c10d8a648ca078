"""The sorted-key n-grams equal a slow dictionary version and a case worked by hand."""

import math
import time
from collections import Counter, defaultdict

import numpy as np
import pytest

from scripts.common.ragged import Ragged
from scripts.evaluation.ngram import fit, ngram_logprobs, sample, unigram_logprobs

V = 8


def ragged(*sequences: list[int]) -> Ragged:
    return Ragged.join([str(i) for i in range(len(sequences))], [np.array(s) for s in sequences])


def slow_witten_bell(train: list[list[int]], sequence: list[int], order: int) -> float:
    """The textbook recursion over dictionaries of tuples."""
    following: dict[tuple, Counter] = defaultdict(Counter)
    for s in train:
        for i in range(1, len(s)):
            for n in range(min(order, i + 1)):
                following[tuple(s[i - n : i])][s[i]] += 1

    def p(token: int, history: tuple) -> float:
        lower = p(token, history[1:]) if history else 1 / V
        seen = following.get(history)
        if not seen:
            return lower
        return (seen[token] + len(seen) * lower) / (sum(seen.values()) + len(seen))

    return sum(math.log(p(sequence[i], tuple(sequence[max(0, i - order + 1) : i]))) for i in range(1, len(sequence)))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_equals_the_textbook_recursion(order: int) -> None:
    rng = np.random.default_rng(0)

    def draw(n: int) -> list[int]:
        return [1, *rng.integers(3, V, n).tolist(), 2]

    train = [draw(int(n)) for n in rng.integers(0, 12, 60)]
    test = [draw(int(n)) for n in rng.integers(0, 12, 30)]
    found = ngram_logprobs(fit(ragged(*train), order), ragged(*test), V)
    assert found == pytest.approx([slow_witten_bell(train, s, order) for s in test], abs=1e-9)


def test_bigram_by_hand() -> None:
    # Train: BOS 3 EOS. Unigrams: c(3) = c(EOS) = 1, N = 2, T = 2: p(3) = p(EOS) = (1 + 2/8) / 4 = 5/16.
    # Bigrams: p(3 | BOS) = (1 + 1 * 5/16) / 2 = 21/32; p(4 | BOS) = (0 + p(4)) / 2 = (2/8 / 4) / 2 = 1/32.
    tables = fit(ragged([1, 3, 2]), 2)
    found = ngram_logprobs(tables, ragged([1, 3], [1, 4]), V)
    assert found == pytest.approx([math.log(21 / 32), math.log(1 / 32)])


def test_probabilities_sum_to_one() -> None:
    rng = np.random.default_rng(1)
    tables = fit(ragged(*[[1, *rng.integers(3, V, 9).tolist(), 2] for _ in range(20)]))
    for history in ([1], [1, 3], [1, 3, 4, 5], [1, 7, 7, 7, 7]):
        sequences = ragged(*[[*history, token] for token in range(V)])
        so_far = ngram_logprobs(tables, ragged(history), V)[0]
        assert sum(np.exp(np.array(ngram_logprobs(tables, sequences, V)) - so_far)) == pytest.approx(1.0)


def test_unigram_is_add_one_and_counts_eos() -> None:
    tables = fit(ragged([1, 3, 3, 2], [1, 4, 2]))  # N = 5: 3 twice, 4 once, EOS twice; BOS is never predicted
    found = unigram_logprobs(tables, ragged([1, 3, 5, 2]), V)[0]
    assert found == pytest.approx(math.log(3 / 13) + math.log(1 / 13) + math.log(3 / 13))


def test_unigrams_tie_exactly_on_the_same_tokens_in_another_order() -> None:
    rng = np.random.default_rng(2)
    tables = fit(ragged(*[[1, *rng.integers(3, V, 30).tolist(), 2] for _ in range(20)]))
    symbols = rng.integers(3, V, 40)
    a, b = unigram_logprobs(tables, ragged([1, *symbols, 2], [1, *rng.permutation(symbols), 2]), V)
    assert a == b


def test_large_token_ids_do_not_collide() -> None:
    train = [[1, 65535, 0, 65535, 0, 2], [1, 0, 65535, 65535, 2]]
    found = ngram_logprobs(fit(ragged(*train)), ragged(*train), V)
    assert found == pytest.approx([slow_witten_bell(train, s, 4) for s in train])


def test_nothing_seen_is_uniform() -> None:
    tables = fit(ragged())
    assert ngram_logprobs(tables, ragged([1, 3, 2]), V) == pytest.approx([2 * math.log(1 / V)])
    assert unigram_logprobs(tables, ragged([1, 3, 2]), V) == pytest.approx([2 * math.log(1 / V)])


def test_sample_takes_whole_sequences_up_to_the_limit() -> None:
    tokens = ragged(*[[1, i, 2] for i in range(100)])
    assert sample(tokens, 300, np.random.default_rng(0)) is tokens
    few = sample(tokens, 100, np.random.default_rng(0))
    assert len(few) == 33
    assert all(len(sequence) == 3 for sequence in few)
    assert max(s[1] for s in few) > 60  # from everywhere, not from the beginning


def test_a_million_tokens_take_seconds() -> None:
    rng = np.random.default_rng(0)
    stream = rng.zipf(1.5, 1_000_000).clip(3, 600).astype(np.uint16)
    offsets = np.arange(0, 1_000_001, 100)
    tokens = Ragged(ids=np.arange(10_000).astype(str), offsets=offsets, stream=stream)
    start = time.process_time()
    ngram_logprobs(fit(tokens), tokens, 600)
    assert time.process_time() - start < 10
