"""Tasks of text alone, for the modalities that read text: minimal pairs such as BLiMP, and choices among several.

The items are those of choices.py. An item is right where its positive text scores higher than every
negative one; a tie of k texts at the top counts 1/k if the positive is among them. The rows are those of rows.py,
without seconds.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_csv
from scripts.evaluation import rows
from scripts.evaluation.choices import Choice, read_choices
from scripts.evaluation.config import TextScoring
from scripts.evaluation.items import failure, row
from scripts.tokens.encoder import BOS, EOS, UNKNOWN, load

VOICE = "text"


def table(
    choices: list[Choice],
    tokens: dict[str, np.ndarray],
    logprobs: dict[str, float],
    score_normalization: str,
    context: int,
) -> list[rows.Row]:
    """A row (rows.py) per item, given nats of its texts; one that cannot be scored says why."""
    item_rows = [
        row((choice.id, VOICE, choice.subset, choice.group), choice.texts, tokens, logprobs, context)
        for choice in choices
    ]
    return rows.complete(item_rows, score_normalization)


def main() -> None:
    """Command line of rule evaluation_text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--model", required=True, type=Path, help="AutoModelForCausalLM folder")
    parser.add_argument("--tokenizer", required=True, type=Path, help="the modality's tokenizer folder")
    parser.add_argument("--items", required=True, type=Path, help="jsonl file, or folder of such files")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    arguments = parser.parse_args()
    arguments.config = parse(TextScoring, arguments.config, "evaluation")
    config, name = arguments.config, f"{arguments.modality}/{arguments.task}"
    choices, encode = list(read_choices(arguments.items)), load(arguments.tokenizer)
    texts = dict.fromkeys(text for choice in choices for text in choice.texts)
    tokens = {text: np.array([BOS, *encode(text), EOS], np.uint16) for text in texts}
    unknown = sum(UNKNOWN in ids for ids in tokens.values())
    from scripts.evaluation.logprobs import score
    from scripts.evaluation.precision import resolve_precision
    from scripts.lm.model.load import load_model

    cpu.prepare(config.threads)
    model = load_model(arguments.model)
    context = model.config.max_position_embeddings
    possible = {text: ids for text, ids in tokens.items() if not failure(ids, context)}
    precision = resolve_precision(config.precision, model.device)
    logprobs = score(model, possible, config.batch_tokens, name, precision)
    scored = table(choices, tokens, logprobs, config.score_normalization, context)
    if all(row["dropped"] for row in scored):
        raise ValueError(
            f"{arguments.items}: none of its {len(scored)} items can be scored,"
            f" e.g. {scored[0]['id']}: {scored[0]['dropped']}"
        )
    write_csv(arguments.out, rows.COLUMNS, scored)
    print(f"{name}: {rows.summary(scored)}; {unknown} of {len(tokens)} texts hold an unknown letter", file=sys.stderr)


if __name__ == "__main__":
    run(main)
