"""Every modality's continuations in one tidy table: perplexity, how many failed, how varied they are.

Perplexities are summed up over the continuations that have one; `empty_share` says how many have none. The interval
is a 95% bootstrap over prompts, since continuations of one prompt are not independent. Low perplexity can be babble,
so beside it stand: `repeated_4grams`, the share of a continuation's four-word sequences that it said before;
`distinct_words`, different words over all words of the modality; `word_entropy`, bits per word of what it says at all;
`words`, `words_per_second`, `silence` (share of the time). Where the corpus is the written world, `on_topic`,
`in_sentences` and `known_patterns` need no language model (scripts/continuation/world.py); `in_sentences_shuffled` is
the same of each continuation's words in random order: what chance would give. `task` is `continuation` for what was
generated and `continuation-real` for the same way's real speech.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import read_csv, read_jsonl, write_csv
from scripts.common.seeds import generator
from scripts.continuation.judge import OK
from scripts.continuation.perplexity import spoken
from scripts.continuation.world import World
from scripts.evaluation.config import Resampling

COLUMNS = ("modality", "task", "metric", "value", "ci_low", "ci_high", "n")
TASKS = ("continuation", "continuation-real")
NGRAM = 4
Row = dict[str, str]
Statistic = Callable[[np.ndarray], float]

PERPLEXITIES: dict[str, tuple[str, Statistic]] = {
    "perplexity": ("perplexity", lambda x: float(x.mean())),
    "perplexity_sd": ("perplexity", lambda x: float(x.std(ddof=1)) if len(x) > 1 else 0.0),
    "perplexity_median": ("perplexity", lambda x: float(np.median(x))),
    "perplexity_given_prompt": ("perplexity_given_prompt", lambda x: float(x.mean())),
    "perplexity_given_prompt_median": ("perplexity_given_prompt", lambda x: float(np.median(x))),
}


def interval(values: list[float], prompts: list[str], statistic: Statistic, samples: int, seed: int) -> tuple:
    """(statistic, low, high) of values, resampled by prompt."""
    array, places = np.array(values), np.unique(np.array(prompts), return_inverse=True)[1]
    groups = [np.flatnonzero(places == place) for place in range(places.max() + 1)]
    rng = generator(seed, "continuation/bootstrap")
    drawn = [
        statistic(array[np.concatenate([groups[g] for g in rng.integers(0, len(groups), len(groups))])])
        for _ in range(samples)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return statistic(array), float(low), float(high)


def repeated(words: Sequence[str]) -> float | None:
    """Share of a text's NGRAM-word sequences that stood in it before; None under NGRAM words."""
    grams = [tuple(words[i : i + NGRAM]) for i in range(len(words) - NGRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else None


def variety(rows: Sequence[Row]) -> dict[str, tuple[float, int]]:
    """(value, texts it is over) of what the perplexities do not show."""
    texts = [row["text"].split() for row in rows]
    counts = Counter(word for text in texts for word in text)
    total = counts.total()
    shares = np.array(list(counts.values())) / total if total else np.ones(1)
    loops = [share for share in map(repeated, texts) if share is not None]
    timed = [(len(text), float(row["seconds"])) for text, row in zip(texts, rows, strict=True) if row["seconds"]]
    quiet = [float(row["silence"]) for row in rows if row["silence"]]
    spoken = sum(seconds for _, seconds in timed)
    found = {
        "empty_share": (sum(row["status"] != OK for row in rows) / len(rows), len(rows)),
        "at_limit_share": (sum(row["stop"] == "limit" for row in rows) / len(rows), len(rows)),
        "words": (total / len(rows), len(rows)),
        "distinct_words": (len(counts) / total if total else 0.0, total),
        "word_entropy": (float(-(shares * np.log2(shares)).sum()), total),
    }
    if loops:
        found["repeated_4grams"] = (float(np.mean(loops)), len(loops))
    if spoken:
        found["words_per_second"] = (sum(words for words, _ in timed) / spoken, len(timed))
    if quiet:
        found["silence"] = (float(np.mean(quiet)), len(quiet))
    return found


def in_world(
    rows: Sequence[Row], prompts: Mapping[str, dict[str, Any]], world: World, seed: int
) -> dict[str, tuple[float, int]]:
    """(value, texts it is over) of what the world says of them; `prompts` has each prompt's line by its id."""
    rng = generator(seed, "continuation/shuffled")
    found: dict[str, list[float | None]] = {}
    for row in rows:
        words, prompt = row["text"].split(), prompts[row["prompt"]]
        before = spoken(prompt["text"]).split()
        shuffled = [words[place] for place in rng.permutation(len(words))]
        scores = {
            "on_topic": world.on_topic(words, prompt["topic"]) if prompt["topic"] else None,
            "in_sentences": world.in_sentences(words, before),
            "in_sentences_shuffled": world.in_sentences(shuffled, before),
            "known_patterns": world.known_patterns(words),
        }
        for name, score in scores.items():
            found.setdefault(name, []).append(score)
    kept = {name: [score for score in scores if score is not None] for name, scores in found.items()}
    return {name: (float(np.mean(scores)), len(scores)) for name, scores in kept.items() if scores}


def summarise(
    rows: Sequence[Row],
    modality: str,
    task: str,
    samples: int,
    seed: int,
    more: Mapping[str, tuple[float, int]] | None = None,
) -> list[dict[str, object]]:
    """All lines of one file of judged continuations, `more` among them; ValueError if it holds none."""
    if not rows:
        raise ValueError(f"{modality}: {task}: no continuations")
    lines = []
    scored = [row for row in rows if row["status"] == OK]
    for metric, (column, statistic) in PERPLEXITIES.items():
        value = low = high = float("nan")
        if scored:
            prompts = [row["prompt"] for row in scored]
            value, low, high = interval([float(row[column]) for row in scored], prompts, statistic, samples, seed)
        lines.append((metric, value, low, high, len(scored)))
    lines += [
        (metric, value, float("nan"), float("nan"), n)
        for metric, (value, n) in {**variety(rows), **(more or {})}.items()
    ]
    return [dict(zip(COLUMNS, (modality, task, m, *_rounded(v, lo, hi), n), strict=True)) for m, v, lo, hi, n in lines]


def _rounded(*numbers: float) -> list[float | str]:
    return ["" if np.isnan(number) else round(number, 6) for number in numbers]


def main() -> None:
    """Command line of rule continuation_summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--generated", type=Path, nargs="+", required=True, help="judged, per modality (.csv)")
    parser.add_argument("--real", type=Path, nargs="+", required=True, help="judged, per modality (.csv)")
    parser.add_argument("--prompts", type=Path, required=True, help="prompts.jsonl")
    parser.add_argument("--world", action="store_true", help="the corpus is the written world")
    parser.add_argument("--config", required=True, help="JSON: bootstrap_samples of the section evaluation")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    world = World(args.seed) if args.world else None
    prompts = {row["id"]: row for row in read_jsonl(args.prompts)}
    samples = parse(Resampling, args.config, "evaluation").bootstrap_samples
    lines = []
    for modality, *paths in zip(args.modalities, args.generated, args.real, strict=True):
        for task, path in zip(TASKS, paths, strict=True):
            rows = read_csv(path)
            more = in_world(rows, prompts, world, args.seed) if world else {}
            lines += summarise(rows, modality, task, samples, args.seed, more)
    write_csv(args.out, COLUMNS, lines)
    for line in lines:
        if line["metric"] == "perplexity_median":
            print(f"{line['modality']}: {line['task']}: median perplexity {line['value']}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
