"""Phonetic decision trees that tie triphone states, grown here and passed to Kaldi in its file format.

kaldi-hmm-gmm can neither accumulate tree statistics nor build trees: its ContextDependency has no constructor, and its
EventMap only a constant. But a ContextDependency unpickles from the bytes of Kaldi's file format. A tree grown here,
with cross-word context, is converted to these bytes; transition model, graph compiler and decoder are Kaldi's.

Each state of each group of phones begins as one leaf. The split with the largest gain in log-likelihood of one diagonal
Gaussian per leaf, over all leaves and questions, is made first, until there are enough leaves. Sources: Young,
Odell and Woodland, Tree-based state tying for high accuracy acoustic modelling, 1994; Kaldi, src/tree/event-map.cc
for the form of the bytes.
"""

import heapq
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import kaldi_hmm_gmm as khg
import numpy as np

from scripts.alignment.lexicon import SILENCE, base

LEFT, CENTRE, RIGHT, STATE = 0, 1, 2, -1  # Kaldi's event keys: position in the triphone, HMM state
MIN_LEAF_FRAMES = 50.0
BLOCK = 5_000  # frames whose statistics are accumulated at a time
VARIANCE_FLOOR = 0.01  # of a leaf, relative to the variance of all frames
Node = int | dict[str, Any]  # a leaf's index, or {key, yes: phone indices, then, else}

CLASSES = (  # classes of ARPAbet phones by manner, place, voice, height and backness, for the questions
    "P T K", "B D G", "P B", "T D", "K G", "P T K B D G", "CH JH", "P T K CH", "B D G JH", "P T K B D G CH JH",
    "F TH S SH HH", "V DH Z ZH", "S Z", "SH ZH CH JH", "F V", "TH DH", "S Z SH ZH", "F TH S SH HH V DH Z ZH",
    "M N NG", "N NG", "L R", "W Y", "L R W Y", "L R ER", "M N NG L R W Y", "P B M F V W", "T D N S Z L",
    "K G NG", "P T K CH F TH S SH HH", "IY IH EY EH AE", "UW UH OW AO AA", "AH ER", "IY IH UW UH", "AA AE AO AH",
    "EY EH OW ER", "AY AW OY", "EY AY OY", "OW AW", "IY EY AY OY Y", "UW OW AW W", "IH EH UH AH",
    "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW",
)  # fmt: skip


def questions(phones: Sequence[str]) -> np.ndarray:
    """Questions as bool [Q, P]: classes, single phones and stresses; without those that all phones answer alike."""
    sets = [set(names.split()) for names in CLASSES] + [{name} for name in sorted({base(phone) for phone in phones})]
    answers = [[base(phone) in names for phone in phones] for names in sets]
    answers += [[phone.endswith(stress) for phone in phones] for stress in "012"]
    distinct = np.unique(np.array(answers), axis=0)
    return distinct[distinct.any(axis=1) & ~distinct.all(axis=1)]


@dataclass
class Statistics:
    """Sufficient statistics of N triphone states.

    Attributes:
        keys: int [N, 4]: left, centre and right phone, state.
        sums: float64 [N, 1 + 2 D]: number of frames, sum of their features, sum of the squares.
    """

    keys: np.ndarray
    sums: np.ndarray


def statistics(utterances: Iterable[tuple[np.ndarray, np.ndarray]]) -> Statistics:
    """Accumulate statistics from contexts int [T, 4] and features [T, D] of each utterance, BLOCK frames at a time."""
    rows_of: dict[tuple[int, ...], int] = {}
    table = np.zeros((0, 0))
    contexts: list[np.ndarray] = []
    features: list[np.ndarray] = []

    def merge() -> None:
        nonlocal table
        frames = np.concatenate(features).astype(np.float64)
        block = _summed(
            np.concatenate(contexts), np.concatenate([np.ones((len(frames), 1)), frames, frames**2], axis=1)
        )
        rows = [rows_of.setdefault(tuple(key), len(rows_of)) for key in block.keys.tolist()]
        if len(rows_of) > len(table):
            grown = np.zeros((len(rows_of) * 5 // 4, block.sums.shape[1]))
            grown[: len(table), : table.shape[1]] = table
            table = grown
        table[rows] += block.sums
        contexts.clear()
        features.clear()

    for context, matrix in utterances:
        contexts.append(context)
        features.append(matrix)
        if sum(map(len, features)) >= BLOCK:
            merge()
    if features:
        merge()
    keys = sorted(rows_of)
    return Statistics(np.array(keys), table[[rows_of[key] for key in keys]])


def _summed(keys: np.ndarray, rows: np.ndarray) -> Statistics:
    """Sum the rows that have the same key; keys sorted."""
    unique, index = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(index.ravel(), kind="stable")
    firsts = np.searchsorted(index.ravel()[order], np.arange(len(unique)))
    return Statistics(unique, np.add.reduceat(rows[order], firsts, axis=0))


def log_likelihood(sums: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Log-likelihood of frames under their ML diagonal Gaussian, without constants: sums [..., 1 + 2 D] -> [...]."""
    width = len(floor)
    count = np.maximum(sums[..., :1], 1e-9)
    mean = sums[..., 1 : 1 + width] / count
    variance = np.maximum(sums[..., 1 + width :] / count - mean**2, floor)
    return -0.5 * sums[..., 0] * np.log(variance).sum(axis=-1)


def best_split(keys: np.ndarray, sums: np.ndarray, questions: np.ndarray, floor: np.ndarray) -> tuple[float, int, int]:
    """(gain, LEFT or RIGHT, question) of the best split; gain 0 if no split leaves enough frames on both sides."""
    total = sums.sum(axis=0)
    best = (0.0, LEFT, 0)
    for key in (LEFT, RIGHT):
        by_phone = np.zeros((questions.shape[1], sums.shape[1]))
        np.add.at(by_phone, keys[:, key], sums)
        yes = questions.astype(np.float64) @ by_phone  # [Q, 1 + 2 D]
        no = total - yes
        gain = log_likelihood(yes, floor) + log_likelihood(no, floor) - log_likelihood(total, floor)
        gain[(yes[:, 0] < MIN_LEAF_FRAMES) | (no[:, 0] < MIN_LEAF_FRAMES)] = 0.0
        question = int(np.argmax(gain))
        if gain[question] > best[0]:
            best = (float(gain[question]), key, question)
    return best


def grow_trees(
    stats: Statistics, phones: Sequence[str], shared: Sequence[Sequence[int]], states: int, leaves: int
) -> tuple[list[list[Node]], np.ndarray]:
    """Grow a tree per group of phones and state; the trees and the sums [leaves, 1 + 2 D] of their leaves.

    Args:
        stats: statistics of the sample.
        phones: the inventory, silence first; silence is never split.
        shared: groups of phones that share their states and trees.
        states: states per phone.
        leaves: maximum number of leaves.
    """
    question_sets = questions(phones)
    width = (stats.sums.shape[1] - 1) // 2
    total = stats.sums.sum(axis=0)
    mean = total[1 : 1 + width] / total[0]
    floor = VARIANCE_FLOOR * (total[1 + width :] / total[0] - mean**2)

    nodes: list[dict[str, Any]] = []  # rows of the statistics and, once split, the children
    heap: list[tuple[float, int, int, int]] = []  # -gain, node, key, question

    def add(rows: np.ndarray, group: Sequence[int]) -> int:
        nodes.append({"rows": rows, "group": group})
        if len(rows) and phones[group[0]] != SILENCE:
            gain, key, question = best_split(stats.keys[rows], stats.sums[rows], question_sets, floor)
            if gain > 0:
                heapq.heappush(heap, (-gain, len(nodes) - 1, key, question))
        return len(nodes) - 1

    roots = []
    for group in shared:
        member = np.isin(stats.keys[:, CENTRE], group)
        roots.append([add(np.flatnonzero(member & (stats.keys[:, 3] == s)), group) for s in range(states)])
    count = len(nodes)
    while heap and count < leaves:
        _, index, key, question = heapq.heappop(heap)
        node = nodes[index]
        yes = question_sets[question][stats.keys[node["rows"], key]]
        node["split"] = (key, np.flatnonzero(question_sets[question]).tolist())
        node["then"], node["else"] = (add(node["rows"][side], node["group"]) for side in (yes, ~yes))
        count += 1

    leaf_sums: list[np.ndarray] = []

    def convert(index: int) -> Node:
        node = nodes[index]
        if "split" not in node:
            leaf_sums.append(stats.sums[node["rows"]].sum(axis=0))
            return len(leaf_sums) - 1
        key, yes = node["split"]
        return {"key": key, "yes": yes, "then": convert(node["then"]), "else": convert(node["else"])}

    trees = [[convert(index) for index in row] for row in roots]
    return trees, np.stack(leaf_sums)


def leaf_gaussians(leaf_sums: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """One Gaussian per leaf, as weights [1], 1/variance and mean/variance [1, D]; of all frames if a leaf is empty."""
    width = (leaf_sums.shape[1] - 1) // 2
    total = leaf_sums.sum(axis=0)
    variance = total[1 + width :] / total[0] - (total[1 : 1 + width] / total[0]) ** 2
    result = []
    for leaf in leaf_sums:
        sums = leaf if leaf[0] > 1 else total
        mean = sums[1 : 1 + width] / sums[0]
        inverse = 1.0 / np.maximum(sums[1 + width :] / sums[0] - mean**2, VARIANCE_FLOOR * variance)
        result.append((np.ones(1), inverse[None], (mean * inverse)[None]))
    return result


def context_dependency(trees: Sequence[Sequence[Node]], shared: Sequence[Sequence[int]]) -> khg.ContextDependency:
    """Kaldi's ContextDependency for trees over inner phone ids (see AcousticModel), read from Kaldi's file format.

    Phone index 0, silence, is also the context beyond the utterance (Kaldi's phone 0).
    """

    def number(value: int) -> bytes:
        return b"\x04" + struct.pack("<i", value)

    def table(key: int, children: Sequence[bytes]) -> bytes:
        return b"TE " + number(key) + b"\xfc" + struct.pack("<I", len(children)) + b"( " + b"".join(children) + b") "

    def node(tree: Node) -> bytes:
        if isinstance(tree, int):
            return b"CE " + number(tree)
        ids = sorted(i for phone in tree["yes"] for i in ([0, 1] if phone == 0 else [2 * phone, 2 * phone + 1]))
        yes = b"\x04" + struct.pack(f"<i{len(ids)}i", len(ids), *ids)
        return b"SE " + number(tree["key"]) + yes + b"{ " + node(tree["then"]) + node(tree["else"]) + b"} "

    centres = [b"NULL "] * (2 * sum(map(len, shared)))
    for group, states in zip(shared, trees, strict=True):
        for phone in group:
            for inner in [1] if phone == 0 else [2 * phone, 2 * phone + 1]:
                centres[inner] = table(STATE, [node(tree) for tree in states])
    encoded = (
        b"ContextDependency " + number(3) + number(1) + b"ToPdf " + table(CENTRE, centres) + b"EndContextDependency "
    )
    dependency = khg.ContextDependency.__new__(khg.ContextDependency)
    dependency.__setstate__((list(struct.unpack(f"{len(encoded)}b", encoded)),))
    return dependency
