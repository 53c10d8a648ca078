"""A model as a folder for a model hub: weights, tokenizer, and a card with its results, data and licence."""

import argparse
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import atomic_directory, read_text
from scripts.report import hub_card, table_results
from scripts.report.hub_card import Origin
from scripts.report.labels import display_name
from scripts.report.result_files import read_table


def card(origin: Origin, modality: str, trained: str, summary: Path) -> str:
    """The card of a published model.

    Args:
        origin: of the experiment.
        modality: of the model.
        trained: the card that the training wrote.
        summary: the experiment's evaluation/summary.csv.
    """
    data = read_table(summary, table_results.TEXT, table_results.NUMBERS)
    rows = hub_card.model_results(data, modality)
    meta = {
        "license": origin.license,
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["speech-language-model", modality],
        "model-index": hub_card.model_index(origin, modality, rows),
    }
    use = [
        "from transformers import AutoModelForCausalLM, AutoTokenizer",
        "",
        'folder = "."  # this folder',
        "model = AutoModelForCausalLM.from_pretrained(folder)",
        "tokenizer = AutoTokenizer.from_pretrained(folder)",
    ]
    sections = [
        hub_card.body_of(trained).strip(),
        hub_card.section("Results", hub_card.results_table(rows), hub_card.WITHOUT_SEEDS),
        hub_card.section(
            "Use",
            hub_card.code(use),
            f"The tokenizer reads the symbols of {display_name(modality)}; `tokens/{modality}` of the same publication"
            " holds the sequences that the model was trained on.",
        ),
        hub_card.provenance(origin),
    ]
    return hub_card.with_front_matter(meta, "\n\n".join(sections))


def main() -> None:
    """Command line of rule publish_model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="folder of the trained model")
    parser.add_argument("--summary", type=Path, required=True, help="evaluation/summary.csv")
    parser.add_argument("--modality", required=True, help="its name")
    parser.add_argument(
        "--origin", type=hub_card.read_origin, required=True, help="JSON: experiment, seed, license, data"
    )
    parser.add_argument("--output", required=True, help="the published folder")
    args = parser.parse_args()
    with atomic_directory(args.output) as folder:
        hub_card.copy_files([args.model], folder)
        text = card(args.origin, args.modality, read_text(args.model / "README.md"), args.summary)
        (folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)
