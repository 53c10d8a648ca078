"""How many bits a modality's language model needs for held-out speech, per second, word and token.

bits = -log2 p(sequence), EOS included, over the utterances of dev. Per second of speech and per word
they compare modalities whatever their vocabularies, as every modality encodes the same utterances; per
token they do not. Each is a ratio of sums (all bits over all seconds), resampled by utterance.
"""

import math
from typing import NamedTuple

import numpy as np

from scripts.common.cuts import Cut, spoken_text
from scripts.evaluation.accuracy import Interval, interval

COLUMNS = ("metric", "value", "ci_low", "ci_high", "n")


class Utterance(NamedTuple):
    """What is kept of a cut of dev: its alignment is some twenty times as large."""

    id: str
    seconds: float
    words: int


def utterance(cut: Cut) -> Utterance:
    """Duration and words, those of the spoken text, of a cut."""
    return Utterance(cut["id"], cut["duration"], len(spoken_text(cut).split()))


def bits(
    utterances: list[Utterance], tokens: dict[str, np.ndarray], logprobs: dict[str, float], samples: int, seed: int
) -> dict[str, Interval]:
    """bits_per_second, bits_per_word and bits_per_token with intervals over utterances; tokens are all but BOS."""
    needed = np.array([-logprobs[one.id] / math.log(2) for one in utterances])
    per = {
        "bits_per_second": [one.seconds for one in utterances],
        "bits_per_word": [one.words for one in utterances],
        "bits_per_token": [len(tokens[one.id]) - 1 for one in utterances],
    }
    return {metric: interval(needed, samples, seed, np.array(units, np.float64)) for metric, units in per.items()}
