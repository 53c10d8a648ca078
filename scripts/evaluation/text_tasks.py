"""Score text tasks with the modalities that read text: minimal pairs such as BLiMP, or items with several negatives.

Items are read by text_items.py and decided as in accuracy.py. The rows are those of score_rows.py, without seconds.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from scripts.common import cpu
from scripts.common.cli import run
from scripts.common.config import parse
from scripts.common.files import write_csv
from scripts.evaluation import score_rows
from scripts.evaluation.config import TextScoring
from scripts.evaluation.items import SideLogprob, failure, item_row
from scripts.evaluation.text_items import TextItem, read_text_items
from scripts.tokens.modality import from_json
from scripts.tokens.span_encoder import BOS, EOS, UNKNOWN, load
from scripts.tokens.text_form import text_form

VOICE = "text"


def table(
    items: list[TextItem],
    tokens: dict[str, np.ndarray],
    logprobs: dict[str, SideLogprob],
    score_normalization: str,
    context: int,
) -> list[score_rows.Row]:
    """A row (score_rows.py) per item; `logprobs` are in nats. The row of an unscorable item has the reason."""
    item_rows = [
        item_row(score_rows.text_key(item.id, VOICE, item.subset, item.group), item.texts, tokens, logprobs, context)
        for item in items
    ]
    return score_rows.fill_correct(item_rows, score_normalization)


def main() -> None:
    """Command line of rule evaluation_text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--definition", required=True, type=from_json, help="the modality, JSON")
    parser.add_argument("--task", required=True)
    parser.add_argument("--model", required=True, type=Path, help="AutoModelForCausalLM folder")
    parser.add_argument("--tokenizer", required=True, type=Path, help="the modality's tokenizer folder")
    parser.add_argument("--items", required=True, type=Path, help="jsonl file, or folder of such files")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--config", required=True, help="JSON: keys of the section evaluation")
    arguments = parser.parse_args()
    arguments.config = parse(TextScoring, arguments.config, "evaluation")
    config, name = arguments.config, f"{arguments.modality}/{arguments.task}"
    items, encode = list(read_text_items(arguments.items)), load(arguments.tokenizer)
    texts = dict.fromkeys(text for item in items for text in item.texts)
    tokens = {
        text: np.array([BOS, *encode(text_form(text, arguments.definition)[0]), EOS], np.uint16) for text in texts
    }
    unknown = sum(UNKNOWN in ids for ids in tokens.values())
    from scripts.evaluation.logprobs import score_tokens
    from scripts.evaluation.precision import resolve_precision
    from scripts.lm.model.load import load_model

    cpu.prepare(config.threads)
    model = load_model(arguments.model)
    context = model.config.max_position_embeddings
    scorable = {text: ids for text, ids in tokens.items() if not failure(ids, context)}
    precision = resolve_precision(config.precision, model.device)
    by_token = score_tokens(model, scorable, config.batch_tokens, name, precision)
    logprobs = {text: SideLogprob(float(nats.sum()), float(nats[-1])) for text, nats in by_token.items()}
    scored = table(items, tokens, logprobs, config.score_normalization, context)
    if all(row["dropped"] for row in scored):
        raise ValueError(
            f"{arguments.items}: none of its {len(scored)} items can be scored,"
            f" e.g. {scored[0]['id']}: {scored[0]['dropped']}"
        )
    write_csv(arguments.out, score_rows.COLUMNS, scored)
    print(
        f"{name}: {score_rows.summary(scored)}; {unknown} of {len(tokens)} texts hold an unknown symbol",
        file=sys.stderr,
    )


if __name__ == "__main__":
    run(main)
