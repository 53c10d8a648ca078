"""ABX discrimination of phones by features or units: how often a token is nearer to one of another phone.

The error of a cell is the share of its triples (a, b, x) with d(a, x) > d(b, x); equal distances count half. Cells are
averaged over contexts (and speakers of x), then over speakers, then over ordered pairs of phones. 0.5 is chance.

d is the mean distance of frames along the path of dynamic time warping with the lowest sum. Frames of features have
the angular distance, arccos(cosine) / pi. Frames of units have distance 0 if the unit is the same, else 1: a language
model knows units as symbols, not the place of their centroids; the angle between one-hot vectors gives the same errors.
Source: Schatz et al. 2013; Libri-Light and ZeroSpeech 2021 as computed by fastabx (Poli et al. 2025), with which the
tests compare.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from scripts.common.seeds import generator
from scripts.units.abx_task import CONDITIONS, Cells, Task

RESAMPLES = 1000  # of contexts, for intervals
BATCH_VALUES = 2**21  # floats of an array that is computed at once
FEATURES = "feature_"  # before the columns of features
COLUMNS = (
    *(f"{of}abx_{name}{end}" for of in ("", FEATURES) for name in CONDITIONS for end in ("", "_low", "_high")),
    *(f"abx_{name}_cells" for name in CONDITIONS),
)
LocalDistance = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Rows(NamedTuple):
    """The frames of all tokens, one after another.

    Attributes:
        frames: float32 [F, D] of length 1 each, or units uint16 [F].
        starts, lengths: int64 [N], where each token's frames are.
    """

    frames: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray

    def padded(self, tokens: np.ndarray) -> np.ndarray:
        """Frames of some tokens, [P, longest, ...]; behind its end a token's last frame is repeated."""
        steps = np.minimum(np.arange(self.lengths[tokens].max()), self.lengths[tokens, None] - 1)
        return self.frames[self.starts[tokens, None] + steps]


def rows_of(task: Task, cuts: Iterable[tuple[int, np.ndarray]]) -> Rows:
    """The frames of the task's tokens.

    Args:
        task: of the same cuts.
        cuts: (number of the cut, its features [T, D] or units [T]), of every cut that has a token, in any order;
            features are brought to length 1.
    """
    tokens = task.tokens
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(tokens.stop - tokens.first)])
    frames: np.ndarray = np.zeros(0, np.float32)
    bounds = np.searchsorted(tokens.cut, [tokens.cut, tokens.cut + 1])  # the tokens of each token's cut
    for number, rows in cuts:
        if not len(frames):
            frames = np.empty((starts[-1], *rows.shape[1:]), rows.dtype)
        first = int(np.searchsorted(tokens.cut, number))
        if first == len(tokens.cut) or tokens.cut[first] != number:
            continue
        if rows.ndim == 2:
            rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        for token in range(first, int(bounds[1, first])):
            frames[starts[token] : starts[token + 1]] = rows[tokens.first[token] : tokens.stop[token]]
    return Rows(frames, starts[:-1], np.diff(starts))


def angular(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Angle over pi between vectors of length 1: [P, S, D], [P, T, D] -> float32 [P, S, T]."""
    return np.arccos(np.clip(x @ y.transpose(0, 2, 1), -1, 1)) / np.float32(np.pi)


def unequal(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """1 where units differ, else 0: [P, S], [P, T] -> float32 [P, S, T]."""
    return (x[:, :, None] != y[:, None, :]).astype(np.float32)


def warped(distances: np.ndarray, lengths_x: np.ndarray, lengths_y: np.ndarray) -> np.ndarray:
    """Mean distance along the best path of dynamic time warping, float32 [P].

    Of equally good steps the path takes the one along both sequences, then the one along y, as in fastabx.

    Args:
        distances: float32 [P, S, T] of frames.
        lengths_x: frames of the first token of each pair, int [P], at least 1; distances behind them are not read.
        lengths_y: the same of the second.
    """
    cost = np.ascontiguousarray(distances.transpose(1, 2, 0))  # [S, T, P]; becomes the sum along the best path
    steps = np.ones(cost.shape, np.float32)  # frames on this path
    for i in range(cost.shape[0]):
        for j in range(cost.shape[1]):
            if i and j:
                up, left, diagonal = cost[i - 1, j], cost[i, j - 1], cost[i - 1, j - 1]
                straight, aside = np.minimum(up, left), left <= up
                before = np.where(aside, steps[i, j - 1], steps[i - 1, j])
                steps[i, j] += np.where(diagonal <= straight, steps[i - 1, j - 1], before)
                cost[i, j] += np.minimum(diagonal, straight)
            elif i or j:
                previous = (i - 1, j) if i else (i, j - 1)
                steps[i, j] += steps[previous]
                cost[i, j] += cost[previous]
    pairs = np.arange(cost.shape[2])
    return cost[lengths_x - 1, lengths_y - 1, pairs] / steps[lengths_x - 1, lengths_y - 1, pairs]


def token_distances(rows: Rows, x: np.ndarray, y: np.ndarray, local: LocalDistance) -> np.ndarray:
    """Distances of pairs of tokens: int64 [P], int64 [P] -> float32 [P]; pairs of similar lengths form a batch."""
    found = np.empty(len(x), np.float32)
    longest = np.maximum(rows.lengths[x], rows.lengths[y])
    order = np.lexsort((rows.lengths[y], longest))
    width = rows.frames[0].size
    place = 0
    while place < len(order):
        length = int(longest[order[place]])
        size = max(1, BATCH_VALUES // (2 * length * max(width, length)))
        batch = order[place : place + size]
        place += size
        distances = local(rows.padded(x[batch]), rows.padded(y[batch]))
        found[batch] = warped(distances, rows.lengths[x[batch]], rows.lengths[y[batch]])
    return found


class GroupDistances:
    """Distances between all tokens of two groups, for all pairs of groups that cells ask for; each computed once."""

    def __init__(self, task: Task, rows: Rows, local: LocalDistance):
        self.groups = task.groups
        wanted = {
            (min(pair), max(pair))
            for _, cells in task.conditions
            for other in (cells.a, cells.b)
            for pair in zip(cells.x.tolist(), other.tolist(), strict=True)
        }
        self.starts: dict[tuple[int, int], int] = {}
        x, y, total = [], [], 0
        for first, second in sorted(wanted):
            self.starts[first, second] = total
            left, right = self.groups[first], self.groups[second]
            x.append(np.repeat(left, len(right)))
            y.append(np.tile(right, len(left)))
            total += len(left) * len(right)
        # A pair is compared in the order of its tokens, so that it has one distance whichever side asks.
        pairs = np.sort(np.stack([np.concatenate(x), np.concatenate(y)]), axis=0)
        self.values = token_distances(rows, pairs[0], pairs[1], local)

    def between(self, first: int, second: int) -> np.ndarray:
        """Float32 [tokens of the first group, tokens of the second]."""
        low, high = min(first, second), max(first, second)
        shape = len(self.groups[low]), len(self.groups[high])
        start = self.starts[low, high]
        matrix = self.values[start : start + shape[0] * shape[1]].reshape(shape)
        return matrix if first == low else matrix.T


def cell_error(to_a: np.ndarray, to_b: np.ndarray, *, same: bool) -> float:
    """Share of triples in which x is nearer to b than to a; ties count half.

    Args:
        to_a: float32 [X, A], distances of each x to each a.
        to_b: float32 [X, B], distances of each x to each b.
        same: whether x and a are the same tokens, which are not compared with themselves.
    """
    a, b = to_a[:, :, None], to_b[:, None, :]
    wrong = (a > b) + 0.5 * (a == b)  # [X, A, B]
    if same:
        own = np.arange(len(to_a))
        wrong[own, own] = 0
        return float(wrong.sum() / (wrong.size - len(own) * to_b.shape[1]))
    return float(wrong.mean())


def _errors(cells: Cells, distances: GroupDistances) -> np.ndarray:
    """The error of every cell, float64 [C]."""
    return np.array(
        [
            cell_error(distances.between(x, a), distances.between(x, b), same=x == a)
            for a, b, x in zip(cells.a.tolist(), cells.b.tolist(), cells.x.tolist(), strict=True)
        ]
    )


def average(errors: np.ndarray, cells: Cells, weights: np.ndarray) -> np.ndarray:
    """Mean over contexts and speakers of x, then speakers, then ordered pairs of phones: float64 [R].

    Args:
        errors: float64 [C].
        cells: C of them.
        weights: [C, R], how often each cell's context is counted; NaN where no cell is.
    """
    starts = _starts(np.stack([cells.phone_a, cells.phone_b, cells.speaker]))
    counts = np.add.reduceat(weights, starts, axis=0)  # [phone pairs x speakers, R]
    means = np.add.reduceat(weights * errors[:, None], starts, axis=0) / np.maximum(counts, 1)
    pairs = _starts(np.stack([cells.phone_a, cells.phone_b])[:, starts])
    speakers = np.add.reduceat(np.minimum(counts, 1), pairs, axis=0)  # [phone pairs, R]
    means = np.add.reduceat(means, pairs, axis=0) / np.maximum(speakers, 1)
    present = (speakers > 0).sum(axis=0)
    return np.where(present > 0, means.sum(axis=0) / np.maximum(present, 1), np.nan)


def _starts(keys: np.ndarray) -> np.ndarray:
    """Where sorted columns change: [k, C] -> int64 [runs]."""
    return np.flatnonzero(np.concatenate([[True], (keys[:, 1:] != keys[:, :-1]).any(axis=0)]))


def interval(errors: np.ndarray, cells: Cells, seed: int) -> tuple[float, float] | None:
    """The 95% interval over resamples of contexts; None with one context.

    Contexts are resampled because cells of one context share tokens and cells of two do not.
    """
    contexts, context = np.unique(cells.context, return_inverse=True)
    if len(contexts) < 2:
        return None
    random = generator(seed, "units", "abx interval")
    rounds = max(1, BATCH_VALUES // len(errors))
    resampled = []
    for done in range(0, RESAMPLES, rounds):
        size = min(rounds, RESAMPLES - done)
        drawn = random.multinomial(len(contexts), np.full(len(contexts), 1 / len(contexts)), size=size)
        resampled.append(average(errors, cells, drawn.T.astype(np.float64)[context]))
    low, high = np.nanquantile(np.concatenate(resampled), [0.025, 0.975])
    return float(low), float(high)


def _columns(task: Task, rows: Rows, local: LocalDistance, seed: int, prefix: str) -> dict[str, float | str]:
    """Errors of both conditions with their intervals; blank where there is no cell, or one context for an interval."""
    found: dict[str, float | str] = {name: "" for name in COLUMNS if name.startswith(f"{prefix}abx")}
    if not len(task.tokens.cut):
        return found
    distances = GroupDistances(task, rows, local)
    for name, cells in task.conditions:
        if len(cells.a):
            column = f"{prefix}abx_{name}"
            errors = _errors(cells, distances)
            found[column] = float(average(errors, cells, np.ones((len(errors), 1)))[0])
            found[f"{column}_low"], found[f"{column}_high"] = interval(errors, cells, seed) or ("", "")
    return found


def unit_columns(task: Task, ids: Sequence[str], units: Mapping[str, np.ndarray], seed: int) -> dict[str, float | str]:
    """The columns of a table that say how well units discriminate phones, and the numbers of cells.

    Args:
        task: of dev's cuts.
        ids: of the cuts, in the task's order.
        units: by id, uint16 [frame_count] each.
        seed: the experiment's seed.
    """
    streams = ((int(number), units[ids[number]]) for number in np.unique(task.tokens.cut))
    found = _columns(task, rows_of(task, streams), unequal, seed, "")
    return found | {f"abx_{name}_cells": len(cells.a) for name, cells in task.conditions}


def feature_columns(task: Task, features: Rows, seed: int) -> dict[str, float | str]:
    """The same of features, those of the task's tokens."""
    return _columns(task, features, angular, seed, FEATURES)
