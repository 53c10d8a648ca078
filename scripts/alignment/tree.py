"""Phonetic decision trees that tie triphone states, grown here and passed to Kaldi in its file format.

kaldi-hmm-gmm can neither accumulate tree statistics nor build trees: its ContextDependency has no constructor
and its EventMap none but a constant. But a ContextDependency unpickles from the bytes of Kaldi's own file format, so a
tree grown here by the textbook method becomes a real one, cross-word context included, and everything after it
(transition model, graph compiler, decoder) is Kaldi's.

Growing: each phone's each state begins as one leaf; the split with the largest gain in log-likelihood of one diagonal
Gaussian per leaf, over all leaves and all questions, comes first, until there are enough leaves. Sources: Young,
Odell and Woodland, Tree-based state tying for high accuracy acoustic modelling, 1994; Kaldi, src/tree/event-map.cc
for the form of the bytes.
"""

import heapq
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import kaldi_hmm_gmm as khg
import numpy as np

from scripts.alignment.lexicon import SILENCE, base

LEFT, CENTRE, RIGHT, STATE = 0, 1, 2, -1  # Kaldi's keys of an event: position in the triphone, place in the phone
FEWEST_FRAMES = 50.0  # of a leaf
FLOOR = 0.01  # of a leaf's variance, relative to that of all speech
Node = int | dict[str, Any]  # a leaf's number, or {key, yes: phone indices, then, else}

CLASSES = (  # ARPAbet by manner, place, voice, height and backness: the classes that questions test a neighbour for
    "P T K", "B D G", "P B", "T D", "K G", "P T K B D G", "CH JH", "P T K CH", "B D G JH", "P T K B D G CH JH",
    "F TH S SH HH", "V DH Z ZH", "S Z", "SH ZH CH JH", "F V", "TH DH", "S Z SH ZH", "F TH S SH HH V DH Z ZH",
    "M N NG", "N NG", "L R", "W Y", "L R W Y", "L R ER", "M N NG L R W Y", "P B M F V W", "T D N S Z L",
    "K G NG", "P T K CH F TH S SH HH", "IY IH EY EH AE", "UW UH OW AO AA", "AH ER", "IY IH UW UH", "AA AE AO AH",
    "EY EH OW ER", "AY AW OY", "EY AY OY", "OW AW", "IY EY AY OY Y", "UW OW AW W", "IH EH UH AH",
    "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW",
)  # fmt: skip


def questions(phones: Sequence[str]) -> np.ndarray:
    """Bool [Q, P]: classes, single phones and stresses, each as the set of phones it holds of; none holds of all."""
    sets = [set(names.split()) for names in CLASSES] + [{name} for name in sorted({base(phone) for phone in phones})]
    asked = [[base(phone) in names for phone in phones] for names in sets]
    asked += [[phone.endswith(stress) for phone in phones] for stress in "012"]
    found = np.unique(np.array(asked), axis=0)
    return found[found.any(axis=1) & ~found.all(axis=1)]


@dataclass
class Statistics:
    """Frames by triphone state: `keys` int [N, 4] (left, centre, right, state), `sums` float64 [N, 1 + 2 D].

    A row of sums holds the number of frames, the sum of their features and of their squares.
    """

    keys: np.ndarray
    sums: np.ndarray


def statistics(contexts: Sequence[np.ndarray], observed: Sequence[np.ndarray]) -> Statistics:
    """Add up frames: contexts int [T, 4] and features [T, D] per utterance."""
    keys, index = np.unique(np.concatenate(contexts), axis=0, return_inverse=True)
    frames = np.concatenate(observed).astype(np.float64)
    order = np.argsort(index.ravel(), kind="stable")
    firsts = np.searchsorted(index.ravel()[order], np.arange(len(keys)))
    full = np.concatenate([np.ones((len(frames), 1)), frames, frames**2], axis=1)
    return Statistics(keys, np.add.reduceat(full[order], firsts, axis=0))


def log_likelihood(sums: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """Of frames under their own diagonal Gaussian, without constants: sums [..., 1 + 2 D] -> [...]."""
    width = len(floor)
    count = np.maximum(sums[..., :1], 1e-9)
    mean = sums[..., 1 : 1 + width] / count
    variance = np.maximum(sums[..., 1 + width :] / count - mean**2, floor)
    return -0.5 * sums[..., 0] * np.log(variance).sum(axis=-1)


def best_split(keys: np.ndarray, sums: np.ndarray, asked: np.ndarray, floor: np.ndarray) -> tuple[float, int, int]:
    """(gain, LEFT or RIGHT, question) of the best split; gain 0 if there is none with enough frames."""
    total = sums.sum(axis=0)
    best = (0.0, LEFT, 0)
    for key in (LEFT, RIGHT):
        by_phone = np.zeros((asked.shape[1], sums.shape[1]))
        np.add.at(by_phone, keys[:, key], sums)
        yes = asked.astype(np.float64) @ by_phone  # [Q, 1 + 2 D]
        no = total - yes
        gain = log_likelihood(yes, floor) + log_likelihood(no, floor) - log_likelihood(total, floor)
        gain[(yes[:, 0] < FEWEST_FRAMES) | (no[:, 0] < FEWEST_FRAMES)] = 0.0
        question = int(np.argmax(gain))
        if gain[question] > best[0]:
            best = (float(gain[question]), key, question)
    return best


def grow(
    stats: Statistics, phones: Sequence[str], shared: Sequence[Sequence[int]], states: int, leaves: int
) -> tuple[list[list[Node]], np.ndarray]:
    """Trees per group of phones and state, and each leaf's statistics [leaves, 1 + 2 D].

    Args:
        stats: of the whole sample.
        phones: the inventory, silence first; silence is never split.
        shared: groups of phones that share their states and so their trees.
        states: per phone.
        leaves: how many to stop at, at most.
    """
    asked = questions(phones)
    width = (stats.sums.shape[1] - 1) // 2
    everything = stats.sums.sum(axis=0)
    mean = everything[1 : 1 + width] / everything[0]
    floor = FLOOR * (everything[1 + width :] / everything[0] - mean**2)

    nodes: list[dict[str, Any]] = []  # every node: rows of the statistics, then its split
    heap: list[tuple[float, int, int, int]] = []  # -gain, node, key, question

    def add(rows: np.ndarray, group: Sequence[int]) -> int:
        nodes.append({"rows": rows, "group": group})
        if len(rows) and phones[group[0]] != SILENCE:
            gain, key, question = best_split(stats.keys[rows], stats.sums[rows], asked, floor)
            if gain > 0:
                heapq.heappush(heap, (-gain, len(nodes) - 1, key, question))
        return len(nodes) - 1

    roots = []
    for group in shared:
        member = np.isin(stats.keys[:, CENTRE], group)
        roots.append([add(np.flatnonzero(member & (stats.keys[:, 3] == s)), group) for s in range(states)])
    count = len(nodes)
    while heap and count < leaves:
        _, number, key, question = heapq.heappop(heap)
        node = nodes[number]
        yes = asked[question][stats.keys[node["rows"], key]]
        node["split"] = (key, np.flatnonzero(asked[question]).tolist())
        node["then"], node["else"] = (add(node["rows"][side], node["group"]) for side in (yes, ~yes))
        count += 1

    ends: list[np.ndarray] = []

    def finish(number: int) -> Node:
        node = nodes[number]
        if "split" not in node:
            ends.append(stats.sums[node["rows"]].sum(axis=0))
            return len(ends) - 1
        key, holds = node["split"]
        return {"key": key, "yes": holds, "then": finish(node["then"]), "else": finish(node["else"])}

    trees = [[finish(number) for number in row] for row in roots]
    return trees, np.stack(ends)


def leaf_gaussians(ends: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """One Gaussian per leaf, as weights [1], 1/variance and mean/variance [1, D]; a leaf never seen has everyone's."""
    width = (ends.shape[1] - 1) // 2
    everything = ends.sum(axis=0)
    result = []
    for leaf in ends:
        total = leaf if leaf[0] > 1 else everything
        mean = total[1 : 1 + width] / total[0]
        whole = everything[1 + width :] / everything[0] - (everything[1 : 1 + width] / everything[0]) ** 2
        inverse = 1.0 / np.maximum(total[1 + width :] / total[0] - mean**2, FLOOR * whole)
        result.append((np.ones(1), inverse[None], (mean * inverse)[None]))
    return result


def context_dependency(trees: Sequence[Sequence[Node]], shared: Sequence[Sequence[int]]) -> khg.ContextDependency:
    """Kaldi's object for trees over inner phone ids (see AcousticModel), by its file format.

    Phone index 0, silence, stands also for what lies beyond the utterance (Kaldi's phone 0).
    """

    def number(value: int) -> bytes:
        return b"\x04" + struct.pack("<i", value)

    def table(key: int, children: Sequence[bytes]) -> bytes:
        return b"TE " + number(key) + b"\xfc" + struct.pack("<I", len(children)) + b"( " + b"".join(children) + b") "

    def node(tree: Node) -> bytes:
        if isinstance(tree, int):
            return b"CE " + number(tree)
        ids = sorted(i for phone in tree["yes"] for i in ([0, 1] if phone == 0 else [2 * phone, 2 * phone + 1]))
        holds = b"\x04" + struct.pack(f"<i{len(ids)}i", len(ids), *ids)
        return b"SE " + number(tree["key"]) + holds + b"{ " + node(tree["then"]) + node(tree["else"]) + b"} "

    centres = [b"NULL "] * (2 * sum(map(len, shared)))
    for group, states in zip(shared, trees, strict=True):
        for phone in group:
            for inner in [1] if phone == 0 else [2 * phone, 2 * phone + 1]:
                centres[inner] = table(STATE, [node(tree) for tree in states])
    coded = (
        b"ContextDependency " + number(3) + number(1) + b"ToPdf " + table(CENTRE, centres) + b"EndContextDependency "
    )
    made = khg.ContextDependency.__new__(khg.ContextDependency)
    made.__setstate__((list(struct.unpack(f"{len(coded)}b", coded)),))
    return made
