"""All that is asked of a modality's finished model, in one process: loading torch takes longer than a small task.

Of every task: the log-probability of all sides of every item and which one wins, and the same by every layer, plain
and through fitted maps (layers.py, tuned_lens.py), from one forward pass. Of dev: the bits (bits.py) and where they go
(bit_breakdown.py).
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Item, read_cuts, sides, speaker
from scripts.common.files import write_csv
from scripts.common.ragged import load_bin
from scripts.evaluation import bit_breakdown, bits, layers, rows
from scripts.evaluation.config import Scoring
from scripts.evaluation.items import (
    Task,
    add_task_arguments,
    cut_seconds,
    read_tasks,
    read_tokens,
    row,
    scorable,
)
from scripts.tokens.modality import from_json


def table(
    items: list[Item], tokens: dict[str, np.ndarray], logprobs: dict[str, float], score_normalization: str, context: int
) -> list[rows.Row]:
    """A row (rows.py) per item: log-probabilities in nats and scored tokens (all but BOS) of its sides.

    An item that cannot be scored (`items.failure`, given the model's context) gets a row that says why.
    """
    seconds = cut_seconds(items)
    item_rows = []
    for item in items:
        place = (item["id"], speaker(item["positive"]), item["subset"], item["group"])
        ids = [cut["id"] for cut in sides(item)]
        item_rows.append(row(place, ids, tokens, logprobs, context, seconds=[seconds[cut] for cut in ids]))
    return rows.complete(item_rows, score_normalization)


def score_tasks(model: Any, precision: str, maps: list[Any], tasks: list[Task], arguments: argparse.Namespace) -> None:
    """Write scores, layers and layers through `maps` of every task."""
    from scripts.evaluation.logprobs import score_layers

    config, modality, context = arguments.config, arguments.modality, model.config.max_position_embeddings
    for whole, plain_file, tuned_file in zip(tasks, arguments.layers, arguments.tuned_lens, strict=True):
        task = scorable(whole, context)
        layer_logprobs = score_layers(
            model, task.tokens, config.batch_tokens, f"{modality}/{task.name}", maps, precision
        )
        last = len(maps)  # entries: every layer, the last is the model; then all but the last through their maps
        totals = {cut: float(lp[last]) for cut, lp in layer_logprobs.items()}
        scored = table(whole.items, whole.tokens, totals, config.score_normalization, context)
        write_csv(task.out, rows.COLUMNS, scored)
        print(f"{modality}/{task.name}: {rows.summary(scored)}", file=sys.stderr)
        plain = {cut: lp[: last + 1] for cut, lp in layer_logprobs.items()}
        tuned = {cut: np.append(lp[last + 1 :], lp[last]) for cut, lp in layer_logprobs.items()}
        for lens, logprobs, file in (("plain", plain, plain_file), ("tuned", tuned, tuned_file)):
            by_layer = layers.table(
                task.items, task.tokens, logprobs, config.score_normalization, config.bootstrap_samples, arguments.seed
            )
            write_csv(file, layers.COLUMNS, by_layer)
            percentages = " ".join(f"{100 * row['value']:.1f}" for row in by_layer)
            print(f"{modality}/{task.name}: % by layer, {lens}: {percentages}", file=sys.stderr)


def score_dev(
    model: Any,
    precision: str,
    utterances: list[bits.Utterance],
    tokens: dict[str, np.ndarray],
    arguments: argparse.Namespace,
) -> None:
    """Write the bits of dev and where they go."""
    from scripts.evaluation.logprobs import score_tokens

    config, modality, seed = arguments.config, arguments.modality, arguments.seed
    nats = score_tokens(model, tokens, config.batch_tokens, f"{modality}/dev", precision)
    totals = {cut: float(each.sum()) for cut, each in nats.items()}
    measures = bits.bits(utterances, tokens, totals, config.bootstrap_samples, seed)
    write_csv(arguments.bits, bits.COLUMNS, [{"metric": metric, **row._asdict()} for metric, row in measures.items()])
    means = ", ".join(f"{row.value:.2f} {metric.replace('_', ' ')}" for metric, row in measures.items())
    print(f"{modality}/dev: {means} over {len(utterances)} utterances", file=sys.stderr)
    placed = bit_breakdown.read_parts(arguments.cuts, arguments.streams, arguments.tokenizer, arguments.definition)
    write_csv(
        arguments.bit_breakdown,
        bit_breakdown.COLUMNS,
        bit_breakdown.table(utterances, nats, placed, config.bootstrap_samples, seed),
    )


def main() -> None:
    """Command line of rule evaluation_score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--definition", required=True, type=from_json, help="the modality, JSON")
    parser.add_argument("--model", required=True, type=Path, help="AutoModelForCausalLM folder")
    add_task_arguments(parser)
    parser.add_argument("--layers", nargs="*", default=[], type=Path, help="csv by layer to write per task")
    parser.add_argument("--tuned-lens", nargs="*", default=[], type=Path, help="the same through fitted maps")
    parser.add_argument("--cuts", required=True, nargs="+", type=Path, help="aligned shards of dev (jsonl.gz)")
    parser.add_argument("--streams", nargs="*", default=[], type=Path, help="their units, for sources that have some")
    parser.add_argument("--tokenizer", required=True, type=Path, help="the modality's tokenizer folder")
    parser.add_argument("--dev", required=True, type=Path, help="tokens of dev (.bin); the maps are fitted on them")
    parser.add_argument("--bits", required=True, type=Path, help="csv to write")
    parser.add_argument("--bit-breakdown", required=True, type=Path, help="csv to write: the bits by part")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    arguments.config = parse(Scoring, arguments.config, "evaluation")
    # Torch is imported below: an error in a task file should not wait seconds for it.
    tasks = list(read_tasks(arguments))
    utterances = [bits.utterance(cut) for shard in arguments.cuts for cut in read_cuts(shard)]
    if not utterances:
        raise ValueError(f"{arguments.cuts[0]}: dev holds no utterances; bits need at least one")
    dev = read_tokens(arguments.dev, [one.id for one in utterances])
    from scripts.evaluation.precision import resolve_precision
    from scripts.evaluation.tuned_lens import fit_on
    from scripts.lm.model.load import load_model

    cpu.prepare(arguments.config.threads)
    model = load_model(arguments.model)
    precision = resolve_precision(arguments.config.precision, model.device)
    maps = fit_on(model, load_bin(arguments.dev), arguments.seed, arguments.modality) if tasks else []
    score_tasks(model, precision, maps, tasks, arguments)
    score_dev(model, precision, utterances, dev, arguments)


if __name__ == "__main__":
    run(main)
