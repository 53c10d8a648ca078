"""Tokens from a source whose entropy is known: a Markov chain over symbols that may end after any of them."""

from pathlib import Path

import numpy as np

from benchmarks.gpu.data import BOS, EOS, FIRST
from scripts.common.ragged import Ragged, save_bin
from scripts.tokens import hf_tokenizer


class Source:
    """A chain whose next symbol depends on the last one alone.

    Args:
        symbols: how many there are.
        mean_length: symbols of an utterance, in the mean.
        longest: symbols of an utterance; those that would be longer are left out.
        seed: draws the chain.
    """

    def __init__(self, symbols: int, mean_length: float, longest: int, seed: int):
        rng = np.random.default_rng(seed)
        end = 1 / mean_length
        # Each symbol has a few likely successors; row 0 is the beginning, which no utterance ends at.
        chain = rng.dirichlet(np.full(symbols, 0.05), symbols + 1)
        chain = 0.99 * chain + 0.01 / symbols
        chain[1:] *= 1 - end
        self.chain = np.concatenate([chain, np.full((symbols + 1, 1), end)], axis=1)  # the last column ends
        self.chain[0, -1] = 0.0
        self.symbols, self.longest = symbols, longest
        self.steps = self.chain.cumsum(axis=1) / self.chain.sum(axis=1, keepdims=True)

    @property
    def entropy(self) -> float:
        """Nats per predicted token, of utterances of any length."""
        # Expected visits of each state in an utterance: v = v0 + v P over the symbols, the beginning visited once.
        inner = self.chain[1:, :-1]
        visits = np.linalg.solve((np.eye(self.symbols) - inner).T, self.chain[0, :-1])
        weights = np.concatenate([[1.0], visits])
        logs = np.log(np.where(self.chain > 0, self.chain, 1.0))
        return float(-(weights[:, None] * self.chain * logs).sum() / weights.sum())

    def utterances(self, rng: np.random.Generator, number: int) -> list[np.ndarray]:
        """BOS, symbols, EOS of up to `number` utterances (those that grow too long are left out); int64 each."""
        states = np.zeros(number, np.int64)  # 0 at the beginning, else 1 + symbol
        alive = np.arange(number)
        drawn = np.full((number, self.longest), self.symbols, np.int16)
        for time in range(self.longest):
            # The inverse of the distribution function; alive utterances all at once.
            choices = (self.steps[states[alive]] <= rng.random(len(alive))[:, None]).sum(axis=1)
            choices = np.minimum(choices, self.symbols)
            drawn[alive, time] = choices
            states[alive] = 1 + choices
            alive = alive[choices < self.symbols]
            if not len(alive):
                break
        lengths = (drawn < self.symbols).sum(axis=1)
        return [
            np.concatenate([[BOS], FIRST + row[:length].astype(np.int64), [EOS]])
            for row, length in zip(drawn, lengths, strict=True)
            if length < self.longest
        ]

    def loss(self, tokens: Ragged) -> float:
        """Nats per predicted token of these utterances under the chain itself: no model can know more."""
        total = 0.0
        for ids in tokens:
            states = np.concatenate([[0], ids[1:-1].astype(int) - FIRST + 1])
            choices = np.concatenate([ids[1:-1].astype(int) - FIRST, [self.symbols]])
            total -= float(np.log(self.chain[states, choices]).sum())
        return total / int(tokens.lengths.sum() - len(tokens))

    def write(self, folder: Path, split: str, number: int, seed: int) -> Ragged:
        """About `number` utterances as `<folder>/<split>.bin` with its index."""
        utterances = self.utterances(np.random.default_rng(seed), number)
        ragged = Ragged.join([f"{split}-{count:06d}" for count in range(len(utterances))], utterances)
        save_bin(folder / f"{split}.bin", ragged)
        return ragged

    def write_tokenizer(self, folder: Path) -> None:
        """A tokenizer folder with one id per symbol."""
        folder.mkdir()
        hf_tokenizer.save(hf_tokenizer.from_symbols([f"s{number}" for number in range(self.symbols)]), folder)
