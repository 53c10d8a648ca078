"""Evaluate the trained model of a modality on all tasks and on dev, in one process, since importing torch is slow.

For every task: the log-probabilities of all sides of every item (and of their EOS) and the decision, and the same for
every layer, plain and by the tuned lens (layers.py, tuned_lens.py), from one forward pass. For dev: the bits (bits.py)
and their breakdown (bit_breakdown.py).
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.cuts import Item, read_cuts, sides
from scripts.common.files import write_csv
from scripts.common.ragged import load_bin
from scripts.evaluation import bit_breakdown, bits, layers, score_rows
from scripts.evaluation.config import LayerScoring
from scripts.evaluation.items import (
    SideLogprob,
    Task,
    add_task_arguments,
    cut_seconds,
    item_row,
    read_tasks,
    read_tokens,
    scorable,
)
from scripts.tokens.modality import from_json
from scripts.tokens.tables import load_tables


def table(
    items: list[Item],
    tokens: dict[str, np.ndarray],
    logprobs: dict[str, SideLogprob],
    score_normalization: str,
    context: int,
) -> list[score_rows.Row]:
    """A row (score_rows.py) per item: log-probabilities in nats and scored tokens (all but BOS) of its sides.

    The row of an item that cannot be scored (`items.failure`, given the model's context) holds the reason.
    """
    seconds = cut_seconds(items)
    item_rows = []
    for item in items:
        key = score_rows.item_key(item)
        ids = [cut["id"] for cut in sides(item)]
        item_rows.append(item_row(key, ids, tokens, logprobs, context, seconds=[seconds[cut] for cut in ids]))
    return score_rows.fill_correct(item_rows, score_normalization)


def score_tasks(model: Any, precision: str, maps: list[Any], tasks: list[Task], arguments: argparse.Namespace) -> None:
    """Write scores, layers, and layers by the tuned lens (`maps`) of every task."""
    from scripts.evaluation.logprobs import score_layers_and_eos

    config, modality, context = arguments.config, arguments.modality, model.config.max_position_embeddings
    for all_items, plain_file, tuned_file in zip(tasks, arguments.layers, arguments.tuned_lens, strict=True):
        task = scorable(all_items, context)
        name = f"{modality}/{task.name}"
        by_reader = score_layers_and_eos(model, task.tokens, config.batch_tokens, name, maps, precision)
        # Entries 0 to last: every layer, the last is the model; then all but the last by the tuned lens.
        last = len(maps)
        of_model = {cut: SideLogprob(*map(float, lp[last])) for cut, lp in by_reader.items()}
        layer_logprobs = {cut: lp[:, 0] for cut, lp in by_reader.items()}
        scored = table(all_items.items, all_items.tokens, of_model, config.score_normalization, context)
        write_csv(task.out, score_rows.COLUMNS, scored)
        print(f"{modality}/{task.name}: {score_rows.summary(scored)}", file=sys.stderr)
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
    """Write the bits of dev and the bit breakdown."""
    from scripts.evaluation.logprobs import score_tokens

    config, modality, seed = arguments.config, arguments.modality, arguments.seed
    nats = score_tokens(model, tokens, config.batch_tokens, f"{modality}/dev", precision)
    totals = {cut: float(token_nats.sum()) for cut, token_nats in nats.items()}
    measures = bits.bits(utterances, tokens, totals, config.bootstrap_samples, seed)
    write_csv(arguments.bits, bits.COLUMNS, [{"metric": metric, **row._asdict()} for metric, row in measures.items()])
    means = ", ".join(f"{row.value:.2f} {metric.replace('_', ' ')}" for metric, row in measures.items())
    print(f"{modality}/dev: {means} over {len(utterances)} utterances", file=sys.stderr)
    token_parts = bit_breakdown.read_parts(
        arguments.cuts,
        arguments.streams,
        arguments.tokenizer,
        arguments.definition,
        load_tables(arguments.tables, arguments.definition),
    )
    write_csv(
        arguments.bit_breakdown,
        bit_breakdown.COLUMNS,
        bit_breakdown.table(utterances, nats, token_parts, config.bootstrap_samples, seed),
    )


def main() -> None:
    """Command line of rule evaluation_score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--definition", required=True, type=from_json, help="the modality, JSON")
    parser.add_argument("--model", required=True, type=Path, help="AutoModelForCausalLM folder")
    add_task_arguments(parser)
    parser.add_argument("--layers", nargs="*", default=[], type=Path, help="csv by layer to write per task")
    parser.add_argument("--tuned-lens", nargs="*", default=[], type=Path, help="the same by the tuned lens")
    parser.add_argument("--cuts", required=True, nargs="+", type=Path, help="aligned shards of dev (jsonl.gz)")
    parser.add_argument("--streams", nargs="*", default=[], type=Path, help="their units, for sources with units")
    parser.add_argument("--tables", nargs="*", default=[], help="tables of train that the modality needs")
    parser.add_argument("--tokenizer", required=True, type=Path, help="the modality's tokenizer folder")
    parser.add_argument("--train", required=True, type=Path, help="tokens of train (.bin); the tuned lens is fitted on")
    parser.add_argument("--dev", required=True, type=Path, help="tokens of dev (.bin); the tuned lens is measured on")
    parser.add_argument("--bits", required=True, type=Path, help="csv to write")
    parser.add_argument("--bit-breakdown", required=True, type=Path, help="csv to write: the bits by part")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    parser.add_argument("--seed", required=True, type=int)
    arguments = parser.parse_args()
    arguments.config = parse(LayerScoring, arguments.config, "evaluation")
    # Torch is imported after the task files are read, so that their errors appear at once.
    tasks = list(read_tasks(arguments))
    utterances = [bits.utterance(cut) for shard in arguments.cuts for cut in read_cuts(shard)]
    if not utterances:
        raise ValueError(f"{arguments.cuts[0]}: dev holds no utterances; bits need at least one")
    dev = read_tokens(arguments.dev, [utterance.id for utterance in utterances])
    from scripts.evaluation.precision import resolve_precision
    from scripts.evaluation.tuned_lens import fit_lens
    from scripts.lm.model.load import load_model

    cpu.prepare(arguments.config.threads)
    model = load_model(arguments.model)
    precision = resolve_precision(arguments.config.precision, model.device)
    maps = []
    if tasks:
        train, limit = load_bin(arguments.train), arguments.config.lens_tokens
        maps = fit_lens(model, train, load_bin(arguments.dev), limit, arguments.seed, arguments.modality)
    score_tasks(model, precision, maps, tasks, arguments)
    score_dev(model, precision, utterances, dev, arguments)


if __name__ == "__main__":
    run(main)
