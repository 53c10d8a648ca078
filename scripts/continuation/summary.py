"""One table of all continuations by modality: perplexity, share of empty ones, and measures of variety.

Perplexities are over the continuations that have one; `empty_share` is the share that has none. The interval is a 95%
bootstrap over prompts, since continuations of one prompt are not independent. Degenerate text can have a low
perplexity, so the table also holds: `repeated_4grams`, the share of a continuation's four-word sequences that occurred
in it before; `distinct_words`, different words divided by all words of the modality; `word_entropy`, the entropy of its
word distribution in bits; `words`, `words_per_second`, `silence` (share of the time). For the world, `on_topic`,
`in_sentences` and `known_patterns` need no language model (world_measures.py); `in_sentences_shuffled` is the same
measure of each continuation's words in random order, the level of chance. `task` is `continuation` for generated
continuations and `continuation-real` for real ones; `continuation-spoken` and `continuation-spoken-real` are those of
text modalities after they were spoken and transcribed. `measurable` is `yes`, or says which instrument fails
(instruments.py).
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
from scripts.common.files import nonempty_jsonl, read_csv, write_csv
from scripts.common.seeds import generator
from scripts.continuation.config import Limits
from scripts.continuation.instruments import judge_failure, judge_row, measurable, recogniser_failure, recogniser_rows
from scripts.continuation.judge import OK
from scripts.continuation.perplexity import normalise_text
from scripts.continuation.world_measures import WorldMeasures
from scripts.evaluation.config import Resampling

VALUES = ("modality", "task", "metric", "value", "ci_low", "ci_high", "n")
COLUMNS = (*VALUES, "measurable")
TASKS = ("continuation", "continuation-real")
SPOKEN_TASKS = ("continuation-spoken", "continuation-spoken-real")
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
    """(statistic, low, high) of values; prompts are resampled."""
    array, prompt_index = np.array(values), np.unique(np.array(prompts), return_inverse=True)[1]
    groups = [np.flatnonzero(prompt_index == index) for index in range(prompt_index.max() + 1)]
    rng = generator(seed, "continuation/bootstrap")
    drawn = [
        statistic(array[np.concatenate([groups[g] for g in rng.integers(0, len(groups), len(groups))])])
        for _ in range(samples)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return statistic(array), float(low), float(high)


def repeated_ngrams(words: Sequence[str]) -> float | None:
    """Share of a text's NGRAM-word sequences that occurred in it before; None under NGRAM words."""
    grams = [tuple(words[i : i + NGRAM]) for i in range(len(words) - NGRAM + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else None


def variety(rows: Sequence[Row]) -> dict[str, tuple[float, int]]:
    """(value, number of texts or words) of each measure other than perplexity."""
    texts = [row["text"].split() for row in rows]
    counts = Counter(word for text in texts for word in text)
    total = counts.total()
    frequencies = np.array(list(counts.values())) / total if total else np.ones(1)
    repeats = [share for share in map(repeated_ngrams, texts) if share is not None]
    timed = [(len(text), float(row["seconds"])) for text, row in zip(texts, rows, strict=True) if row["seconds"]]
    silences = [float(row["silence"]) for row in rows if row["silence"]]
    total_seconds = sum(seconds for _, seconds in timed)
    measures = {
        "empty_share": (sum(row["status"] != OK for row in rows) / len(rows), len(rows)),
        "at_limit_share": (sum(row["stop"] == "limit" for row in rows) / len(rows), len(rows)),
        "words": (total / len(rows), len(rows)),
        "distinct_words": (len(counts) / total if total else 0.0, total),
        "word_entropy": (float(-(frequencies * np.log2(frequencies)).sum()), total),
    }
    if repeats:
        measures["repeated_4grams"] = (float(np.mean(repeats)), len(repeats))
    if total_seconds:
        measures["words_per_second"] = (sum(words for words, _ in timed) / total_seconds, len(timed))
    if silences:
        measures["silence"] = (float(np.mean(silences)), len(silences))
    return measures


def world_scores(
    rows: Sequence[Row], prompts: Mapping[str, dict[str, Any]], world: WorldMeasures, seed: int
) -> dict[str, tuple[float, int]]:
    """(value, number of texts) of each measure of world_measures.py; `prompts` has each prompt's line by its id."""
    rng = generator(seed, "continuation/shuffled")
    scores_by_name: dict[str, list[float | None]] = {}
    for row in rows:
        words, prompt = row["text"].split(), prompts[row["prompt"]]
        before = normalise_text(prompt["text"]).split()
        shuffled = [words[index] for index in rng.permutation(len(words))]
        scores = {
            "on_topic": world.on_topic(words, prompt["topic"]) if prompt["topic"] else None,
            "in_sentences": world.in_sentences(words, before),
            "in_sentences_shuffled": world.in_sentences(shuffled, before),
            "known_patterns": world.known_patterns(words),
        }
        for name, score in scores.items():
            scores_by_name.setdefault(name, []).append(score)
    kept = {name: [score for score in scores if score is not None] for name, scores in scores_by_name.items()}
    return {name: (float(np.mean(scores)), len(scores)) for name, scores in kept.items() if scores}


def summarise(
    rows: Sequence[Row],
    modality: str,
    task: str,
    samples: int,
    seed: int,
    more: Mapping[str, tuple[float, int]] | None = None,
) -> list[dict[str, object]]:
    """All rows, VALUES, of one file of judged continuations, with `more` measures; ValueError if it holds none."""
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
    return [dict(zip(VALUES, (modality, task, m, *_rounded(v, lo, hi), n), strict=True)) for m, v, lo, hi, n in lines]


def _rounded(*numbers: float) -> list[float | str]:
    return ["" if np.isnan(number) else round(number, 6) for number in numbers]


def main() -> None:
    """Command line of rule continuation_summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument(
        "--generated", type=Path, nargs="+", required=True, help="judged continuations per modality (.csv)"
    )
    parser.add_argument("--real", type=Path, nargs="+", required=True, help="judged, per modality (.csv)")
    parser.add_argument("--read-aloud", nargs="*", default=[], help="text modalities that were also spoken")
    parser.add_argument("--spoken", type=Path, nargs="*", default=[], help="their generated ones, judged as heard")
    parser.add_argument("--spoken-real", type=Path, nargs="*", default=[], help="their real ones, judged as heard")
    parser.add_argument("--prompts", type=Path, required=True, help="prompts.jsonl")
    parser.add_argument("--judge", type=Path, required=True, help="judge.csv")
    parser.add_argument("--recogniser", type=Path, nargs="?", help="recogniser.csv, if a continuation was spoken")
    parser.add_argument("--transcribed", nargs="*", default=[], help="the modalities that are spoken, of --modalities")
    parser.add_argument("--limits", required=True, help="JSON: max_* of the section continuation")
    parser.add_argument("--world", help="lexicon of the world (small or full) if that is the corpus")
    parser.add_argument("--config", required=True, help="JSON: bootstrap_samples of the section evaluation")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    world = WorldMeasures(args.world, args.seed) if args.world else None
    prompts = {row["id"]: row for row in nonempty_jsonl(args.prompts)}
    samples = parse(Resampling, args.config, "evaluation").bootstrap_samples
    limits = parse(Limits, args.limits, "continuation")
    failures = {
        "judge": judge_failure(judge_row(args.judge), limits),
        "recogniser": recogniser_failure(recogniser_rows(args.recogniser), limits) if args.recogniser else "",
    }
    lines = []
    judged = [
        *((TASKS, *files) for files in zip(args.modalities, args.generated, args.real, strict=True)),
        *((SPOKEN_TASKS, *files) for files in zip(args.read_aloud, args.spoken, args.spoken_real, strict=True)),
    ]
    for tasks, modality, *paths in judged:
        for task, path in zip(tasks, paths, strict=True):
            rows = read_csv(path)
            more = world_scores(rows, prompts, world, args.seed) if world else {}
            spoken = modality in args.transcribed or tasks == SPOKEN_TASKS
            lines += [
                {**line, "measurable": measurable(str(line["metric"]), spoken=spoken, **failures)}
                for line in summarise(rows, modality, task, samples, args.seed, more)
            ]
    write_csv(args.out, COLUMNS, lines)
    for line in lines:
        if line["metric"] == "perplexity_median":
            print(f"{line['modality']}: {line['task']}: median perplexity {line['value']}", file=sys.stderr)
    for failure in filter(None, failures.values()):
        print(f"continuation: not measurable: {failure}", file=sys.stderr)


if __name__ == "__main__":
    run(main)
