"""Grapheme-to-phoneme conversion of unknown words with a joint n-gram model of letters and phones.

Every letter of a training word is aligned with zero, one or two phones (Viterbi training), which turns the word into a
sequence of letter-phone pairs. An n-gram model of these pairs with Witten-Bell back-off is searched for the most likely
sequence that spells a given word. The model is small rather than accurate: trained on CMUdict without every 20th word,
it has on these words a phone error rate of 11% (8% without stress) and 58% of the words right, after 22 s of training
(tests/alignment/test_g2p.py measures a smaller model). Source of the method: Bisani and Ney, Joint-sequence models for
grapheme-to-phoneme conversion, 2008.
"""

import gzip
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

from scripts.alignment.lexicon import Pronunciation
from scripts.common.files import read_jsonl
from scripts.corpus.pronounce import cmudict_entries

FILE = "letters.jsonl.gz"
ORDER = 6  # pairs per n-gram
PHONES_PER_LETTER = (0, 1, 2)
ALIGN_WORDS = 8000  # words on which pair probabilities are estimated
ALIGN_PASSES = 4
UNSEEN_COST = 12.0  # -log probability of a pair without a count
BEAM = 12  # hypotheses kept per letter
EDGE = ("", "")  # padding before the first and after the last letter

Pair = tuple[str, str]  # a letter and its phones, joined by spaces
Counts = dict[tuple[Pair, ...], dict[Pair, int]]


def align_letters(word: str, phones: Pronunciation, cost: Mapping[Pair, float], unseen: float) -> list[Pair] | None:
    """The cheapest sequence of pairs that spells `word` and pronounces `phones`; None if there is none."""
    # Per letter: number of phones consumed -> cost, number of phones consumed before this letter.
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]
    for position, letter in enumerate(word):
        row: dict[int, tuple[float, int]] = {}
        left = len(word) - position - 1
        for start, (total, _) in best[-1].items():
            for size in PHONES_PER_LETTER:
                end = start + size
                if end > len(phones) or len(phones) - end > max(PHONES_PER_LETTER) * left:
                    continue
                new = total + cost.get((letter, " ".join(phones[start:end])), unseen + size)
                if end not in row or new < row[end][0]:
                    row[end] = (new, start)
        best.append(row)
    if len(phones) not in best[-1]:
        return None
    pairs: list[Pair] = []
    end = len(phones)
    for position in range(len(word), 0, -1):
        start = best[position][end][1]
        pairs.append((word[position - 1], " ".join(phones[start:end])))
        end = start
    return pairs[::-1]


def pair_costs(words: Iterable[tuple[str, Pronunciation]]) -> dict[Pair, float]:
    """-log P(phones | letter) of every pair, by Viterbi training."""
    words = list(words)
    costs: dict[Pair, float] = {}
    for _ in range(ALIGN_PASSES + 1):
        counts: dict[Pair, float] = defaultdict(float)
        letters: dict[str, float] = defaultdict(float)
        for word, phones in words:
            if costs:
                pairs = align_letters(word, phones, costs, UNSEEN_COST)
            else:  # flat start: phones spread evenly over letters
                bounds = [round(i * len(phones) / len(word)) for i in range(len(word) + 1)]
                pairs = [(c, " ".join(phones[a:b])) for c, a, b in zip(word, bounds, bounds[1:], strict=False)]
                pairs = pairs if max(b - a for a, b in pairwise(bounds)) <= max(PHONES_PER_LETTER) else None
            for pair in pairs or ():
                counts[pair] += 1
                letters[pair[0]] += 1
        costs = {pair: -math.log(count / letters[pair[0]]) for pair, count in counts.items()}
    return costs


class G2pModel:
    """Joint n-gram model from letters to phones.

    Args:
        counts: counts of the next pair, per history of up to ORDER - 1 pairs.
    """

    def __init__(self, counts: Counts):
        self.counts = counts
        self.totals = {history: sum(following.values()) for history, following in counts.items()}
        self.by_letter: dict[str, list[Pair]] = defaultdict(list)
        for pair in counts.get((), {}):
            self.by_letter[pair[0]].append(pair)

    @classmethod
    def train(cls, lexicon: Mapping[str, Iterable[Pronunciation]]) -> "G2pModel":
        """Train on the words of a lexicon that consist of letters and apostrophes."""
        words = [
            (word, phones)
            for word, known in sorted(lexicon.items())
            for phones in known
            if word and word.replace("'", "").isalpha()
        ]
        costs = pair_costs(words[:: max(1, len(words) // ALIGN_WORDS)])
        counts: Counts = defaultdict(lambda: defaultdict(int))
        for word, phones in words:
            pairs = align_letters(word, phones, costs, UNSEEN_COST)
            if pairs is None:
                continue
            padded = [EDGE] * (ORDER - 1) + pairs + [EDGE]
            for position in range(ORDER - 1, len(padded)):
                for order in range(ORDER):
                    counts[tuple(padded[position - order : position])][padded[position]] += 1
        # Long histories with one count hardly change the probabilities and take most of the memory.
        return cls({h: dict(f) for h, f in counts.items() if len(h) < 3 or sum(f.values()) > 1})

    def probability(self, history: tuple[Pair, ...], pair: Pair) -> float:
        """P(pair | history), backing off to shorter histories (Witten and Bell 1991)."""
        probability = 1e-6
        for order in range(len(history) + 1):
            context = history[len(history) - order :]
            following = self.counts.get(context)
            if following is None:
                break
            total, types = self.totals[context], len(following)
            probability = (following.get(pair, 0) + types * probability) / (total + types)
        return probability

    def __call__(self, word: str) -> Pronunciation | None:
        """The most likely phones of a word; None if a letter is unknown or there are no phones."""
        hypotheses: list[tuple[float, tuple[Pair, ...]]] = [(0.0, (EDGE,) * (ORDER - 1))]
        for letter in word:
            extended = [
                (cost - math.log(self.probability(pairs[1 - ORDER :], pair)), (*pairs, pair))
                for cost, pairs in hypotheses
                for pair in self.by_letter.get(letter, ())
            ]
            hypotheses = sorted(extended)[:BEAM]
        complete = [(cost - math.log(self.probability(h[1 - ORDER :], EDGE)), h) for cost, h in hypotheses]
        if not complete:
            return None
        phones = tuple(phone for _, text in min(complete)[1] for phone in text.split())
        return phones or None

    def save(self, folder: Path) -> None:
        """Write FILE into an existing folder."""
        with open(folder / FILE, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out:
            for history, following in sorted(self.counts.items()):
                line = {"history": history, "following": [[*p, n] for p, n in sorted(following.items())]}
                out.write(json.dumps(line).encode() + b"\n")

    @classmethod
    def load(cls, folder: Path) -> "G2pModel":
        """Load what `save` wrote; ValueError or OSError naming the file if it cannot be read."""
        counts = {}
        for line in read_jsonl(folder / FILE):
            history = tuple((letter, phones) for letter, phones in line["history"])
            counts[history] = {(letter, phones): n for letter, phones, n in line["following"]}
        return cls(counts)


def cmudict_pronunciations() -> dict[str, tuple[Pronunciation, ...]]:
    """CMUdict, words in upper case."""
    return {word.upper(): tuple(tuple(phones) for phones in known) for word, known in cmudict_entries().items()}
