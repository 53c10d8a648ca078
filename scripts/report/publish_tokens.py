"""The token sequences of a modality as a folder for a dataset hub, with tokenizer and a card on how to read them."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.common.cli import run
from scripts.common.files import atomic_directory, read_json
from scripts.report import hub_card
from scripts.report.hub_card import Origin
from scripts.report.labels import display_name

READ = [
    "import numpy as np",
    "",
    'tokens = np.memmap("train.bin", dtype="<u2", mode="r")  # all utterances, one after another',
    'index = np.load("train.idx.npz")  # ids [S], offsets [S + 1], seconds [S], words [S], ...',
    'first = tokens[index["offsets"][0] : index["offsets"][1]]  # utterance index["ids"][0]',
]


def card(origin: Origin, modality: str, stats: Mapping[str, Any]) -> str:
    """The card of published tokens, from their stats.json."""
    meta = {
        "license": origin.license,
        "pretty_name": f"{display_name(modality)} tokens of {origin.experiment}",
        "tags": ["speech-language-model", modality],
    }
    lines = ["| file | utterances | tokens | hours | tokens per second |", "|---|---|---|---|---|"]
    parts = {name: f"{name}.bin" for name in stats["splits"]} | {name: f"tasks/{name}.bin" for name in stats["tasks"]}
    for name, counts in {**stats["splits"], **stats["tasks"]}.items():
        rate = counts["tokens_per_second"]
        lines.append(
            f"| `{parts[name]}` | {counts['utterances']:,} | {counts['tokens']:,} | {counts['seconds'] / 3600:.2f} |"
            f" {0.0 if rate is None else rate:.1f} |"
        )
    sections = [
        f"# {display_name(modality)} tokens",
        f"A vocabulary of {stats['vocab_size']:,}; sequences without `<s>` and `</s>`. `tokenizer/` maps tokens to"
        " symbols. Both sides of every item of a task are utterances.",
        "\n".join(lines),
        hub_card.section("Reading them", hub_card.code(READ)),
        hub_card.provenance(origin),
    ]
    return hub_card.with_front_matter(meta, "\n\n".join(sections))


def main() -> None:
    """Command line of rule publish_tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--splits", nargs="+", required=True, help="token files of the splits, with their indices")
    parser.add_argument("--tasks", nargs="*", default=[], help="token files of the tasks, with their indices")
    parser.add_argument("--tokenizer", type=Path, required=True, help="its folder")
    parser.add_argument("--stats", type=Path, required=True, help="stats.json")
    parser.add_argument("--modality", required=True, help="its name")
    parser.add_argument(
        "--origin", type=hub_card.read_origin, required=True, help="JSON: experiment, seed, license, data"
    )
    parser.add_argument("--output", required=True, help="the published folder")
    args = parser.parse_args()
    with atomic_directory(args.output) as folder:
        hub_card.copy_files([*args.splits, args.stats], folder)
        for name, sources in (("tokenizer", [args.tokenizer]), ("tasks", args.tasks)):
            (folder / name).mkdir()
            hub_card.copy_files(sources, folder / name)
        text = card(args.origin, args.modality, read_json(args.stats))
        (folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)
