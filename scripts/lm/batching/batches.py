"""The rows of a step: utterances laid end to end, one forward pass each.

Attention gets the first token of each utterance (`cu_seqlens`), so a row holds no padding but at its end, where it is
lengthened to one of a limited number of lengths (`pad_to_bucket`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from scripts.common.ragged import Ragged
from scripts.lm.distributed.partition import partition

IGNORED = -100  # a target that cross_entropy leaves out, its default
SHORTEST = 16  # tokens, the shortest bucket and the unit of all
# Row lengths per octave. On a CPU oneDNN prepares its products anew for every length. On a GPU one compiled graph
# serves all lengths, and the memory allocator finds a block of the same size sooner when there are fewer.
BUCKETS = {"cpu": 16, "cuda": 64}


@dataclass(frozen=True)
class Packed:
    """Sequences of one forward pass, laid end to end.

    Attributes:
        inputs: int64 [N], each sequence without its last token.
        targets: int64 [N], each sequence without its first token; IGNORED in padding.
        positions: int64 [N], from 0 within each sequence.
        sizes: length of each sequence's part, S of them; they sum to N.
        cu_seqlens: int32 [S + 1], where each sequence begins, and N.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    positions: torch.Tensor
    sizes: list[int]
    cu_seqlens: torch.Tensor

    def to(self, device: torch.device) -> "Packed":
        """The same on another device; the copy of a pinned row does not wait for the device."""
        tensors = (self.inputs, self.targets, self.positions, self.cu_seqlens)
        inputs, targets, positions, cu_seqlens = (tensor.to(device, non_blocking=True) for tensor in tensors)
        return Packed(inputs, targets, positions, self.sizes, cu_seqlens)

    def pinned(self) -> "Packed":
        """The same in page-locked memory, from which a GPU copies while both go on computing."""
        tensors = (self.inputs, self.targets, self.positions, self.cu_seqlens)
        inputs, targets, positions, cu_seqlens = (tensor.pin_memory() for tensor in tensors)
        return Packed(inputs, targets, positions, self.sizes, cu_seqlens)


def pack(sequences: Sequence[np.ndarray]) -> Packed:
    """Lay sequences end to end as inputs and next-token targets."""
    sizes = [len(sequence) - 1 for sequence in sequences]
    return Packed(
        inputs=torch.from_numpy(np.concatenate([s[:-1] for s in sequences]).astype(np.int64)),
        targets=torch.from_numpy(np.concatenate([s[1:] for s in sequences]).astype(np.int64)),
        positions=torch.from_numpy(np.concatenate([np.arange(size) for size in sizes])),
        sizes=sizes,
        cu_seqlens=_cu_seqlens(sizes),
    )


def _cu_seqlens(sizes: list[int]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32))


def dummy_batch() -> Packed:
    """A row of padding only, for a rank that has no utterance."""
    empty = torch.zeros(0, dtype=torch.int64)
    return pad_to_bucket(Packed(empty, empty, empty, [], _cu_seqlens([])))


def pad_to_bucket(packed: Packed, buckets: int = BUCKETS["cpu"]) -> Packed:
    """Lengthen a row to the next of `buckets` lengths per octave (a power of 2), by one sequence of ignored tokens.

    With 16 a row grows by less than 1/16, 2 to 3% on average; on a CPU rows of any length cost 10% more time.
    """
    length = len(packed.inputs)
    step = max(SHORTEST, 2 ** (length.bit_length() - 1) // buckets)
    missing = -length % step if length else SHORTEST
    if not missing:
        return packed
    sizes = [*packed.sizes, missing]
    return Packed(
        inputs=torch.cat([packed.inputs, packed.inputs.new_zeros(missing)]),
        targets=torch.cat([packed.targets, packed.targets.new_full((missing,), IGNORED)]),
        positions=torch.cat([packed.positions, torch.arange(missing)]),
        sizes=sizes,
        cu_seqlens=_cu_seqlens(sizes),
    )


def micro_batches(tokens: Ragged, indices: np.ndarray, row_tokens: int) -> list[Packed]:
    """Fill rows one after another with utterances of rising length; for one process on a CPU.

    Utterances of similar length in one row suit `scripts.lm.model.cpu_attention`. How rows are cut bounds memory only:
    losses are sums, so it does not change what a step computes but for rounding.

    Args:
        tokens: of the split.
        indices: the utterances, int64 [B].
        row_tokens: most tokens of a row; a longer utterance has a row of its own.
    """
    rows: list[list[np.ndarray]] = []
    filled = row_tokens
    for index in indices[np.argsort(tokens.lengths[indices], kind="stable")]:
        sequence = tokens[index]
        if filled + len(sequence) > row_tokens:
            rows.append([])
            filled = 0
        rows[-1].append(sequence)
        filled += len(sequence)
    return [pad_to_bucket(pack(row)) for row in rows]


def balanced_rows(lengths: np.ndarray, num_ranks: int, row_tokens: int) -> list[list[np.ndarray]]:
    """Rows of nearly equal tokens, the same number on every rank.

    There are as few rows as hold the tokens; utterances are assigned to rows by `partition`.

    Args:
        lengths: tokens of each utterance, int64 [U].
        num_ranks: ranks that share the utterances.
        row_tokens: most tokens of a row; a longer utterance has a row of its own.

    Returns:
        For each rank its rows: the utterances of each, by rising length, as indices into `lengths`. A row is
        empty where there are fewer utterances than rows.
    """
    per_rank = max(1, -(-int(np.minimum(lengths, row_tokens).sum()) // (num_ranks * row_tokens)))
    while True:
        bins = num_ranks * per_rank
        owners = partition(lengths, bins)
        tokens = np.bincount(owners, lengths, minlength=bins)
        if not np.any((tokens > row_tokens) & (np.bincount(owners, minlength=bins) > 1)):
            break
        per_rank += 1
    order = np.argsort(lengths, kind="stable")
    rows = [order[owners[order] == row] for row in range(bins)]
    return [rows[rank::num_ranks] for rank in range(num_ranks)]


def build_row(tokens: Ragged, indices: np.ndarray, buckets: int = BUCKETS["cpu"]) -> Packed:
    """The row of these utterances, padded; `dummy_batch` if there are none."""
    return pad_to_bucket(pack([tokens[index] for index in indices]), buckets) if len(indices) else dummy_batch()
