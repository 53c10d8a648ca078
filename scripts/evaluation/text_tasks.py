"""Tasks of text alone, for the modalities that read text: minimal pairs such as BLiMP, and choices among several.

A task is a file of JSON lines, or a folder of such files: {"id", "positive": text, "negative": text or list of texts},
with "group" and "subset" where there are any; BLiMP's own lines ("sentence_good", "sentence_bad", "UID", "pairID") are
read as they are, grouped by "linguistics_term". An item is right where its positive text scores higher than every
negative one; a tie of k texts at the top counts 1/k if the positive is among them. The rows are those of rows.py,
without seconds.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.common.cli import run
from scripts.common.files import read_jsonl, write_csv
from scripts.evaluation import rows
from scripts.evaluation.items import failure, row
from scripts.tokens.encoder import BOS, EOS, UNKNOWN, load

VOICE = "text"


@dataclass(frozen=True)
class Config:
    """Keys of config.yaml's `evaluation` that this step reads."""

    decide_by: str
    batch_tokens: int
    threads: int


@dataclass(frozen=True)
class Choice:
    """One item: its texts, the right one first."""

    id: str
    subset: str
    group: str
    texts: tuple[str, ...]


def read_choices(path: Path) -> Iterator[Choice]:
    """The items of a file, or of a folder's *.jsonl in order of their names.

    Raises:
        ValueError: naming file and line: no item at all, an item without id or texts, an empty text, a negative text
            that is the positive one, an id that repeats.
    """
    files = sorted(path.glob("*.jsonl*")) if path.is_dir() else [path]
    seen: set[str] = set()
    for file in files:
        for number, line in enumerate(read_jsonl(file), start=1):
            choice = _choice(line, f"{file}:{number}")
            if choice.id in seen:
                raise ValueError(f"{file}:{number}: item {choice.id!r} appears twice; once is right")
            seen.add(choice.id)
            yield choice
    if not seen:
        raise ValueError(f"{path}: holds no items; a task needs at least one, or leave the task out")


def _choice(line: dict[str, Any], where: str) -> Choice:
    if "sentence_good" in line:
        line = {
            "id": f"{line.get('UID')}-{line.get('pairID')}",
            "group": line.get("linguistics_term", "all"),
            "positive": line["sentence_good"],
            "negative": line.get("sentence_bad"),
        }
    negative = line.get("negative")
    texts = [line.get("positive"), *(negative if isinstance(negative, list) else [negative])]
    if "id" not in line or len(texts) < 2 or not all(isinstance(text, str) and text for text in texts):
        raise ValueError(f"{where}: expected id, positive (a text) and negative (a text or a list of texts)")
    if texts[0] in texts[1:]:
        raise ValueError(f"{where}: item {line['id']!r} has its positive text among the negative ones")
    return Choice(str(line["id"]), str(line.get("subset", "all")), str(line.get("group", "all")), tuple(texts))


def table(
    choices: list[Choice], tokens: dict[str, np.ndarray], logprobs: dict[str, float], decide_by: str, context: int
) -> list[rows.Row]:
    """A row (rows.py) per item, given nats of its texts; one that cannot be scored says why."""
    found = [
        row((choice.id, VOICE, choice.subset, choice.group), choice.texts, tokens, logprobs, context)
        for choice in choices
    ]
    return rows.complete(found, decide_by)


def main() -> None:
    """Command line of rule evaluation_text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modality", required=True)
    parser.add_argument("--task", required=True)
    parser.add_argument("--model", required=True, type=Path, help="AutoModelForCausalLM folder")
    parser.add_argument("--tokenizer", required=True, type=Path, help="the modality's tokenizer folder")
    parser.add_argument("--items", required=True, type=Path, help="jsonl file, or folder of such files")
    parser.add_argument("--out", required=True, type=Path, help="csv to write")
    parser.add_argument("--config", required=True, type=lambda text: Config(**json.loads(text)))
    arguments = parser.parse_args()
    config, name = arguments.config, f"{arguments.modality}/{arguments.task}"
    choices, encode = list(read_choices(arguments.items)), load(arguments.tokenizer)
    texts = dict.fromkeys(text for choice in choices for text in choice.texts)
    tokens = {text: np.array([BOS, *encode(text), EOS], np.uint16) for text in texts}
    unknown = sum(UNKNOWN in ids for ids in tokens.values())
    from scripts.evaluation.scoring import load_model, score

    model = load_model(arguments.model, config.threads)
    context = model.config.max_position_embeddings
    possible = {text: ids for text, ids in tokens.items() if not failure(ids, context)}
    scored = table(choices, tokens, score(model, possible, config.batch_tokens, name), config.decide_by, context)
    if all(row["dropped"] for row in scored):
        raise ValueError(
            f"{arguments.items}: none of its {len(scored)} items can be scored,"
            f" e.g. {scored[0]['id']}: {scored[0]['dropped']}"
        )
    write_csv(arguments.out, rows.COLUMNS, scored)
    print(f"{name}: {rows.summary(scored)}; {unknown} of {len(tokens)} texts hold an unknown letter", file=sys.stderr)


if __name__ == "__main__":
    run(main)
