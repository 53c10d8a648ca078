"""Bits of a modality's language model on held-out speech, per second, word and token.

bits = -log2 p(sequence), EOS included, over the utterances of dev. Bits per second of speech and per word can be
compared across vocabularies, since every modality encodes the same utterances; bits per token cannot. Each is a ratio
of sums (all bits over all seconds); utterances are resampled.
"""

import math
from typing import NamedTuple

import numpy as np

from scripts.common.cuts import Cut, spoken_text
from scripts.evaluation.accuracy import Interval, interval

COLUMNS = ("metric", "value", "ci_low", "ci_high", "n")
UTTERANCE_COLUMNS = ("id", "seconds", "words", "bits")


class Utterance(NamedTuple):
    """The fields of a cut of dev that are kept in memory; its alignment is some twenty times as large."""

    id: str
    seconds: float
    words: int


def utterance(cut: Cut) -> Utterance:
    """Duration and number of words (of the spoken text) of a cut."""
    return Utterance(cut["id"], cut["duration"], len(spoken_text(cut).split()))


def bits(
    utterances: list[Utterance], tokens: dict[str, np.ndarray], logprobs: dict[str, float], samples: int, seed: int
) -> dict[str, Interval]:
    """bits_per_second, bits_per_word and bits_per_token with intervals over utterances; BOS is not counted."""
    bits_needed = np.array([-logprobs[cut.id] / math.log(2) for cut in utterances])
    per = {
        "bits_per_second": [cut.seconds for cut in utterances],
        "bits_per_word": [cut.words for cut in utterances],
        "bits_per_token": [len(tokens[cut.id]) - 1 for cut in utterances],
    }
    return {metric: interval(bits_needed, samples, seed, np.array(units, np.float64)) for metric, units in per.items()}


def utterance_rows(utterances: list[Utterance], logprobs: dict[str, float]) -> list[dict[str, object]]:
    """UTTERANCE_COLUMNS of every utterance, given its log-probability in nats."""
    return [{**cut._asdict(), "bits": round(-logprobs[cut.id] / math.log(2), 6)} for cut in utterances]
