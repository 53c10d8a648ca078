"""Four baselines without a language model, for every accuracy of the language models.

length: the side with fewer source symbols has the higher score (characters, phones or frames before tokenization;
tokens for external tokens). tokens: the side with fewer tokens. unigram and 4-gram: log-probability under counts of the
modality's train tokens (ngram.py), normalized like the language model's.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Cut, book_text, num_samples, phone_alignment, sides, speaker
from scripts.common.files import read_json, write_csv
from scripts.common.frames import frame_count
from scripts.common.ragged import Ragged, load_bin
from scripts.common.seeds import generator
from scripts.evaluation.accuracy import by_item, decide_sides, normalise
from scripts.evaluation.config import Decision
from scripts.evaluation.items import EMPTY, add_task_arguments, couples, cut_seconds, read_tasks
from scripts.evaluation.ngram import FIT_TOKENS, Table, fit, ngram_logprobs, sample, unigram_logprobs

COLUMNS = ("id", "voice", "couple", "baseline", "correct")

# Number of symbols of a source without a frame rate, given a cut, its BOS ... EOS, and whether SIL counts.
SOURCE_LENGTH: dict[str, Callable[[Cut, np.ndarray, bool], int]] = {
    "text": lambda cut, tokens, silence: len(book_text(cut)),
    "phones": lambda cut, tokens, silence: sum(silence or phone != "SIL" for phone, *_ in phone_alignment(cut)),
    "tokens": lambda cut, tokens, silence: len(tokens) - EMPTY,
}


def source_length(cut: Cut, tokens: np.ndarray, source: str, frame_rate: float | None, silence: bool) -> int:
    """Number of source symbols of a cut: frames if the modality has a frame rate, else characters, phones or tokens.

    Args:
        cut: a cut with its phone alignment.
        tokens: its BOS ... EOS in the modality, [T].
        source: the modality's `source` in config.yaml.
        frame_rate: symbols per second; None for a modality without a frame rate.
        silence: whether SIL counts among the phones (tokens.silence is keep).

    Raises:
        ValueError: `source` has no known length without a frame rate.
    """
    if frame_rate is not None:
        return frame_count(num_samples(cut), frame_rate)
    if source not in SOURCE_LENGTH:
        raise ValueError(f"source {source!r} has no known length in a cut; known are {', '.join(SOURCE_LENGTH)}")
    return SOURCE_LENGTH[source](cut, tokens, silence)


def scores(
    tokens: dict[str, np.ndarray],
    lengths: dict[str, int],
    seconds: dict[str, float],
    tables: list[Table],
    vocab_size: int,
    score_normalization: str,
) -> dict[str, dict[str, float]]:
    """Score of each cut id by each baseline; the side with the higher score is preferred.

    Args:
        tokens: cut id -> BOS ... EOS.
        lengths: cut id -> source symbols.
        seconds: cut id -> duration.
        tables: n-gram counts of the modality's train tokens.
        vocab_size: size of the vocabulary.
        score_normalization: total, per_token or per_second, as for the language model.
    """
    ids = list(tokens)
    counts = np.array([len(tokens[name]) - 1 for name in ids], dtype=np.float64)
    durations = np.array([seconds[name] for name in ids])
    joined = Ragged.join(ids, [tokens[name] for name in ids])

    def normalised(logprobs: list[float]) -> dict[str, float]:
        return dict(
            zip(ids, normalise(np.array(logprobs), counts, durations, score_normalization).tolist(), strict=True)
        )

    return {
        "length": {name: -length for name, length in lengths.items()},
        "tokens": dict(zip(ids, (-counts).tolist(), strict=True)),
        "unigram": normalised(unigram_logprobs(tables, joined, vocab_size)),
        "4-gram": normalised(ngram_logprobs(tables, joined, vocab_size)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--definition", required=True, type=json.loads, help="the modality's entry in config.yaml")
    parser.add_argument("--silence", required=True, choices=["keep", "drop"], help="tokens.silence")
    parser.add_argument("--train", required=True, type=Path, help="train tokens (.bin) the counts are taken from")
    parser.add_argument("--stats", required=True, type=Path, help="stats.json of the modality's tokens")
    add_task_arguments(parser)
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int, help="draws the train utterances where there are too many")
    arguments = parser.parse_args()
    arguments.config = parse(Decision, arguments.config, "evaluation")
    definition, score_normalization = arguments.definition, arguments.config.score_normalization
    source, frame_rate, silence = definition["source"], definition.get("frame_rate"), arguments.silence == "keep"
    train = load_bin(arguments.train)
    counted = sample(train, FIT_TOKENS, generator(arguments.seed, "evaluation", "ngram"))
    tables, vocab_size = fit(counted), read_json(arguments.stats)["vocab_size"]
    print(f"{arguments.modality}: counted {len(counted.stream)} of {len(train.stream)} train tokens", file=sys.stderr)
    for task in read_tasks(arguments):
        rows, ids = [], [item["id"] for item in task.items]
        cuts = [cut for item in task.items for cut in sides(item)]
        lengths = {cut["id"]: source_length(cut, task.tokens[cut["id"]], source, frame_rate, silence) for cut in cuts}
        by_baseline = scores(task.tokens, lengths, cut_seconds(task.items), tables, vocab_size, score_normalization)
        for baseline, score in by_baseline.items():
            correct = decide_sides(task.items, score)
            rows += [
                dict(zip(COLUMNS, (item["id"], speaker(item["positive"]), couple, baseline, f"{value:g}"), strict=True))
                for item, couple, value in zip(task.items, couples(task.items), correct, strict=True)
            ]
            accuracy = 100 * by_item(ids, correct).mean()
            print(f"{arguments.modality}/{task.name}: {baseline} {accuracy:.1f}%", file=sys.stderr)
        write_csv(task.out, COLUMNS, rows)


if __name__ == "__main__":
    run(main)
