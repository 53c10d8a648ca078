"""Continuations by themselves: perplexity, the price of the way, signs of babble; and the recogniser's errors."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report import continuation
from scripts.report.continuation import METRIC, REAL, TASK
from scripts.report.names import display, spaced
from scripts.report.read import read_table, records
from scripts.report.render import NONE, Column, Table, interval, number, write_forms

ERRORS = "word_error_rate"
IN_WORLD = ("on_topic", "in_sentences", "known_patterns")
SHUFFLED = "in_sentences_shuffled"
COLUMNS = (*continuation.TEXT, *continuation.NUMBERS)
NOT_MODALITIES = {
    "held-out": "held-out speech",
    "copied": "its copy through the vocoder",
    "random-words": "random words",
}


def layout(path: str | Path, recogniser: str | Path, modalities: Sequence[str]) -> Table:
    """The table for readers: one row per modality."""
    data = read_table(path, continuation.TEXT, continuation.NUMBERS)
    cells = {tuple(row[key] for key in continuation.TEXT): row for row in records(data)}
    errors = {row["speech"]: row for row in records(read_table(recogniser, ["speech"], [ERRORS, "phone_error_rate"]))}

    def value(modality: str, task: str, metric: str, digits: int = 1, scale: float = 1.0) -> str:
        found = cells.get((modality, task, metric))
        return number(scale * found["value"], digits) if found else NONE

    world = [metric for metric in IN_WORLD if metric in {key[2] for key in cells}]
    columns = [
        Column("modality", text=True),
        *(Column(name, "generated: perplexity") for name in ("mean", "median", "after the prompt, median")),
        *(
            Column(name, "real speech, same way")
            for name in ("perplexity, median", "words wrong, %", "phones wrong, %")
        ),
        *(
            Column(name, "generated")
            for name in ("words each", "different words, %", "repeated 4-grams, %", "without words, %", "silence, %")
        ),
        *(Column(f"{spaced(metric)}, %", "generated (real speech)") for metric in world),
    ]
    lines = []
    for modality in modalities:
        mean = cells.get((modality, TASK, METRIC))
        wrong = errors.get(modality)
        lines.append(
            [
                display(modality),
                interval(mean["value"], mean["ci_low"], mean["ci_high"]) if mean else NONE,
                value(modality, TASK, f"{METRIC}_median"),
                value(modality, TASK, f"{METRIC}_given_prompt_median"),
                value(modality, REAL, f"{METRIC}_median"),
                number(100 * wrong[ERRORS]) if wrong else NONE,
                number(100 * wrong["phone_error_rate"]) if wrong else NONE,
                value(modality, TASK, "words"),
                value(modality, TASK, "distinct_words", scale=100),
                value(modality, TASK, "repeated_4grams", scale=100),
                value(modality, TASK, "empty_share", scale=100),
                value(modality, TASK, "silence", scale=100),
                *(
                    f"{value(modality, TASK, metric, 0, 100)} ({value(modality, REAL, metric, 0, 100)})"
                    for metric in world
                ),
            ]
        )
    heard = ", ".join(
        f"{number(100 * errors[key][ERRORS])}% on {words}" for key, words in NOT_MODALITIES.items() if key in errors
    )
    notes = [
        "Perplexity under one judge, lower is more fluent. A continuation without words has none and is counted in"
        " “without words”. Real speech is what was really said after such a prompt, encoded, spoken, heard and judged"
        " in the same way: what it scores is the price of the way, not of the model.",
        f"The recogniser's word error rate: {heard}. What it gets wrong in random words and not in the copy is fluency"
        " of its own.",
        "Different words: over all words of the modality's continuations, so that it falls with their number.",
    ]
    if world:
        notes.append(
            "On topic: of the words that only one topic of the written world has, those of the prompt's. In sentences:"
            " words that stand in whole sentences that the world's grammar accepts"
            f"{_shuffled(cells)}. Known patterns: three-word sequences of word classes that the world says. None"
            " needs a model."
        )
    return Table("continuation", "Continuations", columns, lines, notes)


def _shuffled(cells: Mapping[tuple[str, ...], Mapping[str, float]]) -> str:
    """What the same words in random order score, over all modalities."""
    found = [100 * row["value"] for (_, _, metric), row in cells.items() if metric == SHUFFLED]
    return f"; the same words in random order score {number(min(found))} to {number(max(found))}%" if found else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--summary", required=True, help="continuation/summary.csv")
    parser.add_argument("--recogniser", required=True, help="continuation/recogniser.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for continuation.{csv,md,tex,html}")
    args = parser.parse_args()
    data = continuation.rows(args.summary, args.modalities)
    write_csv(args.output / "continuation.csv", COLUMNS, records(data.astype(object).where(data.notna(), "")))
    write_forms(args.output, layout(args.output / "continuation.csv", args.recogniser, args.modalities))


if __name__ == "__main__":
    run(main)
