"""The table of continuations: perplexity, signs of degenerate text, and the errors of the recogniser."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.common.cli import run
from scripts.common.files import write_csv
from scripts.report import perplexity_columns
from scripts.report.labels import column_words, display_name
from scripts.report.perplexity_columns import METRIC, REAL, SPOKEN, SPOKEN_REAL, TASK
from scripts.report.render import NO_VALUE, Column, Table, format_interval, format_number, write_formats
from scripts.report.result_files import read_table, records

ERRORS = "word_error_rate"
IN_WORLD = ("on_topic", "in_sentences", "known_patterns")
SHUFFLED = "in_sentences_shuffled"
COLUMNS = (*perplexity_columns.TEXT, *perplexity_columns.NUMBERS)
NOT_MODALITIES = {
    "held-out": "held-out speech",
    "copied": "the same speech resynthesised by the vocoder",
    "random-words": "random words",
}


def build_table(path: str | Path, recogniser: str | Path, modalities: Sequence[str]) -> Table:
    """The formatted table: one row per modality."""
    data = read_table(path, perplexity_columns.TEXT, perplexity_columns.NUMBERS)
    cells = {tuple(row[key] for key in perplexity_columns.TEXT): row for row in records(data)}
    errors = {row["speech"]: row for row in records(read_table(recogniser, ["speech"], [ERRORS, "phone_error_rate"]))}

    def value(modality: str, task: str, metric: str, digits: int = 1, scale: float = 1.0) -> str:
        row = cells.get((modality, task, metric))
        return format_number(scale * row["value"], digits) if row else NO_VALUE

    world_metrics = [metric for metric in IN_WORLD if metric in {key[2] for key in cells}]
    columns = [
        Column("modality", text=True),
        *(Column(name, "generated: perplexity") for name in ("mean", "median", "after the prompt, median")),
        *(
            Column(name, "real continuations, resynthesised")
            for name in ("perplexity, median", "word errors, %", "phone errors, %")
        ),
        *(
            Column(name, "generated")
            for name in (
                "words per continuation",
                "different words, %",
                "repeated 4-grams, %",
                "without words, %",
                "silence, %",
            )
        ),
        *(Column(f"{column_words(metric)}, %", "generated (real)") for metric in world_metrics),
    ]
    lines = []
    channels = [(modality, *tasks) for modality in modalities for tasks in ((TASK, REAL), (SPOKEN, SPOKEN_REAL))]
    written = {modality for modality, _, metric in cells if (modality, SPOKEN, metric) in cells}
    for modality, task, real in channels:
        if task == SPOKEN and modality not in written:
            continue
        mean = cells.get((modality, task, METRIC))
        # A text that was also spoken has errors of the recogniser only as spoken.
        recogniser_errors = None if task == TASK and modality in written else errors.get(modality)
        lines.append(
            [
                display_name(modality) + (", spoken" if task == SPOKEN else ""),
                format_interval(mean["value"], mean["ci_low"], mean["ci_high"]) if mean else NO_VALUE,
                value(modality, task, f"{METRIC}_median"),
                value(modality, task, f"{METRIC}_given_prompt_median"),
                value(modality, real, f"{METRIC}_median"),
                format_number(100 * recogniser_errors[ERRORS]) if recogniser_errors else NO_VALUE,
                format_number(100 * recogniser_errors["phone_error_rate"]) if recogniser_errors else NO_VALUE,
                value(modality, task, "words"),
                value(modality, task, "distinct_words", scale=100),
                value(modality, task, "repeated_4grams", scale=100),
                value(modality, task, "empty_share", scale=100),
                value(modality, task, "silence", scale=100),
                *(
                    f"{value(modality, task, metric, 0, 100)} ({value(modality, real, metric, 0, 100)})"
                    for metric in world_metrics
                ),
            ]
        )
    error_rates = ", ".join(
        f"{format_number(100 * errors[key][ERRORS])}% on {words}"
        for key, words in NOT_MODALITIES.items()
        if key in errors
    )
    notes = [
        "Perplexity under one judge, lower is more fluent. A continuation without words has no perplexity and is"
        " counted under “without words”. Real continuations are encoded, resynthesised, transcribed and judged like the"
        " generated ones: their errors are those of encoding, synthesis and transcription, not of the model.",
        f"Word error rate of the recogniser: {error_rates}. Errors in random words beyond those in resynthesised"
        " speech show how far the recogniser favours fluent word sequences.",
        *(
            ["Spoken: the same text, pronounced, and synthesised and transcribed like a sequence of phones."]
            if written
            else []
        ),
        "Different words: as a share of all words of the modality's continuations; the share falls with their number.",
    ]
    if world_metrics:
        notes.append(
            "On topic: of the words that belong to a single topic of the world, the share that belongs to the prompt's"
            " topic. In sentences: the share of words in whole sentences that the world's grammar accepts"
            f"{_shuffled(cells)}. Known patterns: the share of three-word sequences whose word classes occur in text of"
            " the world. None of the three needs a model."
        )
    return Table("continuation", "Continuations", columns, lines, notes)


def _shuffled(cells: Mapping[tuple[str, ...], Mapping[str, float]]) -> str:
    """The range of the score of the same words in random order, over all modalities; empty if there is none."""
    shares = [100 * row["value"] for (_, _, metric), row in cells.items() if metric == SHUFFLED]
    return (
        f"; the same words in random order score {format_number(min(shares))} to {format_number(max(shares))}%"
        if shares
        else ""
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--summary", required=True, help="continuation/summary.csv")
    parser.add_argument("--recogniser", required=True, help="continuation/recogniser.csv")
    parser.add_argument("--modalities", nargs="+", required=True)
    parser.add_argument("--output", type=Path, required=True, help="folder for continuation.{csv,md,tex,html}")
    args = parser.parse_args()
    data = perplexity_columns.rows(args.summary, args.modalities)
    write_csv(args.output / "continuation.csv", COLUMNS, records(data.astype(object).where(data.notna(), "")))
    write_formats(args.output, build_table(args.output / "continuation.csv", args.recogniser, args.modalities))


if __name__ == "__main__":
    run(main)
