"""On text from a known bigram model, a trained language model's bits approach the source's true entropy from above."""

import math

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from scripts.common.ragged import Ragged
from scripts.evaluation.logprobs import score
from scripts.evaluation.ngram import fit, ngram_logprobs, unigram_logprobs
from tests.factories.models import tiny_llama

pytestmark = pytest.mark.slow
BOS, EOS, FIRST, SYMBOLS = 1, 2, 3, 12
VOCABULARY = FIRST + SYMBOLS


def source(rng: np.random.Generator) -> np.ndarray:
    """p(next | last): each symbol has a few likely followers; EOS follows any with 4%. [V, V]"""
    table = np.zeros((VOCABULARY, VOCABULARY))
    for last in (BOS, *range(FIRST, VOCABULARY)):
        table[last, FIRST:] = rng.dirichlet(np.full(SYMBOLS, 0.3)) * (1.0 if last == BOS else 0.96)
        table[last, EOS] = 0.0 if last == BOS else 0.04
    return table


def draw(table: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ids = [BOS]
    while ids[-1] != EOS:
        ids.append(int(rng.choice(VOCABULARY, p=table[ids[-1]])))
    return np.array(ids, dtype=np.uint16)


def true_bits(table: np.ndarray, sequences: list[np.ndarray]) -> float:
    """Bits per token of these sequences under the source itself."""
    logs = [np.log2(table[ids[:-1], ids[1:]]).sum() for ids in sequences]
    return -sum(logs) / sum(len(ids) - 1 for ids in sequences)


def bits(logprobs: list[float], sequences: list[np.ndarray]) -> float:
    return -sum(logprobs) / math.log(2) / sum(len(ids) - 1 for ids in sequences)


def train(sequences: list[np.ndarray], steps: int) -> LlamaForCausalLM:
    """A two-layer model on batches of 64, padded, as plainly as can be."""
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "initializer_range": 0.02}
    model = tiny_llama(VOCABULARY, context=512, **shape)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    rng = np.random.default_rng(1)
    for _ in range(steps):
        batch = [torch.from_numpy(sequences[i].astype(np.int64)) for i in rng.integers(len(sequences), size=64)]
        ids = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=EOS)
        labels = torch.nn.utils.rnn.pad_sequence(batch, batch_first=True, padding_value=-100)
        model(ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    return model.eval()


def test_bits_approach_the_true_entropy() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(7)
    table = source(rng)
    learnt, held_out = ([draw(table, rng) for _ in range(count)] for count in (3000, 500))
    truth = true_bits(table, held_out)

    model = train(learnt, 300)
    found = bits(list(score(model, {str(i): ids for i, ids in enumerate(held_out)}, 4096, "x").values()), held_out)
    assert truth - 0.01 < found < 1.03 * truth  # nothing beats the source, but for the luck of a sample

    counted, dev = (Ragged.join([str(i) for i in range(len(rows))], rows) for rows in (learnt, held_out))
    fours = bits(ngram_logprobs(fit(counted), dev, VOCABULARY), held_out)
    twos = bits(ngram_logprobs(fit(counted, 2), dev, VOCABULARY), held_out)
    ones = bits(unigram_logprobs(fit(counted, 1), dev, VOCABULARY), held_out)
    assert truth - 0.01 < twos < 1.01 * truth  # the source's own order
    assert twos < fours < 1.1 * truth  # two symbols too many cost a little
    assert ones > 1.3 * truth
