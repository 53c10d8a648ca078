"""Which utterances make a step, and how a step becomes rows without padding.

A step takes the same utterances in every modality: the order is drawn over the ids and depends
on nothing but the seed and the epoch. Inside a step the sequences are laid end to end in one row
(`pack`), and attention is told where each begins; only the row's end is filled up, by less than 1 in 16
(2 to 3% on average), so that rows have few different lengths (`fill_up`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch

from scripts.common.ragged import Ragged, load_bin
from scripts.common.record import sample
from scripts.common.seeds import generator

IGNORED = -100  # a target that cross_entropy leaves out, its default


@dataclass(frozen=True)
class Packed:
    """Sequences of one forward pass, laid end to end.

    Attributes:
        inputs: int64 [N], each sequence without its last token.
        targets: int64 [N], each sequence without its first token; IGNORED where nothing is to be learnt.
        positions: int64 [N], from 0 within each sequence.
        sizes: length of each sequence's part; they sum to N.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    positions: torch.Tensor
    sizes: list[int]

    def to(self, device: torch.device) -> "Packed":
        """The same on another device."""
        return Packed(self.inputs.to(device), self.targets.to(device), self.positions.to(device), self.sizes)


@dataclass(frozen=True)
class Split(Ragged):
    """Tokens that are checked as they are read: nobody need have read the whole file before.

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

    What packing noted of the tokens is believed, after a look at 4 MiB of them; other files are read whole.

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
    if record is not None and record.sample != sample(path):
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


def pack(sequences: Sequence[np.ndarray]) -> Packed:
    """Lay sequences end to end as inputs and next-token targets."""
    sizes = [len(sequence) - 1 for sequence in sequences]
    return Packed(
        inputs=torch.from_numpy(np.concatenate([s[:-1] for s in sequences]).astype(np.int64)),
        targets=torch.from_numpy(np.concatenate([s[1:] for s in sequences]).astype(np.int64)),
        positions=torch.from_numpy(np.concatenate([np.arange(size) for size in sizes])),
        sizes=sizes,
    )


def micro_batches(tokens: Ragged, indices: np.ndarray, most_tokens: int) -> list[Packed]:
    """Split utterances into forward passes of at most `most_tokens` tokens (one longer utterance goes alone).

    The split bounds memory only: losses are sums, so it does not change what a step computes.
    """
    groups: list[list[np.ndarray]] = []
    filled = most_tokens
    for index in indices[np.argsort(tokens.lengths[indices], kind="stable")]:
        sequence = tokens[index]
        if filled + len(sequence) > most_tokens:
            groups.append([])
            filled = 0
        groups[-1].append(sequence)
        filled += len(sequence)
    return [fill_up(pack(group)) for group in groups if group]


def filler() -> Packed:
    """A row that nothing is learnt from."""
    return Packed(torch.zeros(16, dtype=torch.int64), torch.full((16,), IGNORED), torch.arange(16), [16])


def fill_up(packed: Packed) -> Packed:
    """Lengthen a row to the next of 16 lengths per octave, by one sequence of tokens that nothing learns from.

    oneDNN compiles its matrix products anew for every shape: rows of any length cost 10% more time than
    this padding does.
    """
    length = len(packed.inputs)
    step = max(16, 1 << max(0, length.bit_length() - 5))
    missing = -length % step
    if not missing:
        return packed
    return Packed(
        inputs=torch.cat([packed.inputs, packed.inputs.new_zeros(missing)]),
        targets=torch.cat([packed.targets, packed.targets.new_full((missing,), IGNORED)]),
        positions=torch.cat([packed.positions, torch.arange(missing)]),
        sizes=[*packed.sizes, missing],
    )
