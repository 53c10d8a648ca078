"""The tokens of a split, checked as they are read, and the utterances of each step.

A step takes the same utterances in every modality: the order is drawn over the ids and depends
on nothing but the seed and the epoch. `scripts.lm.batching.batches` lays the utterances of a step end to end.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from scripts.common.packed_record import sample_digest
from scripts.common.ragged import Ragged, load_bin
from scripts.common.seeds import generator


@dataclass(frozen=True)
class Split(Ragged):
    """Tokens that are checked as they are read, so that the file need not be read whole before.

    Attributes:
        path: the file, for messages.
        vocab_size: all tokens are below it.
    """

    path: str = ""
    vocab_size: int = 2**16

    def __getitem__(self, index: int) -> np.ndarray:
        sequence = super().__getitem__(index)
        if sequence.max() >= self.vocab_size:
            raise ValueError(
                f"{self.path}: {self.ids[index]} holds a token outside the vocabulary of {self.vocab_size}, which it"
                " did not when it was packed; delete the file and its index and run again"
            )
        return sequence


def load_split(path: str | Path, vocab_size: int, context: int, bos: int, eos: int) -> Split:
    """Open one split's tokens and check that a model can be trained on them.

    The record that packing left of the tokens is trusted after a check of 4 MiB of them; files without one are read
    whole.

    Raises:
        FileNotFoundError: the .bin or its .idx.npz is missing.
        ValueError: naming the file and, where there is one, the utterance: damaged, truncated or changed
            files, no utterances, repeated ids, a missing BOS or EOS, a token above the vocabulary, a
            sequence longer than the context.
    """
    try:
        tokens = load_bin(path)
    except ValueError as error:
        message = str(error)
        if str(Path(path).with_suffix("")) not in message:  # numpy does not name the file
            message = f"{path}: not a token file ({message})"
        raise ValueError(message) from None
    if not len(tokens):
        raise ValueError(f"{path}: no utterances; was everything dropped by an earlier stage?")
    _refuse(path, tokens, tokens.lengths < 2, "holds fewer than 2 tokens; a sequence is BOS, tokens, EOS")
    _refuse(path, tokens, tokens.lengths > context, f"is longer than lm.model.context = {context} tokens")
    record = tokens.record
    if record is not None and record.sample != sample_digest(path):
        raise ValueError(f"{path}: not the tokens that were packed; delete it and its index and run again")
    if record is None or (record.first, record.last) != (bos, eos) or record.highest >= vocab_size:
        _read_whole(path, tokens, vocab_size, bos, eos)
    return Split(**{f.name: getattr(tokens, f.name) for f in fields(tokens)}, path=str(path), vocab_size=vocab_size)


def _read_whole(path: str | Path, tokens: Ragged, vocab_size: int, bos: int, eos: int) -> None:
    if len(np.unique(tokens.ids)) != len(tokens):
        raise ValueError(f"{path}: an id appears twice; ids must be unique within a split")
    stream = tokens.stream
    first, last = stream[tokens.offsets[:-1]], stream[tokens.offsets[1:] - 1]
    _refuse(path, tokens, (first != bos) | (last != eos), f"does not begin with {bos} and end with {eos} (BOS, EOS)")
    highest = np.maximum.reduceat(stream, tokens.offsets[:-1])
    _refuse(path, tokens, highest >= vocab_size, f"holds a token outside the vocabulary of {vocab_size}")


def _refuse(path: str | Path, tokens: Ragged, bad: np.ndarray, what: str) -> None:
    if bad.any():
        i = int(np.argmax(bad))
        length = int(tokens.lengths[i])
        raise ValueError(f"{path}: {tokens.ids[i]} ({length} tokens) {what} ({int(bad.sum())} such in this file)")


def epoch_batches(tokens: Ragged, batch_utterances: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Indices of each step's utterances in one epoch; every utterance once, step sizes equal within one.

    Args:
        tokens: only the order of its ids' hashes matters, so modalities stored in another order agree.
        batch_utterances: most utterances per step.
        seed: the experiment's seed.
        epoch: from 0.
    """
    shuffled = tokens.order[generator(seed, "lm", "order", epoch).permutation(len(tokens))]
    return np.array_split(shuffled, steps_per_epoch(len(tokens), batch_utterances))


def steps_per_epoch(utterances: int, batch_utterances: int) -> int:
    """Optimizer steps in which each utterance is seen once."""
    return -(-utterances // batch_utterances)
