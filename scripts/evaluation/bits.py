"""How many bits a modality's language model needs for held-out speech, per second, word and token.

bits = -log2 p(sequence), EOS included, over the utterances of dev. Per second of speech and per word
they compare modalities whatever their vocabularies, as every modality encodes the same utterances; per
token they do not. Each is a ratio of sums (all bits over all seconds), resampled by utterance.
"""

import argparse
import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scripts.common.cli import run
from scripts.common.cuts import Cut, read_cuts, spoken_text
from scripts.common.files import write_csv
from scripts.evaluation.accuracy import Interval, interval
from scripts.evaluation.items import read_tokens

COLUMNS = ("metric", "value", "ci_low", "ci_high", "n")


@dataclass(frozen=True)
class Config:
    """Keys of config.yaml's `evaluation` that this step reads."""

    bootstrap_samples: int
    batch_tokens: int
    threads: int


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--model", required=True, type=Path, help="AutoModelForCausalLM folder")
    parser.add_argument("--cuts", required=True, nargs="+", type=Path, help="shards of dev (jsonl.gz)")
    parser.add_argument("--tokens", required=True, type=Path, help="tokens of dev (.bin)")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--config", required=True, type=lambda text: Config(**json.loads(text)))
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    config = arguments.config
    cuts = [cut for shard in arguments.cuts for cut in read_cuts(shard)]
    if not cuts:
        raise ValueError(f"{arguments.cuts[0]}: dev holds no utterances; bits need at least one")
    tokens = read_tokens(arguments.tokens, [cut["id"] for cut in cuts])
    from scripts.evaluation.scoring import load_model, score

    model = load_model(arguments.model, config.threads)
    logprobs = score(model, tokens, config.batch_tokens, f"{arguments.modality}/dev")
    found = bits(cuts, tokens, logprobs, config.bootstrap_samples, arguments.seed)
    write_csv(arguments.out, COLUMNS, [{"metric": metric, **row._asdict()} for metric, row in found.items()])
    summary = ", ".join(f"{row.value:.2f} {metric.replace('_', ' ')}" for metric, row in found.items())
    print(f"{arguments.modality}/dev: {summary} over {len(cuts)} utterances", file=sys.stderr)


if __name__ == "__main__":
    run(main)
