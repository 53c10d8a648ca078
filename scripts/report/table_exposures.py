"""Exposures that a modality needs to know a word, and what a factor costs in data.

The rows of evaluation/exposures.csv; the readable forms show the thresholds and the ratios.
"""

from pathlib import Path

from scripts.common.cli import run
from scripts.evaluation.exposures import COLUMNS
from scripts.report.labels import display_name
from scripts.report.level_cells import MEASURE_LABELS, lines, write_from_command_line
from scripts.report.render import Column, Table
from scripts.report.result_files import grouped, read_table

TEXT = ("factor", "baseline", "modality", "task", "measure", "quantity", "text")
NUMBERS = ("exposure", "value", "ci_low", "ci_high", "n")


def build_table(path: str | Path) -> Table:
    """The formatted table of exposures.csv: a row per modality and task, then one per factor and task."""
    data = read_table(path, TEXT, NUMBERS)
    levels = sorted(data.loc[data["quantity"] == "share", "exposure"].unique().tolist())
    columns = [Column("modality or factor", text=True), Column("task", text=True), Column("measure", text=True)]
    columns += [Column(f"{level:g}", "accuracy at so many exposures, %") for level in levels]
    columns.append(Column("for 75%, or times more data", "exposures", text=True))
    shown = data[data["measure"].isin(MEASURE_LABELS)]
    rows = lines(shown[shown["factor"] == ""], "exposure", levels)
    for (letter, baseline, modality, task, measure), group in grouped(
        shown[shown["factor"] != ""], "factor", "baseline", "modality", "task", "measure"
    ).items():
        [row] = group
        name = f"{letter}: {display_name(baseline)} → {display_name(modality)}"
        said = row["text"] if row["text"].startswith("not") else f"× {row['text']}"
        rows.append([name, display_name(task), MEASURE_LABELS[measure], *[""] * len(levels), said])
    notes = [
        "Exposures: occurrences of the word in the training text, which is read once in every epoch"
        " (lm.training.epochs); 75% lies midway between chance and a perfect score."
        " The threshold is read from a fitted curve with a floor at chance; brackets: 95% bootstrap interval over"
        " couples. A factor's row is the ratio of the thresholds of its modalities: so many times more data are needed."
    ]
    return Table("exposures", "Exposures needed", columns, rows, notes if rows else ["No task has exposures."])


def main() -> None:
    """Command line of rule report_table_exposures."""
    write_from_command_line(__doc__, "exposures", (TEXT, NUMBERS), COLUMNS, build_table)


if __name__ == "__main__":
    run(main)
