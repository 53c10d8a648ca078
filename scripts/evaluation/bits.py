"""How many bits a modality's language model needs for held-out speech, per second, word and token.

bits = -log2 p(sequence), EOS included, over the utterances of dev. Per second of speech and per word
they compare modalities whatever their vocabularies, as every modality encodes the same utterances; per
token they do not. Each is a ratio of sums (all bits over all seconds), resampled by utterance.
"""

import math

import numpy as np

from scripts.common.cuts import Cut, spoken_text
from scripts.evaluation.accuracy import Interval, interval

COLUMNS = ("metric", "value", "ci_low", "ci_high", "n")


def bits(
    cuts: list[Cut], tokens: dict[str, np.ndarray], logprobs: dict[str, float], samples: int, seed: int
) -> dict[str, Interval]:
    """bits_per_second, bits_per_word and bits_per_token with intervals over utterances.

    Seconds are the cuts' durations, words those of the spoken text, tokens all but BOS.
    """
    needed = np.array([-logprobs[cut["id"]] / math.log(2) for cut in cuts])
    per = {
        "bits_per_second": [cut["duration"] for cut in cuts],
        "bits_per_word": [len(spoken_text(cut).split()) for cut in cuts],
        "bits_per_token": [len(tokens[cut["id"]]) - 1 for cut in cuts],
    }
    return {metric: interval(needed, samples, seed, np.array(units, np.float64)) for metric, units in per.items()}
