"""Four baselines without a language model, for every accuracy of the language models.

length: the side with fewer symbols before tokenization has the higher score (characters, phones, frames, or external
tokens). tokens: the side with fewer tokens. unigram and 4-gram: log-probability under counts of the
modality's train tokens (ngram.py), normalized like the language model's.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import speaker
from scripts.common.files import read_json, write_csv
from scripts.common.ragged import Ragged, index_path, load_bin
from scripts.common.seeds import generator
from scripts.evaluation.accuracy import by_item, decide_sides, normalise
from scripts.evaluation.config import Decision
from scripts.evaluation.items import add_task_arguments, couples, cut_seconds, read_tasks
from scripts.evaluation.ngram import FIT_TOKENS, Table, fit, ngram_logprobs, sample, unigram_logprobs

COLUMNS = ("id", "voice", "couple", "baseline", "correct")


def symbol_counts(path: Path, ids: Iterable[str]) -> dict[str, int]:
    """Number of symbols before tokenization of these cuts, as stored beside their tokens (.bin).

    Raises:
        ValueError: names the index, if it was written by a version that did not store them.
    """
    with np.load(index_path(path), allow_pickle=False) as index:
        if "symbols" not in index:
            raise ValueError(f"{index_path(path)}: has no column symbols; encode the tasks again")
        counts = dict(zip(index["ids"].tolist(), index["symbols"].tolist(), strict=True))
    return {name: counts[name] for name in ids}


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
        lengths: cut id -> symbols before tokenization.
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
    parser.add_argument("--train", required=True, type=Path, help="train tokens (.bin) the counts are taken from")
    parser.add_argument("--stats", required=True, type=Path, help="stats.json of the modality's tokens")
    add_task_arguments(parser)
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int, help="draws the train utterances where there are too many")
    arguments = parser.parse_args()
    arguments.config = parse(Decision, arguments.config, "evaluation")
    score_normalization = arguments.config.score_normalization
    train = load_bin(arguments.train)
    counted = sample(train, FIT_TOKENS, generator(arguments.seed, "evaluation", "ngram"))
    tables, vocab_size = fit(counted), read_json(arguments.stats)["vocab_size"]
    print(f"{arguments.modality}: counted {len(counted.stream)} of {len(train.stream)} train tokens", file=sys.stderr)
    for task, token_file in zip(read_tasks(arguments), arguments.tokens, strict=True):
        rows, ids = [], [item["id"] for item in task.items]
        lengths = symbol_counts(token_file, task.tokens)
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
